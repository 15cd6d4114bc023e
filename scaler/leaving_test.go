package scaler

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

func TestAWorkerThatDiesIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(100*time.Millisecond), pool("mult", nil))
		b.run()
		b.pass(2 * provenAfter)
		for _, p := range b.fleet.Status() {
			b.driver.Kill(p.Workers[0].ID, 137)
			b.driver.Vanish(p.Workers[1].ID)
		}
		b.pass(2 * time.Second)
		b.want("mult", 1, 1)
		if n := len(b.driver.Workers()); n != 2 {
			t.Errorf("the driver has %d workers: the dead one was not removed", n)
		}
		b.end()
	})
}

func TestAWorkerDrainedByRequestFinishesItsTaskAndIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(100*time.Millisecond), pool("mult", nil))
		b.run()
		b.pass(2 * time.Second)
		lease, err := b.fleet.Acquire(t.Context(), fleet.Request{Capability: "mult"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.fleet.Drain(lease.Worker.ID, "asked"); err != nil {
			t.Fatal(err)
		}
		b.pass(5 * time.Second)
		if n := len(b.driver.Calls("stop")); n != 0 {
			t.Error("it was stopped with a task in flight")
		}
		if got := b.states("mult"); got[fleet.Active] < 1 || got[fleet.Spare] < 1 || got[fleet.Draining] != 1 {
			t.Errorf("it is not replaced while it drains: %v", got)
		}
		lease.Release(fleet.Outcome{Kind: fleet.Served})
		b.pass(time.Second)
		if n := len(b.driver.Calls("stop")); n != 1 {
			t.Errorf("%d stops after it was done", n)
		}
		b.end()
	})
}

func TestATaskThatOutlivesTheDrainTimeIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Drain = 7 * time.Second }))
		b.run()
		b.pass(time.Second)
		lease, _ := b.fleet.Acquire(t.Context(), fleet.Request{Capability: "mult"})
		if _, err := b.fleet.Drain(lease.Worker.ID, "asked"); err != nil {
			t.Fatal(err)
		}
		b.pass(6 * time.Second)
		if n := len(b.driver.Calls("stop")); n != 0 {
			t.Error("stopped before its drain time")
		}
		b.pass(2 * time.Second)
		if n := len(b.driver.Calls("stop")); n != 1 {
			t.Errorf("%d stops after its drain time", n)
		}
		lease.Release(fleet.Outcome{Kind: fleet.Broke})
		b.end()
	})
}

func TestAStartThatIsCutShortByTheEndLeavesNothing(t *testing.T) {
	for name, plan := range map[string]drivertest.Plan{
		"in the driver":         {StartDelay: 10 * time.Second},
		"while it is not ready": {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan { return plan }}, pool("mult", nil))
				b.prober.deaf = func(driver.Instance) bool { return true }
				b.run()
				b.pass(time.Second)
				b.end()
				if _, trouble := b.scaler.Trouble("mult"); trouble {
					t.Error("our own end counts as the worker's failure")
				}
			})
		})
	}
}

func TestOnExitLeaveKeepsTheWorkersAndTheNextBalancerAdoptsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(100*time.Millisecond), pool("mult", nil))
		b.cfg.OnExit = onExitLeave
		b.run()
		b.pass(2 * time.Second)
		b.end()
		left := b.driver.Workers()
		if len(left) != 2 {
			t.Fatalf("%d workers were left, want 2", len(left))
		}

		next := newBench(t, drivertest.FakeOptions{}, pool("mult", nil))
		for _, inst := range left {
			next.driver.Place(inst)
		}
		next.driver.Place(driver.Instance{Worker: "dead", Pool: "mult", Generation: "x", HostPort: 20010, Address: "http://127.0.0.1:20010"})
		next.driver.Place(driver.Instance{Worker: "old", Pool: "gone", Generation: "y", HostPort: 20011, Running: true, Address: "http://127.0.0.1:20011"})
		next.run()
		next.pass(time.Second)
		next.want("mult", 1, 1)
		for _, c := range next.driver.Calls("start") {
			t.Errorf("%s was started though two workers were there", c.Worker)
		}
		if n := len(next.driver.Workers()); n != 2 {
			t.Errorf("%d workers are there, want the two adopted", n)
		}
		next.end()
	})
}

func TestAWorkerOnAnAdoptedPortIsNotAdoptedTwiceNorIsAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", nil))
		b.driver.Place(driver.Instance{Worker: "a", Pool: "mult", Generation: "g", HostPort: 20003, Running: true, Address: "http://127.0.0.1:20003"})
		b.driver.Place(driver.Instance{Worker: "b", Pool: "mult", Generation: "h", HostPort: 20004, Running: true, Address: "http://127.0.0.1:20004"})
		b.prober.deaf = func(inst driver.Instance) bool { return inst.Worker == "b" }
		adopted, removed, err := b.scaler.Adopt(t.Context())
		if adopted != 1 || removed != 1 || err != nil {
			t.Errorf("adopted %d, removed %d, %v", adopted, removed, err)
		}
		b.driver.SetDown(errors.New("away"))
		other := New(b.scaler.Options)
		if _, _, err := other.Adopt(t.Context()); err == nil {
			t.Error("an engine that is away has no workers, it seems")
		}
		b.driver.SetDown(nil)
		b.run()
		b.end()
	})
}

func TestARemovalThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", nil))
		b.run()
		b.pass(time.Second)
		b.driver.FailNext("stop", errors.New("busy"), errors.New("busy"))
		id := b.fleet.Status()[0].Workers[0].ID
		if _, err := b.fleet.Drain(id, "asked"); err != nil {
			t.Fatal(err)
		}
		b.pass(10 * time.Second)
		if n := len(b.driver.Calls("stop")); n != 3 {
			t.Errorf("%d tries", n)
		}
		b.end()
	})
}
