package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"

	"understudy/client"
)

// addedLatency drives understudy, HAProxy and the bare backend with the same open loop and prints what each proxy adds. A rate of 0 is half
// of what the slower proxy can take.
func (f *field) addedLatency(ctx context.Context, rounds int, rate float64) error {
	if rate == 0 {
		saturation, err := f.saturation(ctx)
		if err != nil {
			return err
		}
		rate = math.Floor(saturation / 2)
	}
	names := []string{direct, haproxy, understudy}
	best := map[string]*client.Report{}
	var failed int
	var last error
	rounds *= 3 // short ones: what disturbs them comes in seconds
	for range rounds {
		for _, name := range names {
			r, err := f.ours(ctx, name, "--rate", fmt.Sprint(rate), "--duration", "2s", "--timeout", "5s")
			if ctx.Err() != nil {
				return err
			}
			if err == nil && !r.KeptUp {
				err = fmt.Errorf("%s: the client was %.0f ms late itself", name, r.ScheduleError.P99)
			}
			if err != nil {
				failed, last = failed+1, err // one hiccup of the machine is enough at half of saturation
				continue
			}
			if best[name] == nil || r.Latency.P99 < best[name].Latency.P99 {
				best[name] = r
			}
		}
	}
	if failed > 0 {
		fmt.Printf("\n%d of %d rounds have no result. The last: %.160v\n", failed, rounds*len(names), last)
	}
	if len(best) < len(names) {
		fmt.Printf("\nNo verdict on added latency: at %.0f requests/s no round went well for each of %s, so something else takes this machine's time.\n",
			rate, strings.Join(names, ", "))
		return nil
	}
	printLatency(best, names, rate, rounds)
	return nil
}

func printLatency(best map[string]*client.Report, names []string, rate float64, rounds int) {
	base := best[direct].Latency
	t := table{
		title:   fmt.Sprintf("Latency, open loop at %.0f requests/s for 2 s, best of %d", rate, rounds),
		columns: []string{"proxy", "p50 ms", "p99 ms", "p50 added", "p99 added", "client's own lateness p99"},
	}
	for _, name := range names {
		r := best[name]
		t.add(name, ms(r.Latency.P50), ms(r.Latency.P99), ms(r.Latency.P50-base.P50), ms(r.Latency.P99-base.P99), ms(r.ScheduleError.P99))
	}
	t.print(os.Stdout)
	goal(os.Stdout, "p99 − p99 of HAProxy", best[understudy].Latency.P99-best[haproxy].Latency.P99, 1, true, " ms")
}

// saturation is what the slower of understudy and HAProxy answers a second to callers that send back to back, the same client that measures
// the latency afterwards: it takes its share of the machine then too.
func (f *field) saturation(ctx context.Context) (float64, error) {
	least := math.Inf(1)
	for _, name := range []string{haproxy, understudy} {
		r, err := f.ours(ctx, name, "-c", "64", "--duration", "3s")
		if err != nil {
			return 0, err
		}
		least = min(least, r.Rate)
	}
	return least, nil
}

// ours loads the contender of that name with understudy's client.
func (f *field) ours(ctx context.Context, name string, args ...string) (*client.Report, error) {
	_, rest := cores()
	c := f.named(name)
	base := strings.TrimSuffix(c.url, "/echo")
	r, _, err := runOurs(ctx, f.binary, rest, append(args, "--target", base, "--mix", "echo=1", "--method", "GET")...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func ms(v float64) string { return fmt.Sprintf("%.2f", v) }
