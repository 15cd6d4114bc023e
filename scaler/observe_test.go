package scaler

import (
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
)

func TestSlotsThatAreWithheldReachThePolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(time.Millisecond), pool("mult", func(p *config.Pool) { p.Concurrency, p.Ramp = 20, 0 }))
		b.scaler.step(t.Context())
		b.scaler.hear(<-b.scaler.reports)
		b.scaler.hear(<-b.scaler.reports)
		for _, w := range b.fleet.Workers() {
			b.fleet.Limit(w.ID, 15)
		}
		m, _ := b.fleet.Measure("mult")
		if in := b.scaler.observe(b.scaler.pools[0], m); in.Active+in.Spare != 2 || in.Withheld != 10 {
			t.Errorf("%d ready, %d withheld", in.Active+in.Spare, in.Withheld)
		}
		b.scaler.shutdown()
	})
}

// A start that has ended since the last decision is a worker, and not also one that is still to be started: counted twice it would let a pool
// creep up to its max on a host that has no CPU left.
func TestAStartThatEndedBetweenTwoDecisionsIsNotAskedForAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(300*time.Millisecond), pool("mult", func(p *config.Pool) { p.Workers.Min = 6 }))
		s := b.scaler
		want := func(when string, begun, asked, ready int) {
			t.Helper()
			m, _ := b.fleet.Measure("mult")
			in := s.observe(s.pools[0], m)
			if len(in.Begun) != begun || in.Asked != asked || in.Active+in.Spare != ready {
				t.Errorf("%s: %d begun, %d asked for, %d ready; want %d, %d, %d", when, len(in.Begun), in.Asked, in.Active+in.Spare, begun, asked, ready)
			}
		}
		hear := func(n int) {
			for range n {
				s.hear(<-s.reports)
			}
		}
		s.step(t.Context())
		want("seven wanted, four at a time", 4, 3, 0)
		hear(4)
		want("four are ready", 0, 3, 4)
		s.step(t.Context())
		want("after the next decision", 3, 0, 4)
		hear(3)
		want("all are ready", 0, 0, 7)
		s.shutdown()
	})
}
