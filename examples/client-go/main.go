// Command client-go makes a load from Go: a few callers that send back to back, a line for each second of it, and promises that must hold.
//
//	go run ./examples/client-go -target http://127.0.0.1:8080
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"understudy/client"
)

func main() {
	target := flag.String("target", client.DefaultTarget, "base URL of the balancer")
	requests := flag.Int("n", 200, "how many requests")
	callers := flag.Int("c", 4, "callers that send back to back")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // Ctrl-C ends the load, not the program
	kept, err := load(ctx, *target, *requests, *callers)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "client-go:", err)
		os.Exit(1)
	}
	if !kept {
		os.Exit(3)
	}
}

// load tells whether every promise was kept.
func load(ctx context.Context, target string, requests, callers int) (bool, error) {
	promises, err := client.ParseAssertions("errors=0,p95<2s")
	if err != nil {
		return false, err
	}
	slowest := &slowest{}
	report, err := client.Run(ctx, client.Options{
		Target:      target,
		N:           requests,
		Concurrency: callers,
		Mix:         client.Mix{{Capability: "mult", Weight: 2}, {Capability: "add", Weight: 1}},
		Timeout:     10 * time.Second,
	}, slowest)
	if err != nil {
		return false, err
	}
	fmt.Printf("%d requests, p95 %v ms, %d workers; the slowest was %s by %s in %v\n",
		report.Count, report.Latency.P95, report.Spread.Workers, slowest.yet.Capability, slowest.yet.Worker, slowest.yet.Latency.Round(time.Millisecond))
	kept := true
	for _, o := range report.Check(promises) {
		fmt.Printf("%s: %s, kept: %v\n", o.Text, o.Got, o.OK)
		kept = kept && o.OK
	}
	return kept, nil
}

// slowest is an observer that prints how the load goes and keeps its slowest result. Run calls it from one goroutine, so it needs no lock.
// Without the method Result it would cost the load nothing.
type slowest struct{ yet client.Result }

// Progress implements client.Observer.
func (s *slowest) Progress(p client.Progress) {
	if !p.Final {
		fmt.Printf("%d of %d done, %.0f/s\n", p.Done, p.N, p.Rate)
	}
}

// Result implements client.ResultObserver.
func (s *slowest) Result(r client.Result) {
	if r.Latency > s.yet.Latency {
		s.yet = r
	}
}
