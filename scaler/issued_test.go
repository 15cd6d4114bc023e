package scaler

import (
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
)

// A balancer that is killed may have asked for a worker which is there only after the next one has looked. That one never asked for it, so there is
// nothing to wait for; what it has asked for itself it leaves alone for a while.
func TestAWorkerThatADeadBalancerAskedForGoesAtOnceAndOneOfOursLater(t *testing.T) {
	for what, tc := range map[string]struct {
		ours       bool
		kept, gone time.Duration
	}{
		"a dead one's": {false, firstList / 2, firstList},
		"ours":         {true, orphanGrace, 2 * listEvery},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 1, Max: 3} }))
				b.run()
				if tc.ours {
					b.issue("stray's")
				}
				if _, err := b.driver.Start(t.Context(), driver.Spec{Pool: "mult", Worker: "stray", Generation: "stray's", HostPort: 20010}); err != nil {
					t.Fatal(err)
				}
				b.pass(tc.kept)
				if n := len(b.driver.Calls("stop")); n > 0 {
					t.Errorf("%d removals within its grace", n)
				}
				b.pass(tc.gone)
				if calls := b.driver.Calls("stop"); len(calls) != 1 || calls[0].Worker != "stray" {
					t.Errorf("removals: %+v", calls)
				}
				b.end()
			})
		})
	}
}

func TestIdentitiesAreForgottenOnceTheirStartsAreLongOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 2, Max: 3} }))
		b.run()
		b.pass(time.Second)
		if _, err := b.fleet.Drain(b.driver.Workers()[0].Worker, "test"); err != nil {
			t.Fatal(err)
		}
		b.pass(orphanGrace)
		if n := b.issued(); n != 3 {
			t.Errorf("%d identities are known of 2 workers and one that has gone", n)
		}
		b.pass(3 * listEvery)
		if n := b.issued(); n != 2 {
			t.Errorf("%d identities are known of 2 workers", n)
		}
		b.end()
	})
}

// within has the scaler's loop do something.
func (b *bench) within(do func()) {
	b.t.Helper()
	if err := b.scaler.order(b.t.Context(), do); err != nil {
		b.t.Fatal(err)
	}
}

// issue makes an identity one that this scaler has given to a worker.
func (b *bench) issue(generation string) {
	b.within(func() { b.scaler.issued[generation] = b.fleet.Clock() })
}

func (b *bench) issued() (n int) {
	b.within(func() { n = len(b.scaler.issued) })
	return n
}
