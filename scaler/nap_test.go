package scaler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

const ms = time.Millisecond

// drowsy is a pool whose spares sleep.
func drowsy(spares int) config.Pool {
	return pool("mult", func(p *config.Pool) {
		p.Workers = config.Workers{Min: 1, Max: 8, Spare: spares, SpareMax: spares, SpareMode: config.SparePaused}
	})
}

// napping makes workers that take 10 ms to freeze and 16 ms to wake.
func napping() drivertest.FakeOptions {
	return drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan {
		return drivertest.Plan{StartDelay: 400 * ms, PauseDelay: 10 * ms, ResumeDelay: 16 * ms}
	}}
}

// asleep counts the workers that the driver has frozen, and those the fleet says are.
func (b *bench) asleep() (frozen, said int) {
	for _, inst := range b.driver.Workers() {
		if inst.Paused {
			frozen++
		}
	}
	for _, p := range b.fleet.Status() {
		for _, w := range p.Workers {
			if w.Asleep {
				said++
			}
		}
	}
	return frozen, said
}

func (b *bench) wantAsleep(n int) {
	b.t.Helper()
	if frozen, said := b.asleep(); frozen != n || said != n {
		b.t.Errorf("%d are frozen, %d said to be, want %d", frozen, said, n)
	}
}

// request sends one request that takes d and tells how it went, once it waits or has a worker.
func (b *bench) request(d time.Duration) <-chan outcome {
	out := b.send(d)
	synctest.Wait()
	return out
}

func (b *bench) send(d time.Duration) <-chan outcome {
	out := make(chan outcome, 1)
	go func() {
		began := time.Now()
		l, err := b.fleet.Acquire(context.Background(), fleet.Request{Capability: "mult"})
		o := outcome{start: l.Start, waited: time.Since(began), err: err}
		if err == nil {
			o.worker = l.Worker.ID
			for _, inst := range b.driver.Workers() {
				if inst.Worker == o.worker && inst.Paused {
					o.err = fmt.Errorf("worker %s is frozen", o.worker)
				}
			}
			<-time.After(d)
			l.Release(fleet.Outcome{Kind: fleet.Served})
		}
		out <- o
	}()
	return out
}

type outcome struct {
	worker string
	start  fleet.Start
	waited time.Duration
	err    error
}

func drowsyBench(t *testing.T, o drivertest.FakeOptions, spares int) *bench {
	t.Helper()
	b := newBench(t, o, drowsy(spares))
	b.run()
	b.pass(time.Second)
	b.want("mult", 1, spares)
	return b
}

func TestASpareIsFrozenOnceItHasBeenIdleAndAskedForByNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, napping(), drowsy(1))
		var rested []string
		b.scaler.Rest = func(w *fleet.Worker) {
			if frozen, _ := b.asleep(); frozen > 0 {
				t.Error("connections are closed after the freeze")
			}
			rested = append(rested, w.ID)
		}
		b.run()
		b.pass(time.Second)
		b.pass(napAfter - time.Second)
		b.wantAsleep(0)
		b.pass(time.Second)
		b.wantAsleep(1)
		b.want("mult", 1, 1)
		if len(rested) != 1 {
			t.Errorf("connections were closed of %v", rested)
		}
		b.pass(time.Minute)
		if calls := b.driver.Calls("pause", "resume"); len(calls) != 1 {
			t.Errorf("in a quiet minute there were %d calls", len(calls))
		}
		b.end()
	})
}

func TestARunningSpareIsNeverFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, napping(), pool("mult", nil))
		b.run()
		b.pass(time.Minute)
		b.want("mult", 1, 1)
		if calls := b.driver.Calls("pause", "resume"); len(calls) != 0 {
			t.Errorf("there were calls: %v", calls)
		}
		b.end()
	})
}

func TestARequestWakesTheSpareAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := drowsyBench(t, napping(), 1)
		b.pass(10*time.Second + 137*ms) // off the beat of the ticks
		b.wantAsleep(1)
		first := b.request(time.Second)
		second := b.request(time.Second)
		a, c := <-first, <-second
		if a.err != nil || a.start != fleet.Warm || a.waited != 0 {
			t.Errorf("the first: %+v", a)
		}
		if c.err != nil || c.start != fleet.SpareStart || c.waited != 16*ms {
			t.Errorf("the second: %+v", c)
		}
		b.end()
	})
}

func TestSeveralRequestsAtOnceWakeAsManySparesAsTheyNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := drowsyBench(t, napping(), 4)
		b.pass(10 * time.Second)
		b.wantAsleep(4)
		var all []<-chan outcome
		for range 4 { // one for the worker in rotation, three for spares
			all = append(all, b.request(100*ms))
		}
		for i, one := range all {
			if o := <-one; o.err != nil || o.waited > 16*ms || i > 0 && o.start != fleet.SpareStart {
				t.Errorf("request %d: %+v", i, o)
			}
		}
		if woken := b.driver.Calls("resume"); len(woken) != 3 {
			t.Errorf("%d were woken", len(woken))
		}
		b.end()
	})
}

func TestARequestThatFindsASleeperIsNotRefusedByAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := drowsy(1)
		p.Queue.Length = 0
		b := newBench(t, napping(), p)
		b.run()
		b.pass(11 * time.Second)
		first, second := b.request(time.Second), b.request(time.Second)
		third := b.request(time.Second)
		if o := <-third; !errors.Is(o.err, fleet.ErrQueueFull) {
			t.Errorf("one more than there are workers: %+v", o)
		}
		if a, c := <-first, <-second; a.err != nil || c.err != nil {
			t.Errorf("%+v, %+v", a, c)
		}
		b.end()
	})
}

func TestAClaimDuringTheFreezeWakesTheSpareAsSoonAsThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan {
			return drivertest.Plan{StartDelay: 4 * time.Second, PauseDelay: time.Second, ResumeDelay: 16 * ms}
		}}, drowsy(1))
		b.run()
		freezing := func() bool { c := b.driver.Calls("pause"); return len(c) > 0 && c[0].Ended.IsZero() }
		for !freezing() {
			b.pass(10 * ms)
		}
		first, second := b.request(2*time.Second), b.request(time.Second)
		<-first
		o := <-second
		ended, woken := b.driver.Calls("pause")[0].Ended, b.driver.Calls("resume")
		if o.err != nil || o.start != fleet.SpareStart || len(woken) != 1 || !woken[0].Began.Equal(ended) {
			t.Errorf("%+v; frozen at %s, woken %v", o, ended, woken)
		}
		b.end()
	})
}

func TestASpareThatDoesNotWakeIsReplacedAndTheRequestWaitsForOthers(t *testing.T) {
	for name, fault := range map[string]func(*bench){
		"it is refused":  func(b *bench) { b.driver.FailNext("resume", errors.New("no")) },
		"it is gone":     func(b *bench) { b.driver.FailNext("resume", fmt.Errorf("gone: %w", driver.ErrNotFound)) },
		"takes for ever": nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := true
				b := drowsyBench(t, drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan {
					plan := drivertest.Plan{StartDelay: 400 * ms, ResumeDelay: 16 * ms}
					if fault == nil && slow {
						plan.ResumeDelay = time.Hour
					}
					return plan
				}}, 2)
				slow = false
				b.pass(5 * time.Second) // so soon that a worker that breaks counts as a bad start
				b.wantAsleep(2)
				if fault != nil {
					fault(b)
				}
				first, second := b.request(30*time.Second), b.request(time.Second)
				o := <-second
				if o.err != nil || o.waited > 2*wakeTimeout+2*time.Second {
					t.Errorf("%+v", o)
				}
				if fault != nil && o.waited != 16*ms {
					t.Errorf("the other spare was not called at once: %+v", o)
				}
				if trouble, ok := b.scaler.Trouble("mult"); ok {
					t.Errorf("it was booked as a failed start: %+v", trouble)
				}
				<-first
				b.pass(10 * time.Second)
				if failed := b.states("mult")[fleet.Failed]; failed > 0 {
					t.Errorf("%d failed workers are left", failed)
				}
				b.end()
			})
		})
	}
}

func TestAnEngineThatIsRestartedIsAskedAgainToWakeASpare(t *testing.T) {
	for _, away := range []time.Duration{time.Second, 20 * time.Second} {
		t.Run(away.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := drowsyBench(t, napping(), 1)
				b.pass(10 * time.Second)
				b.driver.SetDown(fmt.Errorf("away: %w", driver.ErrUnavailable))
				time.AfterFunc(away, func() { b.driver.SetDown(nil) })
				first, second := b.request(time.Minute), b.request(ms)
				o := <-second
				if stays := away < wakeTimeout; stays && (o.err != nil || o.waited > away+wakeLongest+100*ms) || !stays && !errors.Is(o.err, fleet.ErrQueueTimeout) {
					t.Errorf("%+v", o)
				}
				if n := len(b.driver.Calls("resume")); n > 20 {
					t.Errorf("it was asked %d times", n)
				}
				b.pass(away + 30*time.Second)
				if got := b.states("mult"); got[fleet.Spare] != 1 || got[fleet.Failed]+got[fleet.Draining] > 0 {
					t.Errorf("once it is back there are %v", got)
				}
				<-first
				b.end()
			})
		})
	}
}

func TestASpareThatIsNeededNowAndThenIsNotFrozenInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := drowsyBench(t, napping(), 1)
		for range 120 { // two at a time, every half second: the second takes the spare
			wait := b.serve("mult", 2, 50*ms)
			b.pass(500 * ms)
			wait()
		}
		if n := len(b.driver.Calls("pause")); n > 2 {
			t.Errorf("in a busy minute spares were frozen %d times", n)
		}
		b.end()
	})
}

func TestAnEngineThatRefusesToFreezeIsLeftAloneForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := drowsyBench(t, napping(), 1)
		for range 100 {
			b.driver.FailNext("pause", errors.New("no freezer here"))
		}
		b.pass(5 * time.Minute)
		if n := len(b.driver.Calls("pause")); n < 6 || n > 10 {
			t.Errorf("in five minutes it was asked %d times", n)
		}
		b.want("mult", 1, 1)
		first, second := b.request(ms), b.request(ms)
		if a, c := <-first, <-second; a.err != nil || c.err != nil || c.waited != 0 {
			t.Errorf("the spare that was not frozen did not serve: %+v, %+v", a, c)
		}
		b.end()
	})
}

func TestASleeperThatSomebodyElseWokeIsPutToSleepAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := drowsyBench(t, napping(), 1)
		b.pass(10 * time.Second)
		b.wantAsleep(1)
		for _, inst := range b.driver.Workers() {
			if err := b.driver.Resume(t.Context(), inst.ID); err != nil {
				t.Fatal(err)
			}
		}
		b.pass(listEvery + napAfter + time.Second)
		b.wantAsleep(1)
		b.want("mult", 1, 1)
		if n := len(b.driver.Calls("pause")); n != 2 {
			t.Errorf("it was frozen %d times", n)
		}
		before := len(b.driver.Calls("pause", "resume"))
		b.pass(time.Minute)
		if n := len(b.driver.Calls("pause", "resume")) - before; n > 0 {
			t.Errorf("left alone there were %d calls", n)
		}
		b.end()
	})
}

func TestReloadsFreezeAndWakeSpares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := drowsyBench(t, napping(), 2)
		b.pass(10 * time.Second)
		b.wantAsleep(2)
		mode := func(to string) {
			next := *b.cfg
			next.Pools = []config.Pool{b.cfg.Pools[0]}
			next.Pools[0].Workers.SpareMode = to
			b.scaler.Reload(t.Context(), &next)
		}
		mode(config.SpareRunning)
		b.pass(time.Second)
		b.wantAsleep(0)
		b.want("mult", 1, 2)
		b.pass(time.Minute)
		b.wantAsleep(0)
		mode(config.SparePaused)
		b.pass(time.Second)
		b.wantAsleep(2)
		b.end()
	})
}

func TestFrozenWorkersAreAdoptedAwakeAndLeftAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, napping(), drowsy(1))
		b.cfg.OnExit = onExitLeave
		for i := range 2 {
			b.driver.Place(driver.Instance{
				Pool: "mult", Worker: fmt.Sprint("old", i), Generation: "g", HostPort: 20000 + i, Address: fmt.Sprintf("http://127.0.0.1:%d", 20000+i),
				Running: true, Paused: i == 0,
			})
		}
		b.run()
		b.wantAsleep(0)
		first, second := b.request(ms), b.request(ms)
		if a, c := <-first, <-second; a.err != nil || c.err != nil {
			t.Errorf("%+v, %+v", a, c)
		}
		if n := len(b.driver.Calls("start")); n > 1 {
			t.Errorf("%d were started", n)
		}
		b.pass(3 * time.Minute)
		frozen, _ := b.asleep()
		b.end()
		if left, _ := b.asleep(); frozen == 0 || left != frozen {
			t.Errorf("%d were frozen, %d are", frozen, left)
		}
	})
}

func TestNobodyIsFrozenWhileTheWorkersAreHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan {
			return drivertest.Plan{PauseDelay: 3 * time.Second, ResumeDelay: 16 * ms}
		}}, drowsy(1))
		b.run()
		for len(b.driver.Calls("pause")) == 0 {
			b.pass(10 * ms)
		}
		if err := b.scaler.Hold(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if c := b.driver.Calls("pause")[0]; c.Ended.IsZero() {
			t.Error("it holds while a worker is being frozen")
		}
		first, second := b.request(time.Second), b.request(ms)
		if a, c := <-first, <-second; a.err != nil || c.err != nil || c.waited != 16*ms {
			t.Errorf("on hold nobody is woken: %+v, %+v", a, c)
		}
		b.pass(time.Minute)
		if n := len(b.driver.Calls("pause")); n != 1 {
			t.Errorf("on hold %d were frozen", n-1)
		}
		if err := b.scaler.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.end()
	})
}

func TestTheEndWaitsForAFreezeAndRemovesWhoSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan {
			return drivertest.Plan{PauseDelay: time.Second, StopDelay: time.Minute}
		}}, drowsy(2))
		b.run()
		for len(b.driver.Calls("pause")) == 0 {
			b.pass(10 * ms)
		}
		began := time.Now()
		b.end()
		var frozen time.Time
		for _, c := range b.driver.Calls("pause") {
			frozen = c.Ended
		}
		stopped := 0
		for _, c := range b.driver.Calls("stop") {
			if !c.Began.Before(frozen) {
				stopped++
			}
		}
		if stopped < 2 || time.Since(began) > stopGrace+2*time.Second {
			t.Errorf("%d were stopped after the freeze; the end took %s", stopped, time.Since(began))
		}
	})
}

// Requests come whenever they like while spares are frozen and woken all the time: each gets a worker that is awake.
func TestStressClaimsMeetFreezes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{Plan: func(s driver.Spec) drivertest.Plan {
			n := time.Duration(len(s.Worker)+int(s.Worker[7])) * ms
			return drivertest.Plan{StartDelay: 200 * ms, PauseDelay: n, ResumeDelay: n / 3}
		}}, drowsy(3))
		b.run()
		b.pass(6 * time.Second)
		var all sync.WaitGroup
		for i := range 400 {
			b.pass(time.Duration(i*i%1999) * ms)
			for range i%4 + 1 {
				all.Go(func() {
					if o := <-b.send(time.Duration(i%50) * ms); o.err != nil {
						t.Errorf("request %d: %+v", i, o)
					}
				})
			}
		}
		all.Wait()
		if froze, woke := len(b.driver.Calls("pause")), len(b.driver.Calls("resume")); froze < 5 || woke < 5 {
			t.Errorf("%d freezes and %d wakes prove nothing", froze, woke)
		}
		b.end()
	})
}
