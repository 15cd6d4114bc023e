// Bench races understudy against other programs on this machine and prints ratios within one run: absolute figures say more about the
// machine than about the program. docs/PERFORMANCE.md has the tables, the Makefile the targets.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"understudy/bench/stage"
)

// race is one sub-command. Its flags are registered before it runs.
type race struct {
	name, about string
	measures    bool // this machine, that is
	flags       func(*flag.FlagSet) func(context.Context, *stage.Stage) error
}

func races() []race {
	return []race{
		{"proxy", "CPU per proxied request and added latency, beside HAProxy, nginx, Caddy and httputil.ReverseProxy", true, proxyRace},
		{"client", "the load client beside hey and wrk against one fast server", true, clientRace},
		{"omission", "what the client and hey say of a server that stalls, beside the truth", true, omissionRace},
		{"schedule", "how late the client is with its own schedule", true, scheduleRace},
		{"memory", "the client's memory with a short and a long trace", true, memoryRace},
		{"idle", "many idle connections to a balancer", true, idleRace},
		{"soak", "load and scaling on Docker for as long as you like; fails when anything grows", true, soakRace},
		{"profile", "where the CPU time of a profile of the balancer went, as a table", false, profileTable},
		{"backend", "the tiny server behind the proxies", false, backendServer},
		{"reverse", "httputil.ReverseProxy as a program", false, reverseServer},
	}
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := start(ctx, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

func start(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{""}
	}
	for _, r := range races() {
		if r.name != args[0] {
			continue
		}
		fs := flag.NewFlagSet(r.name, flag.ContinueOnError)
		race := r.flags(fs)
		if err := fs.Parse(args[1:]); err != nil {
			return err
		}
		s, err := stage.New()
		if err != nil {
			return err
		}
		if r.measures {
			race = onMachine(race)
		}
		return errors.Join(race(ctx, s), s.Close())
	}
	usage := fmt.Sprintf("there is no race %q; there are", args[0])
	for _, r := range races() {
		usage += fmt.Sprintf("\n  %-9s %s", r.name, r.about)
	}
	return errors.New(usage)
}
