package scaler

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

// silence has a worker given up because it gave no answer, which is how its death looks to a probe.
func (b *bench) silence(w *fleet.Worker) { b.fleet.Fail(w.ID, "no answer in time") }

// A busy engine answers no question about a container that it takes apart, and a probe notices first that the worker is gone.
func TestAWorkerThatWasKilledIsNotToldAsOneThatHung(t *testing.T) {
	for _, tc := range []struct {
		name  string
		found func(*bench, *fleet.Worker) // what is known when the probe fails
		later func(*bench, *fleet.Worker) // what becomes known
	}{
		{"the engine does not answer yet", func(b *bench, w *fleet.Worker) {
			b.driver.Kill(w.ID, 137)
			b.driver.FailNext("inspect", driver.ErrUnavailable, driver.ErrUnavailable, driver.ErrUnavailable)
		}, func(*bench, *fleet.Worker) {}},
		{"the engine says that it runs", func(b *bench, w *fleet.Worker) { b.say(w) }, func(b *bench, w *fleet.Worker) {
			b.driver.Kill(w.ID, 137)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, drivertest.FakeOptions{}, pool("bad", single))
				ended := b.count()
				b.run()
				b.pass(time.Minute + 500*ms)
				b.driver.Mute(true)
				victim := b.fleet.Workers(fleet.Active)[0]
				tc.found(b, victim)
				b.silence(victim)
				b.pass(lookAgain * 3 / 2)
				if n := b.startsOf("bad"); n != 2 {
					t.Errorf("%d starts: making up for it waits for the word for its end", n)
				}
				tc.later(b, victim)
				b.pass(3 * lookAgain)
				if last, _ := b.scaler.LastExit("bad"); last.Reason != "signal" || last.Code != 137 {
					t.Errorf("last exit: %+v", last)
				}
				if ended.of("bad", "signal") != 1 || len(ended.n) != 1 {
					t.Errorf("exits: %v", ended.n)
				}
				if _, state, _ := b.fleet.Worker(victim.ID); state != fleet.Gone {
					t.Errorf("it is %s", state)
				}
				b.want("bad", 1, 0)
				b.end()
			})
		})
	}
}

func TestAWorkerThatHungIsToldSoInTheEndAndRemoved(t *testing.T) {
	for _, tc := range []struct {
		name  string
		found func(*bench, *fleet.Worker)
		takes time.Duration
	}{
		{"it runs", func(*bench, *fleet.Worker) {}, 0},
		{"it runs and is said to have ended", func(b *bench, w *fleet.Worker) { b.say(w) }, autopsyTime},
		{"it runs and was said to have ended long ago", func(b *bench, w *fleet.Worker) { b.say(w); b.pass(autopsyTime) }, 0},
		{"nobody can tell", func(b *bench, _ *fleet.Worker) {
			b.driver.FailNext("inspect", slices.Repeat([]error{driver.ErrUnavailable}, 100)...)
		}, autopsyTime},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, drivertest.FakeOptions{}, pool("bad", single))
				ended := b.count()
				b.run()
				b.pass(time.Minute + 500*ms)
				victim := b.fleet.Workers(fleet.Active)[0]
				tc.found(b, victim)
				b.silence(victim)
				if tc.takes > 0 {
					b.pass(tc.takes - lookAgain)
					if _, ok := b.scaler.LastExit("bad"); ok {
						t.Error("it is told before it is known")
					}
					b.pass(lookAgain)
				}
				b.pass(lookAgain)
				if last, _ := b.scaler.LastExit("bad"); last.Reason != "hung" || !strings.Contains(last.Error, "no answer in time") || ended.of("bad", "hung") != 1 {
					t.Errorf("last exit: %+v, %v", last, ended.n)
				}
				b.pass(failedGrace + time.Second)
				if _, state, _ := b.fleet.Worker(victim.ID); state != fleet.Gone {
					t.Errorf("it is %s", state)
				}
				b.want("bad", 1, 0)
				b.end()
			})
		})
	}
}

// The end of the balancer does not wait for the word for a worker's end.
func TestNobodyWaitsForTheWordForAnEndWhenTheBalancerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("bad", single))
		b.run()
		b.pass(time.Minute + 500*ms)
		b.driver.FailNext("inspect", slices.Repeat([]error{driver.ErrUnavailable}, 100)...)
		b.silence(b.fleet.Workers(fleet.Active)[0])
		b.pass(500 * ms)
		began := time.Now()
		b.end()
		if took := time.Since(began); took > 2*lookAgain {
			t.Errorf("it took %s to end", took)
		}
	})
}
