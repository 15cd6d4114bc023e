package scaler

import (
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

// say has the loop hear that workers ended, without anything having become of them, and decide.
func (b *bench) say(workers ...*fleet.Worker) {
	b.t.Helper()
	err := b.scaler.order(b.t.Context(), func() {
		for _, w := range workers {
			if o := b.scaler.owned[w.ID]; o != nil && b.scaler.hinted(o.id) {
				b.scaler.steer()
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

// atMost lets time go by and holds the pool to n workers that start or are ready.
func (b *bench) atMost(n int, d time.Duration) {
	b.t.Helper()
	for range d / (50 * ms) {
		if s := b.states("bad"); s[fleet.Starting]+s[fleet.Spare]+s[fleet.Active] > n {
			b.t.Fatalf("workers %v, at most %d may be", s, n)
		}
		b.pass(50 * ms)
	}
}

func workers(least, most, spare int) func(*config.Pool) {
	return func(p *config.Pool) {
		p.Workers = config.Workers{Min: least, Max: most, Spare: spare, SpareMax: spare}
	}
}

// The engine says at once that a worker ended, and how only when it is done with that.
func TestAWorkerThatIsSaidToHaveEndedIsMadeUpForBeforeItIsKnown(t *testing.T) {
	for name, ended := range map[string]func(*bench, string) bool{
		"killed":   func(b *bench, w string) bool { return b.driver.Kill(w, 137) },
		"removed":  func(b *bench, w string) bool { return b.driver.Vanish(w) },
		"it lives": nil,
	} {
		for _, state := range []fleet.State{fleet.Active, fleet.Spare} {
			t.Run(name+", "+state.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, startDelay(500*ms), pool("bad", workers(2, 8, 1)))
					b.run()
					b.pass(time.Minute)
					victim := b.fleet.Workers(state)[0]
					answer := b.driver.Hang("inspect")
					if ended != nil {
						ended(b, victim.ID)
						synctest.Wait()
					} else {
						b.say(victim)
					}
					if n := b.startsOf("bad"); n != 4 || b.states("bad")[fleet.Starting] != 1 {
						t.Errorf("%d starts at once, workers %v", n, b.states("bad"))
					}
					if n := b.inRotation(); n != 2 {
						t.Errorf("%d serve", n)
					}
					b.pass(600 * ms)
					if n := b.inRotation(); n != 2 || b.startsOf("bad") != 4 {
						t.Errorf("%d serve after %d starts", n, b.startsOf("bad"))
					}
					answer()
					b.pass(lookAgain + 10*ms)
					if _, exited := b.scaler.LastExit("bad"); exited != (ended != nil) || b.fleet.Lost() > 0 {
						t.Errorf("an exit %v, %d lost", exited, b.fleet.Lost())
					}
					b.pass(time.Minute)
					b.want("bad", 2, 1)
					if n := b.startsOf("bad"); n != 4 {
						t.Errorf("%d starts in the end", n)
					}
					b.end()
				})
			})
		}
	}
}

// inRotation counts the workers that a request could be given.
func (b *bench) inRotation() (n int) {
	for _, p := range b.fleet.Status() {
		for _, w := range p.Workers {
			if w.State == fleet.Active && !w.Lost {
				n++
			}
		}
	}
	return n
}

func TestWhoIsSaidToHaveEndedAndRunsCostsOneStartAMinuteAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(500*ms), pool("bad", workers(6, 12, 1)))
		b.run()
		b.pass(time.Minute)
		began := time.Now()
		for time.Since(began) < 10*time.Minute {
			b.say(b.fleet.Workers(fleet.Active, fleet.Spare)...)
			if s := b.states("bad"); s[fleet.Active]+s[fleet.Spare] < 7 || s[fleet.Starting] > 1 {
				t.Fatalf("after %s: %v", time.Since(began), s)
			}
			b.pass(1700 * ms)
		}
		if n := b.startsOf("bad") - 7; n < 9 || n > 10 {
			t.Errorf("%d starts in ten minutes for nothing", n)
		}
		b.pass(time.Minute)
		b.want("bad", 6, 1)
		if _, exited := b.scaler.LastExit("bad"); exited {
			t.Error("one counts as ended")
		}
		b.end()
	})
}

// The engine tells of a kill before the worker is dead, and an inspect may come in between.
func TestAnEndThatIsToldTooEarlyIsMadeUpForOnceAndTheNextIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(3*time.Second), pool("bad", workers(2, 8, 1)))
		b.run()
		b.pass(time.Minute)
		for i := range 2 {
			victim := b.fleet.Workers(fleet.Active)[0]
			b.say(victim)
			if n := b.startsOf("bad"); n != 4+i {
				t.Errorf("%d starts for %d that are said to have ended", n, i+1)
			}
			b.pass(lookAgain + 10*ms)
			if b.fleet.Lost() > 0 {
				t.Error("it runs and gets nothing")
			}
			answer := b.driver.Hang("inspect")
			b.driver.Kill(victim.ID, 137)
			b.pass(600 * ms)
			if n := b.startsOf("bad"); n != 4+i || b.inRotation() != 2 {
				t.Errorf("%d starts after %d ends, %d serve", n, i+1, b.inRotation())
			}
			answer()
			b.pass(20 * time.Second)
			b.want("bad", 2, 1)
			if n := b.startsOf("bad"); n != 4+i {
				t.Errorf("%d starts after %d ends", n, i+1)
			}
		}
		b.end()
	})
}

