package scaler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

// reload changes the first pool as a new configuration would.
func (b *bench) reload(change func(*config.Pool)) {
	b.t.Helper()
	next := *b.cfg
	next.Pools = slices.Clone(b.cfg.Pools)
	change(&next.Pools[0])
	b.cfg = &next
	b.scaler.Reload(b.t.Context(), &next)
}

func env(values ...string) func(*config.Pool) {
	return func(p *config.Pool) { p.Env = values }
}

// made counts the workers that the driver runs by the value of the variable V they were made with, as their starts were recorded.
func (b *bench) made() map[string]int {
	out := map[string]int{}
	for _, inst := range b.driver.Workers() {
		out[b.valueOf(inst.Worker)]++
	}
	return out
}

func (b *bench) valueOf(worker string) string {
	for _, c := range b.driver.Calls("start") {
		if c.Worker != worker {
			continue
		}
		for _, kv := range c.Spec.Env {
			if v, ok := strings.CutPrefix(kv, "V="); ok {
				return v
			}
		}
	}
	return ""
}

func (b *bench) wantMade(value string, n int) {
	b.t.Helper()
	if got := b.made(); got[value] != n || len(got) != 1 {
		b.t.Errorf("workers by what they were made from: %v, want %d of %q alone", got, n, value)
	}
}

func (b *bench) wantRollout(pool, state string, done, of, outdated int) Rollout {
	b.t.Helper()
	r, _ := b.scaler.Rollout(pool)
	if r.State != state || r.Done != done || r.Of != of || r.Outdated != outdated {
		b.t.Errorf("the rollout is %+v, want %s, %d of %d, %d outdated", r, state, done, of, outdated)
	}
	return r
}

// bounds is the least and the most there was of a pool's workers while it was watched.
type bounds struct {
	ready, spare, alive [2]int // alive: all that the driver knows
}

func (b bounds) String() string {
	return fmt.Sprintf("%d to %d ready, %d to %d spare, %d to %d alive", b.ready[0], b.ready[1], b.spare[0], b.spare[1], b.alive[0], b.alive[1])
}

// watch lets time go by and looks all the time.
func (b *bench) watch(pool string, d time.Duration) bounds {
	var out bounds
	const step = 10 * time.Millisecond
	for i := range int(d / step) {
		got := b.states(pool)
		alive := 0
		for _, inst := range b.driver.Workers() {
			if inst.Pool == pool {
				alive++
			}
		}
		for _, x := range []struct {
			of  *[2]int
			now int
		}{{&out.ready, got[fleet.Active] + got[fleet.Spare]}, {&out.spare, got[fleet.Spare]}, {&out.alive, alive}} {
			if i == 0 {
				*x.of = [2]int{x.now, x.now}
			}
			x.of[0], x.of[1] = min(x.of[0], x.now), max(x.of[1], x.now)
		}
		b.pass(step)
	}
	return out
}

func (b *bench) wantBounds(got bounds, ready, spare, alive int) {
	b.t.Helper()
	if got.ready[0] < ready || got.spare[0] < spare || got.alive[1] > alive {
		b.t.Errorf("there were %s; want at least %d ready, %d spare, and at most %d alive", got, ready, spare, alive)
	}
}

// planned makes starts of workers with the value of V follow the plan of that name.
func planned(plans map[string]drivertest.Plan) drivertest.FakeOptions {
	return drivertest.FakeOptions{Plan: func(s driver.Spec) drivertest.Plan {
		for v, p := range plans {
			if slices.Contains(s.Env, "V="+v) {
				return p
			}
		}
		return drivertest.Plan{StartDelay: 500 * time.Millisecond}
	}}
}

func (b *bench) notes() (out []string) {
	for _, e := range b.journal.Last(1000) {
		if e.Note != "" {
			out = append(out, e.Note)
		}
	}
	return out
}

func startsWith(calls []drivertest.Call, v string) (n int) {
	for _, c := range calls {
		if slices.Contains(c.Spec.Env, "V="+v) {
			n++
		}
	}
	return n
}

// ready gives a pool of two and a spare, all made with V=old, that has been running for a while.
func rolled(t *testing.T, o drivertest.FakeOptions, change func(*config.Pool)) *bench {
	t.Helper()
	b := newBench(t, o, pool("mult", func(p *config.Pool) {
		p.Workers.Min, p.Env = 2, []string{"V=old"}
		if change != nil {
			change(p)
		}
	}))
	b.run()
	b.pass(time.Minute)
	return b
}
