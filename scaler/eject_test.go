package scaler

import (
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/fleet"
)

func ejecting(most int) config.Pool {
	return pool("mult", func(p *config.Pool) {
		p.Workers.Max, p.Eject = most, config.Eject{Failures: 5, Time: 2 * time.Second}
	})
}

// breaks lets five requests in a row break on a worker.
func (b *bench) breaks(id string) {
	b.t.Helper()
	for range 5 {
		var held []fleet.Lease
		for len(held) == 0 || held[len(held)-1].Worker.ID != id {
			l, err := b.fleet.Acquire(b.t.Context(), fleet.Request{Capability: "mult"})
			if err != nil {
				b.t.Fatal(err)
			}
			held = append(held, l)
		}
		held[len(held)-1].Release(fleet.Outcome{Kind: fleet.Broke})
		for _, l := range held {
			l.Release(fleet.Outcome{Kind: fleet.Unused})
		}
	}
}

func (b *bench) firstActive() string {
	b.t.Helper()
	active := b.fleet.Workers(fleet.Active)
	if len(active) == 0 {
		b.t.Fatal("nobody is in rotation")
	}
	return active[0].ID
}

func TestAnEjectedWorkerIsMadeUpForWithinTheMaximum(t *testing.T) {
	for most := 2; most <= 3; most++ {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, startDelay(100*time.Millisecond), ejecting(most))
			b.run()
			b.pass(2 * time.Second)
			b.want("mult", 1, 1)
			b.breaks(b.firstActive())
			b.pass(1500 * time.Millisecond)
			if m, _ := b.fleet.Measure("mult"); m.Ejected != 1 {
				t.Errorf("%d are ejected", m.Ejected)
			}
			if got := b.states("mult"); got[fleet.Active]+got[fleet.Spare] != most || got[fleet.Starting] > 0 { // it counts as active
				t.Errorf("with at most %d there are %v", most, got)
			}
			b.end()
		})
	}
}

func TestAWorkerThatIsEjectedAgainAndAgainIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(100*time.Millisecond), ejecting(4))
		b.run()
		b.pass(2 * time.Second)
		bad := b.firstActive()
		for _, out := range []time.Duration{2 * time.Second, 4 * time.Second} {
			b.breaks(bad)
			b.pass(out + 250*time.Millisecond)
		}
		if n := len(b.driver.Calls("stop")); n != 0 {
			t.Errorf("%d stops before the third time", n)
		}
		b.breaks(bad)
		b.pass(time.Second)
		if _, _, there := b.fleet.Worker(bad); there || len(b.driver.Calls("stop")) != 1 {
			t.Errorf("it is there: %v, stops %v", there, b.driver.Calls("stop"))
		}
		if got := b.states("mult"); got[fleet.Active] < 1 || got[fleet.Active]+got[fleet.Spare] < 2 {
			t.Errorf("nobody took its place: %v", got)
		}
		b.end()
	})
}
