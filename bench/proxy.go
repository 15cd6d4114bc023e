package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"understudy/bench/stage"
)

// proxyRace measures what one proxied request costs each proxy, and what each adds to the latency at half of saturation.
func proxyRace(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	var f field
	b := burst{}
	fs.StringVar(&f.binary, "understudy", "bin/understudy", "the binary")
	fs.StringVar(&f.profile, "profile", "", "file for a CPU profile of understudy (it then runs as bin/profiled)")
	fs.IntVar(&b.requests, "requests", 30_000, "of one shot")
	fs.IntVar(&b.connections, "connections", 64, "kept open by the load")
	rounds := fs.Int("rounds", 3, "interleaved; the best counts")
	cpu := fs.Bool("cpu", true, "measure CPU per request and allocations")
	latency := fs.Bool("latency", true, "measure the added latency")
	rate := fs.Float64("rate", 0, "requests per second to measure the latency at; 0: half of saturation")
	return func(ctx context.Context, s *stage.Stage) error {
		if err := stage.Need("h2load", "haproxy", "nginx", "caddy", "taskset"); err != nil {
			return err
		}
		if err := f.start(ctx, s, understudy, haproxy, nginx, reverse, caddy); err != nil {
			return err
		}
		f.proxies = append(f.proxies, &contender{name: direct, url: "http://" + f.backends[0] + "/echo"})
		if *cpu {
			if err := f.cost(ctx, s, b, *rounds); err != nil {
				return err
			}
		}
		if *latency {
			return f.addedLatency(ctx, *rounds, *rate)
		}
		return nil
	}
}

// cost races without and with a body, and counts what the balancer allocates.
func (f *field) cost(ctx context.Context, s *stage.Stage, b burst, rounds int) error {
	title := fmt.Sprintf("GET, a small JSON answer: %d requests on %d connections, best of %d", b.requests, b.connections, rounds)
	if err := f.race(ctx, title, b, rounds); err != nil {
		return err
	}
	var err error
	if b.body, err = s.File("body.json", `{"a":6,"b":7}`); err != nil {
		return err
	}
	if err := f.race(ctx, "The same with POST and a body of 13 bytes", b, rounds); err != nil {
		return err
	}
	return printAllocations(ctx)
}

// race fires rounds of the burst at every contender in turn and prints the table. One smaller burst each goes before, to warm up.
func (f *field) race(ctx context.Context, title string, b burst, rounds int) error {
	warm := b
	warm.requests /= 10
	for round := range rounds + 1 {
		for _, c := range f.proxies {
			if round == 0 {
				c.shots = nil
				if _, err := c.fire(ctx, warm); err != nil {
					return err
				}
				continue
			}
			one, err := c.fire(ctx, b)
			if err != nil {
				return err
			}
			c.shots = append(c.shots, one)
		}
	}
	return f.print(title)
}

func (f *field) print(title string) error {
	t := table{title: title, columns: []string{"proxy", "CPU µs/request", "÷ HAProxy", "÷ ReverseProxy", "÷ Caddy", "requests/s", "÷ HAProxy", "RSS MiB"}}
	cpu := func(name string) float64 { return float64(best(f.named(name).shots).cpu) }
	base := best(f.named(haproxy).shots)
	for _, c := range f.proxies {
		b := best(c.shots)
		row := []string{c.name, "", "", "", "", fmt.Sprintf("%.0f", b.perSecond), fmt.Sprintf("%.2f", b.perSecond/base.perSecond), ""}
		if c.process != nil {
			rss, err := stage.RSS(c.process.PID)
			if err != nil {
				return err
			}
			own := float64(b.cpu)
			row[1], row[7] = fmt.Sprintf("%.1f", own/1e3), fmt.Sprintf("%.1f", float64(rss)/(1<<20))
			row[2], row[3], row[4] = ratio(own, cpu(haproxy)), ratio(own, cpu(reverse)), ratio(own, cpu(caddy))
		}
		t.add(row...)
	}
	t.print(os.Stdout)
	own := cpu(understudy)
	goal(os.Stdout, "CPU ÷ ReverseProxy", own/cpu(reverse), 0.60, true, "")
	goal(os.Stdout, "CPU ÷ Caddy", own/cpu(caddy), 0.45, true, "")
	goal(os.Stdout, "CPU ÷ HAProxy", own/cpu(haproxy), 1.8, true, "")
	return nil
}

func ratio(a, b float64) string { return fmt.Sprintf("%.2f", a/b) }
