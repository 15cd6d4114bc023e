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
		printMachine()
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
		text, _, err := stage.Run(ctx, stage.Command{Name: "hey", Args: []string{"hey", "-c", "10", "-q", "10", "-z", lasts.String(), url + "/x"}})
		if err != nil {
			return err
		}
		hey, err := number(string(text), `99% in ([\d.]+) secs`)
		if err != nil {
			return err
		}
		heySent, err := number(string(text), `\[200\]\s+(\d+) responses`)
		if err != nil {
			return err
		}
		truth := float64(stall.quantile(0.99, perSecond, *lasts).Microseconds()) / 1000
		t := table{
			title:   fmt.Sprintf("A server that stalls for %v every %v, %d requests/s for %v", stall.lasts, stall.every, perSecond, *lasts),
			columns: []string{"", "requests", "p99 ms", "off the truth"},
		}
		t.add("the schedule, by arithmetic", fmt.Sprint(int(perSecond*lasts.Seconds())), ms(truth), "")
		t.add("understudy client --rate", fmt.Sprint(ours.Count), ms(ours.Latency.P99), percent(ours.Latency.P99/truth-1))
		t.add("hey -q", fmt.Sprint(int(heySent)), ms(hey*1000), percent(hey*1000/truth-1))
		t.print(os.Stdout)
		goal(os.Stdout, "distance of our p99 from the truth", 100*math.Abs(ours.Latency.P99/truth-1), 5, true, " %")
		return nil
	}
}

func percent(share float64) string { return fmt.Sprintf("%+.1f %%", 100*share) }
