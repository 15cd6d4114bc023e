package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"understudy/admin"
	"understudy/bench/stage"
)

// soak loads a balancer on Docker in swells, takes one of its workers away every now and then so that there is always one being removed and
// one being started, and watches what it holds.
type soak struct {
	binary   string
	lasts    time.Duration
	from, to int // ports for workers
	*balancer
	gauges
}

// soakRace fails when a request fails, when something grows from the second quarter to the last, or when containers are left behind.
func soakRace(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	k := &soak{}
	fs.StringVar(&k.binary, "understudy", "bin/understudy", "the binary")
	fs.DurationVar(&k.lasts, "lasts", time.Minute, "at least 40s")
	fs.IntVar(&k.from, "ports", 26000, "the first of 32 free ports for workers")
	return func(ctx context.Context, s *stage.Stage) error {
		if err := stage.Need("docker"); err != nil {
			return err
		}
		if k.lasts < 40*time.Second {
			return fmt.Errorf("-lasts is %v: it must be at least 40s, a worker a second would be more than an engine can do", k.lasts)
		}
		k.to = k.from + 31
		return k.run(ctx, s)
	}
}

func (k *soak) run(ctx context.Context, s *stage.Stage) (err error) {
	pools := fmt.Sprintf(`  - name: general
    capabilities: [mult]
    env: [DURATION=5ms..15ms]
    workers: {min: 2, max: 8, spare: 1}
ports: {from: %d, to: %d}
`, k.from, k.to)
	// The balancer removes its workers when it ends; should it fail to, what is left is ours to remove.
	if k.balancer, err = newBalancer(ctx, s, k.binary, "docker", pools); k.balancer != nil {
		defer func() { err = errors.Join(err, k.process.Stop(), k.leftovers()) }()
	}
	if err != nil {
		return err
	}
	fmt.Printf("\n%v of load in swells, one worker drained every %v\n", k.lasts, k.churnEvery())
	ctx, cancel := context.WithTimeout(ctx, k.lasts)
	defer cancel()
	var both sync.WaitGroup
	var loadErr, churnErr error
	drained := 0
	both.Go(func() { loadErr = k.load(ctx); cancel() })
	both.Go(func() { drained, churnErr = k.churn(ctx) })
	watchErr := k.watch(ctx)
	cancel()
	both.Wait()
	fmt.Printf("  %d workers were drained and replaced\n", drained)
	if err := errors.Join(loadErr, churnErr, watchErr); err != nil {
		return err
	}
	return k.verdict(os.Stdout)
}

// churnEvery is between one and thirty seconds: an hour of it is some hundred workers, and a minute enough of them.
func (k *soak) churnEvery() time.Duration {
	return min(max(k.lasts/20, time.Second), 30*time.Second).Round(time.Second)
}

// load runs the client again and again, three swells each time, so that every quarter of the run has the same load in it.
func (k *soak) load(ctx context.Context) error {
	each := k.lasts / 8
	for {
		began := time.Now()
		r, _, err := runOurs(ctx, k.binary, "", "--target", "http://"+k.listen, "--rate", "200", "--shape", "sine", "--duration", each.String())
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%v into a load of %v: %w", time.Since(began).Round(time.Second), each, err)
		}
		if r.Statuses[200] != r.Count {
			return fmt.Errorf("not all of %d requests were answered with 200: %v", r.Count, r.Statuses)
		}
	}
}

// churn drains one active worker after the other and returns how many.
func (k *soak) churn(ctx context.Context) (drained int, err error) {
	api := admin.Client{Base: "http://" + k.admin}
	ticker := time.NewTicker(k.churnEvery())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return drained, nil
		case <-ticker.C:
		}
		status, err := api.Status(ctx)
		if err == nil {
			if id := oldest(status); id != "" {
				err = api.Drain(ctx, id)
				drained++
			}
		}
		if err != nil && ctx.Err() == nil {
			return drained, err
		}
	}
}

// oldest is the active worker that has been there for longest, provided that it is not the only one.
func oldest(s admin.Status) string {
	var id string
	var age float64
	active := 0
	for _, pool := range s.Pools {
		for _, w := range pool.Workers {
			if w.State != "active" {
				continue
			}
			active++
			if w.AgeS >= age {
				id, age = w.ID, w.AgeS
			}
		}
	}
	if active < 2 {
		return ""
	}
	return id
}

// leftovers removes the containers that the balancer left and says that there were some.
func (k *soak) leftovers() error {
	_, port, _ := strings.Cut(k.listen, ":")
	instance := "bench-" + port
	out, err := exec.Command("docker", "ps", "-aq", "--filter", "label=understudy.instance="+instance).Output()
	if err != nil {
		return fmt.Errorf("looking for containers that were left: %w", err)
	}
	n := len(strings.Fields(string(out)))
	if n == 0 {
		return nil
	}
	sweep, err := exec.Command(k.binary, "cleanup", "--instance", instance, "--force").CombinedOutput()
	return errors.Join(fmt.Errorf("%d containers were left behind and have been removed: %s", n, sweep), err)
}
