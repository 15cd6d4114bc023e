package scaler

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

func steady(p *config.Pool) { p.Workers = config.Workers{Min: 2, Max: 4, Spare: 1, SpareMax: 1} }

func TestAHoldLetsAStartInFlightFinishAndBeginsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(time.Second), pool("mult", steady))
		b.run()
		began := time.Now()
		if err := b.scaler.Hold(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 900*time.Millisecond || took > 2*time.Second {
			t.Errorf("it held after %v, the starts take 1s", took)
		}
		b.want("mult", 2, 1)
		started := len(b.driver.Calls("start"))
		for _, w := range b.fleet.Workers() {
			b.fleet.Fail(w.ID, "broke")
		}
		b.pass(10 * time.Second)
		if n := len(b.driver.Calls("start")); n != started || len(b.driver.Calls("stop")) > 0 {
			t.Errorf("held, it started %d workers and stopped %d", n-started, len(b.driver.Calls("stop")))
		}
		if err := b.scaler.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.pass(5 * time.Second)
		b.want("mult", 2, 1)
		b.end()
	})
}

func TestAStartThatAHoldDoesNotWaitForIsRemovedAndNobodysFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.prober.deaf = func(driver.Instance) bool { return true }
		b.run()
		if err := b.scaler.Hold(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		b.pass(5 * time.Second)
		if left := b.driver.Workers(); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		if trouble, ok := b.scaler.Trouble("mult"); ok {
			t.Errorf("it counts as a failure: %+v", trouble)
		}
		b.prober.mu.Lock()
		b.prober.deaf = nil
		b.prober.mu.Unlock()
		if err := b.scaler.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.pass(5 * time.Second)
		b.want("mult", 2, 1)
		b.end()
	})
}

func TestWhoLeavesTouchesNoWorkerNotEvenOneThatDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		lease, err := b.fleet.Acquire(t.Context(), fleet.Request{Capability: "mult"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.fleet.Drain(lease.Worker.ID, "asked for"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := len(b.driver.Workers())
		if err := b.scaler.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.cancel()
		<-b.ended
		lease.Release(fleet.Outcome{Kind: fleet.Served})
		if n, stops := len(b.driver.Workers()), len(b.driver.Calls("stop")); n != before || stops > 0 {
			t.Errorf("%d workers of %d are left, %d were stopped", n, before, stops)
		}
	})
}

// placed is a worker an earlier balancer started.
func placed(id string, port int) driver.Instance {
	return driver.Instance{Worker: id, Pool: "mult", Generation: "g-" + id, HostPort: port, Running: true, Address: "http://" + id}
}

func heldAs(id string, state fleet.State) fleet.Held {
	return fleet.Held{Info: fleet.Info{ID: id, Pool: "mult", Generation: "g-" + id}, State: state, Reason: "as it was"}
}

func TestWhatTheEarlierBalancerSaysOfItsWorkersCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		for i, id := range []string{"busy", "spare", "drains", "stranger", "other"} {
			b.driver.Place(placed(id, 20000+i))
		}
		b.prober.deaf = func(driver.Instance) bool { return true } // they all have something else to do
		over := make(chan struct{})
		other := heldAs("other", fleet.Active)
		other.Generation = "another worker that had this id"
		adopted, removed, err := b.scaler.AdoptFrom(t.Context(), Legacy{
			Workers: map[string]fleet.Held{
				"busy": heldAs("busy", fleet.Active), "spare": heldAs("spare", fleet.Spare), "drains": heldAs("drains", fleet.Draining), "other": other,
			},
			Starts: map[string][]time.Duration{"mult": {20 * time.Second}},
			Over:   over,
		})
		if err != nil || adopted != 3 || removed != 2 {
			t.Fatalf("%d adopted, %d removed, %v", adopted, removed, err)
		}
		for id, want := range map[string]fleet.State{"busy": fleet.Active, "spare": fleet.Spare, "drains": fleet.Active} {
			if _, state, _ := b.fleet.Worker(id); state != want {
				t.Errorf("%s is %s, want %s", id, state, want)
			}
		}
		if in := b.scaler.observe(b.scaler.pools[0], fleet.Measured{}); in.StartTime != 20*time.Second {
			t.Errorf("a start is taken to last %v", in.StartTime)
		}
		task, _ := b.fleet.Occupy("drains")
		if _, err := b.fleet.Drain("drains", "as it was"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() { defer close(b.ended); b.scaler.Run(ctx) }()
		b.cancel = cancel
		b.pass(time.Second)
		if n := len(b.driver.Calls("stop")); n > 0 {
			t.Errorf("%d workers were stopped while the earlier balancer may use them: %+v", n, b.driver.Calls("stop"))
		}
		task.Release(fleet.Outcome{Kind: fleet.Unused})
		b.pass(time.Second)
		if n := len(b.driver.Calls("stop")); n != 1 {
			t.Errorf("%d workers were stopped, want the one that drained", n)
		}
		close(over)
		b.pass(time.Second)
		if n := len(b.driver.Calls("stop")); n != 3 {
			t.Errorf("%d workers were stopped, want the two that were not adopted too", n)
		}
		b.end()
	})
}

func TestWhatWasNotAdoptedStaysWhenTheBalancerDoesNotRunAfterAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.driver.Place(placed("stranger", 20000))
		b.prober.deaf = func(driver.Instance) bool { return true }
		over := make(chan struct{})
		if _, removed, err := b.scaler.AdoptFrom(t.Context(), Legacy{Over: over}); removed != 1 || err != nil {
			t.Fatal(removed, err)
		}
		close(over)
		b.pass(time.Minute)
		if n := len(b.driver.Calls("stop")); n > 0 {
			t.Errorf("%d workers were stopped by a balancer that never ran", n)
		}
	})
}