// Until it is dead the engine says that it runs.
func TestAWorkerThatIsBeingKilledGetsNothingUntilItIsDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(500*ms), pool("bad", workers(2, 8, 1)))
		b.run()
		b.pass(time.Minute)
		victim := b.fleet.Workers(fleet.Active)[0]
		b.say(victim)
		b.pass(lookAgain - 10*ms)
		if n := b.fleet.Lost(); n != 1 {
			t.Errorf("%d get nothing", n)
		}
		b.driver.Mute(true)
		b.driver.Kill(victim.ID, 137)
		b.pass(20 * ms)
		if _, state, _ := b.fleet.Worker(victim.ID); state != fleet.Gone || b.startsOf("bad") != 4 {
			t.Errorf("it is %s after %d starts", state, b.startsOf("bad"))
		}
		b.pass(time.Minute)
		b.want("bad", 2, 1)
		b.end()
	})
}

func TestMoreThanOneThatIsSaidToHaveEndedWaitsForTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(500*ms), pool("bad", workers(4, 12, 1)))
		b.run()
		b.pass(time.Minute)
		answer := b.driver.Hang("inspect")
		for _, w := range b.fleet.Workers(fleet.Active) {
			b.driver.Kill(w.ID, 137)
		}
		b.pass(5 * time.Second)
		if n := b.startsOf("bad"); n != 6 {
			t.Errorf("%d starts before it is known", n)
		}
		answer()
		b.pass(10 * time.Second)
		b.want("bad", 4, 1)
		if n := b.startsOf("bad"); n != 9 {
			t.Errorf("%d starts", n)
		}
		b.end()
	})
}

func TestAPoolAtItsMaxWaitsForTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(500*ms), pool("bad", workers(2, 3, 1)))
		b.run()
		b.pass(time.Minute)
		answer := b.driver.Hang("inspect")
		said := len(b.journal.Last(1000))
		b.driver.Kill(b.fleet.Workers(fleet.Active)[0].ID, 137)
		b.atMost(3, 5*time.Second)
		if more := b.journal.Last(1000); len(more) != said {
			t.Errorf("what is only said is decided on: %+v", more)
		}
		if n := b.startsOf("bad"); n != 3 || b.inRotation() != 2 {
			t.Errorf("%d starts before it is known, %d serve", n, b.inRotation())
		}
		answer()
		b.atMost(3, 5*time.Second)
		b.want("bad", 2, 1)
		b.end()
	})
}

// A back-off after crashes must not come too late.
func TestWhereWorkersHaveNotProvenToLastNothingIsStartedForWhatIsSaid(t *testing.T) {
	for name, lives := range map[string]time.Duration{"fresh": provenAfter - 2*time.Second, "after a crash": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, drivertest.FakeOptions{}, pool("bad", workers(2, 8, 1)))
				b.run()
				b.pass(lives)
				if name == "after a crash" {
					if err := b.scaler.order(t.Context(), func() {
						p := b.scaler.pools[0]
						p.crashes, p.failedAt = 1, b.fleet.Clock()
					}); err != nil {
						t.Fatal(err)
					}
				}
				b.driver.Hang("inspect")
				b.driver.Kill(b.fleet.Workers(fleet.Active)[0].ID, 137)
				b.pass(5 * time.Second)
				if n := b.startsOf("bad"); n != 3 || b.inRotation() != 2 {
					t.Errorf("%d starts, %d serve", n, b.inRotation())
				}
				b.pass(time.Minute)
				b.want("bad", 2, 1)
				b.end()
			})
		})
	}
}

func TestNothingIsStartedForWhatIsSaidWhileTheEngineIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("bad", workers(2, 8, 1)))
		b.run()
		b.pass(time.Minute)
		b.driver.SetDown(errAway)
		b.pass(listEvery)
		b.say(b.fleet.Workers(fleet.Active)...)
		b.pass(5 * time.Second)
		if n := len(b.driver.Calls("start")); n != 3 || b.fleet.Lost() > 0 {
			t.Errorf("%d starts, %d lost", n, b.fleet.Lost())
		}
		b.driver.SetDown(nil)
		b.pass(time.Minute)
		b.want("bad", 2, 1)
		b.end()
	})
}

func TestASpareThatSleepsIsCalledForAWorkerThatIsSaidToHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, napping(), drowsy(1))
		b.run()
		b.pass(time.Minute)
		b.wantAsleep(1)
		b.driver.Hang("inspect")
		b.driver.Kill(b.fleet.Workers(fleet.Active)[0].ID, 137)
		b.pass(20 * ms)
		if n := b.inRotation(); n != 1 || len(b.driver.Calls("start")) != 3 {
			t.Errorf("%d serve after %d starts", n, len(b.driver.Calls("start")))
		}
		b.pass(time.Minute)
		b.want("mult", 1, 1)
		b.wantAsleep(1)
		b.end()
	})
}

// A balancer that adopted workers does not know since when they are ready: they have lasted.
func TestAnAdoptedWorkerThatIsSaidToHaveEndedIsMadeUpForAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(500*ms), pool("bad", workers(2, 8, 0)))
		for i, w := range []string{"one", "two"} {
			spec := driver.Spec{Pool: "bad", Worker: w, Generation: w, Hash: b.cfg.Pools[0].Fingerprint(), HostPort: 20000 + i}
			if _, err := b.driver.Start(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
		}
		b.run()
		b.want("bad", 2, 0)
		b.driver.Hang("inspect")
		b.driver.Kill("one", 137)
		b.pass(600 * ms)
		if n := b.inRotation(); n != 2 {
			t.Errorf("%d serve", n)
		}
		b.pass(time.Minute)
		b.want("bad", 2, 0)
		if n := len(b.driver.Calls("start")); n != 3 {
			t.Errorf("%d starts", n)
		}
		b.end()
	})
}
