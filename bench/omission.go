package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"understudy/bench/stage"
)

// omissionRace shows what is left of a server's stalls in the percentiles of a client that waits for answers before it sends on, and that
// nothing of them is lost in ours.
func omissionRace(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	binary := fs.String("understudy", "bin/understudy", "the binary")
	lasts := fs.Duration("lasts", 30*time.Second, "of each client's run; whole periods of 10 s")
	const perSecond = 100
	return func(ctx context.Context, s *stage.Stage) error {
		if err := stage.Need("hey", "taskset"); err != nil {
			return err
		}
		stall := stalls{lasts: time.Second, every: 10 * time.Second}
		if *lasts <= 0 || *lasts%stall.every != 0 {
			return fmt.Errorf("-lasts is %v: it must be whole periods of %v, so that it does not matter where in a period the load begins", *lasts, stall.every)
		}
		address, err := startBackend(ctx, s, "stalling", "-stall", stall.lasts.String(), "-every", stall.every.String())
		if err != nil {
			return err
		}
		url := "http://" + address
		ours, _, err := runOurs(ctx, *binary, "", "--target", url, "--mix", "x=1", "--method", "GET", "--rate", fmt.Sprint(perSecond), "--duration", lasts.String())
		if err != nil {
			return err
		}
		// Ten callers with ten requests a second each: hey has no schedule of its own, so a caller that waits skips what it should have sent.
		hey, err := stage.Run(ctx, stage.Command{Name: "hey", Args: []string{"hey", "-c", "10", "-q", "10", "-z", lasts.String(), url + "/x"}})
		if err != nil {
			return err
		}
		said, err := readHey(hey.Out)
		if err != nil {
			return err
		}
		truth := quantiles{
			int(perSecond * lasts.Seconds()),
			milliseconds(stall.quantile(0.95, perSecond, *lasts)), milliseconds(stall.quantile(0.99, perSecond, *lasts)),
		}
		t := table{
			title:   fmt.Sprintf("A server that stalls for %v every %v, %d requests/s for %v", stall.lasts, stall.every, perSecond, *lasts),
			columns: []string{"", "requests", "p95 ms", "off", "p99 ms", "off"},
		}
		truth.addTo(&t, "the schedule, by arithmetic", truth)
		quantiles{ours.Count, ours.Latency.P95, ours.Latency.P99}.addTo(&t, "understudy client --rate", truth)
		said.addTo(&t, "hey -q", truth)
		t.print(os.Stdout)
		goal(os.Stdout, "distance of our p99 from the truth", 100*math.Abs(ours.Latency.P99/truth.p99-1), 5, true, " %")
		return nil
	}
}

func percent(share float64) string { return fmt.Sprintf("%+.1f %%", 100*share) }

// quantiles is what a client says, in milliseconds.
type quantiles struct {
	requests int
	p95, p99 float64
}

func (q quantiles) addTo(t *table, name string, truth quantiles) {
	t.add(name, fmt.Sprint(q.requests), ms(q.p95), percent(q.p95/truth.p95-1), ms(q.p99), percent(q.p99/truth.p99-1))
}

func readHey(text string) (q quantiles, err error) {
	answers, err := number(text, `\[200\]\s+(\d+) responses`)
	if err != nil {
		return q, err
	}
	p95, err := number(text, `95% in ([\d.]+) secs`)
	if err != nil {
		return q, err
	}
	p99, err := number(text, `99% in ([\d.]+) secs`)
	return quantiles{int(answers), p95 * 1000, p99 * 1000}, err
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }
