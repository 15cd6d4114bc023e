package scaler

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAPoolGetsItsMinimumAndASpareAndGivesEverythingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(500*time.Millisecond), pool("mult", func(p *config.Pool) { p.Workers.Min = 2 }))
		b.run()
		if ok, waiting := b.scaler.Settled(); ok || waiting != "mult" {
			t.Errorf("settled before a worker was ready: %v %q", ok, waiting)
		}
		b.pass(3 * time.Second)
		b.want("mult", 2, 1)
		if ok, waiting := b.scaler.Settled(); !ok {
			t.Errorf("not settled: %q", waiting)
		}
		seen := map[int]bool{}
		for _, c := range b.driver.Calls("start") {
			if seen[c.Port] {
				t.Errorf("port %d was given twice", c.Port)
			}
			seen[c.Port] = true
			if c.Spec.Generation == "" || !strings.Contains(strings.Join(c.Spec.Env, " "), "UNDERSTUDY_IDENTITY="+c.Spec.Generation) {
				t.Errorf("the worker was not given its identity: %v", c.Spec.Env)
			}
		}
		for _, target := range b.prober.asked {
			if target.Identity == "" {
				t.Errorf("%s may be anybody: the built-in worker must show its identity", target.Address)
			}
		}
		b.end()
	})
}

func TestThePromotedSpareIsReplacedAndStepsBackForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(500*time.Millisecond), pool("mult", nil))
		b.run()
		b.pass(3 * time.Second)
		b.want("mult", 1, 1)
		wait := b.serve("mult", 2, 2*time.Second)
		synctest.Wait()
		b.want("mult", 2, 0) // in the arrival's own call, no time has passed
		b.pass(1500 * time.Millisecond)
		if got := b.states("mult"); got[fleet.Active]+got[fleet.Spare]+got[fleet.Starting] < 3 {
			t.Errorf("the spare is not replaced: %v", got)
		}
		wait()
		b.pass(60 * time.Second)
		b.want("mult", 1, 1)
		b.end()
	})
}

func TestWaitingRequestsGetNewWorkersAndPortsAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(500*time.Millisecond), pool("mult", nil))
		b.run()
		b.pass(3 * time.Second)
		for range 9 {
			wait := b.serve("mult", 12, 400*time.Millisecond)
			wait()
			if n := b.states("mult")[fleet.Active]; n < 3 {
				t.Errorf("%d workers after a burst of 12", n)
			}
			b.pass(90 * time.Second)
			b.want("mult", 1, 1)
		}
		if n := len(b.driver.Calls("start")); n <= 20 {
			t.Errorf("%d starts do not show that 20 ports are used again", n)
		}
		if s := b.ports.Status(); s.Leased != 2 || len(s.Quarantined) != 0 {
			t.Errorf("ports: %+v", s)
		}
		b.end()
	})
}

func TestWhoStandsInAQueueThatNothingCanHelpIsToldSoSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(500*time.Millisecond), pool("mult", func(p *config.Pool) { p.Workers.Max = 2 }))
		b.run()
		b.pass(3 * time.Second)
		var mu sync.Mutex
		var served int
		var refused []time.Duration // how long those waited that came after 3 s
		var wg sync.WaitGroup
		for i := range 300 { // 30/s for ten seconds, on two workers that can do 20/s
			wg.Go(func() {
				began := time.Now()
				lease, err := b.fleet.Acquire(context.Background(), fleet.Request{Capability: "mult"})
				if err == nil {
					<-time.After(100 * time.Millisecond)
					lease.Release(fleet.Outcome{Kind: fleet.Served})
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					served++
				case i > 90:
					refused = append(refused, time.Since(began))
				}
			})
			<-time.After(time.Second / 30)
		}
		wg.Wait()
		if served < 180 {
			t.Errorf("%d were served of the 200 that two workers can do", served)
		}
		if len(refused) == 0 || slices.Max(refused) > 300*time.Millisecond {
			t.Errorf("%d were refused, after up to %v; want them told within the target of 300 ms", len(refused), slices.Max(append(refused, 0)))
		}
		b.pass(5 * time.Second)
		wait := b.serve("mult", 3, 600*time.Millisecond)
		b.pass(time.Millisecond)
		lease, err := b.fleet.Acquire(t.Context(), fleet.Request{Capability: "mult"})
		if err != nil {
			t.Fatalf("a request in a calm time: %v, want it to wait for its turn", err)
		}
		lease.Release(fleet.Outcome{Kind: fleet.Served})
		wait()
		b.end()
	})
}

func TestAWorkerThatExitsAtOnceIsTriedLessAndLessOftenAndExplained(t *testing.T) {
	t.Run("before it is ready", func(t *testing.T) { testCrashLoop(t, false) })
	t.Run("just after it was ready", func(t *testing.T) { testCrashLoop(t, true) })
}

func testCrashLoop(t *testing.T, getsReady bool) {
	synctest.Test(t, func(t *testing.T) {
		crash := drivertest.FakeOptions{Plan: func(s driver.Spec) drivertest.Plan {
			if s.Pool == "good" {
				return drivertest.Plan{}
			}
			return drivertest.Plan{Exit: true, ExitAfter: 100 * time.Millisecond, ExitCode: 7, Logs: []string{"no such file: model.bin"}}
		}}
		b := newBench(t, crash, pool("bad", nil), pool("good", nil))
		b.prober.deaf = func(inst driver.Instance) bool { return inst.Pool == "bad" && !getsReady }
		b.run()
		b.pass(5 * time.Minute)
		starts := 0
		for _, c := range b.driver.Calls("start") {
			if c.Spec.Pool == "bad" {
				starts++
			}
		}
		if starts < 5 || starts > 14 {
			t.Errorf("%d starts in five minutes, want the 1, 2, 4 .. 60 s of the back-off", starts)
		}
		trouble, ok := b.scaler.Trouble("bad")
		if !ok || trouble.Code != 7 || len(trouble.Logs) != 1 || trouble.Logs[0] != "no such file: model.bin" {
			t.Errorf("trouble: %+v", trouble)
		}
		b.want("good", 1, 1)
		if _, err := b.fleet.Acquire(t.Context(), fleet.Request{Capability: "bad"}); !errors.Is(err, fleet.ErrNoWorker) {
			t.Errorf("a client of the bad pool gets %v", err)
		}
		if ok, _ := b.scaler.Settled(); !ok {
			t.Error("a pool that cannot start keeps the balancer from being ready")
		}
		b.end()
	})
}

func TestAMissingImageMakesItsPoolUnavailableAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		missing := drivertest.FakeOptions{Plan: func(s driver.Spec) drivertest.Plan {
			if s.Pool == "bad" {
				return drivertest.Plan{StartErr: driver.ErrImageMissing}
			}
			return drivertest.Plan{}
		}}
		b := newBench(t, missing, pool("bad", nil), pool("good", nil))
		b.run()
		b.pass(2 * time.Second)
		b.want("good", 1, 1)
		var status fleet.PoolStatus
		for _, p := range b.fleet.Status() {
			if p.Name == "bad" {
				status = p
			}
		}
		if !strings.Contains(status.Unavailable, "image") {
			t.Errorf("unavailable: %q", status.Unavailable)
		}
		b.end()
	})
}

func TestAPortSomebodyHoldsIsSkippedAndShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(100*time.Millisecond), pool("mult", nil))
		b.foreign[20000] = true // found by our own probe
		b.driver.Occupy(20001)  // found by the engine only
		b.run()
		b.pass(2 * time.Second)
		b.want("mult", 1, 1)
		s := b.ports.Status()
		if len(s.Quarantined) != 2 || s.Quarantined[0].Port != 20000 || s.Quarantined[1].Port != 20001 {
			t.Errorf("quarantined: %+v", s.Quarantined)
		}
		if _, trouble := b.scaler.Trouble("mult"); trouble {
			t.Error("a taken port counts as the worker's failure")
		}
		b.end()
	})
}

func TestWithoutAFreePortThePoolIsNotGrownAndSaysSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(100*time.Millisecond), pool("mult", nil))
		for port := 20002; port < 20020; port++ {
			b.foreign[port] = true
		}
		b.run()
		b.pass(2 * time.Second)
		b.want("mult", 1, 1)
		wait := b.serve("mult", 10, 300*time.Millisecond)
		wait()
		b.pass(time.Second)
		trouble, ok := b.scaler.Trouble("mult")
		if !ok || !strings.Contains(trouble.Error, "20000-20019") {
			t.Errorf("trouble: %+v", trouble)
		}
		notes := 0
		for _, e := range b.journal.Last(1000) {
			if strings.Contains(e.Note, "no free port") {
				notes++
			}
		}
		if notes != 1 {
			t.Errorf("%d notes about it in the journal, want 1", notes)
		}
		b.end()
	})
}

func TestAReloadChangesTheBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(100*time.Millisecond), pool("mult", nil))
		b.run()
		b.pass(2 * time.Second)
		b.want("mult", 1, 1)
		next := *b.cfg
		next.Pools = []config.Pool{pool("mult", func(p *config.Pool) { p.Workers.Min = 4 })}
		b.scaler.Reload(t.Context(), &next)
		b.pass(2 * time.Second)
		b.want("mult", 4, 1)
		b.end()
	})
}

func TestNoMoreThanFourStartsAreInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(time.Second), pool("a", func(p *config.Pool) { p.Workers.Min = 6 }), pool("b", func(p *config.Pool) { p.Workers.Min = 6 }))
		b.run()
		b.pass(500 * time.Millisecond)
		if n := len(b.driver.Calls("start")); n != maxParallelStarts {
			t.Errorf("%d starts at once", n)
		}
		b.pass(10 * time.Second)
		b.want("a", 6, 1)
		b.want("b", 6, 1)
		b.end()
	})
}
