package drivertest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/driver"
	"understudy/driver/drivertest"
)

// spec is a worker of that name at that port.
func spec(worker string, port int) driver.Spec {
	return driver.Spec{Pool: "p", Worker: worker, HostPort: port}
}

// planned makes a Fake all of whose workers have that plan.
func planned(p drivertest.Plan) *drivertest.Fake {
	return drivertest.NewFake(drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan { return p }})
}

func TestTheFakesDelaysAreExactInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := planned(drivertest.Plan{StartDelay: 3 * time.Second, StopDelay: 5 * time.Second, Exit: true, ExitAfter: time.Minute})
		began := time.Now()
		a, err := fake.Start(t.Context(), spec("a", 1))
		if err != nil || time.Since(began) != 3*time.Second {
			t.Fatalf("Start took %s: %v", time.Since(began), err)
		}
		b, _ := fake.Start(t.Context(), spec("b", 2))
		for _, stop := range []struct {
			inst        driver.Instance
			grace, want time.Duration
		}{{a, time.Minute, 5 * time.Second}, {b, time.Second, time.Second}} {
			began = time.Now()
			if err := fake.Stop(t.Context(), stop.inst.ID, stop.grace); err != nil || time.Since(began) != stop.want {
				t.Errorf("Stop with grace %s took %s, want %s: %v", stop.grace, time.Since(began), stop.want, err)
			}
		}
		c, _ := fake.Start(t.Context(), spec("c", 1))
		hints := fake.Watch(t.Context())
		began = time.Now()
		if id := <-hints; id != c.ID || time.Since(began) != time.Minute {
			t.Errorf("the end of %s was told of %s after %s", c.ID, id, time.Since(began))
		}
		if got, _ := fake.Inspect(t.Context(), c.ID); got.Running {
			t.Errorf("after its end it is %+v", got)
		}
	})
}

func TestAWorkerOfTheFakeIsListedAsNotRunningWhileItStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := planned(drivertest.Plan{StartDelay: time.Second})
		done := make(chan error)
		go func() {
			_, err := fake.Start(t.Context(), spec("a", 1))
			done <- err
		}()
		synctest.Wait()
		if all := fake.Workers(); len(all) != 1 || all[0].Running {
			t.Errorf("during the start the list is %+v", all)
		}
		if calls := fake.Calls("start"); len(calls) != 1 || !calls[0].Ended.IsZero() {
			t.Errorf("during the start the calls are %+v", calls)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if all := fake.Workers(); len(all) != 1 || !all[0].Running {
			t.Errorf("after the start the list is %+v", all)
		}
	})
}

func TestAStartOfTheFakeThatFailsOrIsCancelledLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		fake := drivertest.NewFake(drivertest.FakeOptions{Plan: func(s driver.Spec) drivertest.Plan {
			if s.Worker == "fails" {
				return drivertest.Plan{StartDelay: time.Second, StartErr: boom}
			}
			return drivertest.Plan{StartDelay: time.Hour}
		}})
		if _, err := fake.Start(t.Context(), spec("fails", 1)); err != boom {
			t.Errorf("Start returns %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := fake.Start(ctx, spec("slow", 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Start returns %v", err)
		}
		if all := fake.Workers(); len(all) != 0 {
			t.Errorf("left behind: %+v", all)
		}
		if calls := fake.Calls("start"); len(calls) != 2 || calls[0].Err != boom || calls[0].Ended.Sub(calls[0].Began) != time.Second {
			t.Errorf("recorded: %+v", calls)
		}
	})
}

func TestAPortGivenToTwoWorkersIsAFaultOfTheCaller(t *testing.T) {
	fake := drivertest.NewFake(drivertest.FakeOptions{})
	fake.Occupy(9)
	if _, err := fake.Start(t.Context(), spec("a", 9)); !errors.Is(err, driver.ErrPortTaken) || len(fake.Faults()) != 0 {
		t.Errorf("a foreign port: %v, faults %q; want ErrPortTaken and no fault", err, fake.Faults())
	}
	fake.Vacate(9)
	a, err := fake.Start(t.Context(), spec("a", 9))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fake.Start(t.Context(), spec("b", 9)); !errors.Is(err, driver.ErrPortTaken) {
		t.Errorf("our own port: %v, want ErrPortTaken", err)
	}
	fake.Start(t.Context(), spec("a", 8))
	if got := strings.Join(fake.Faults(), "; "); got != "port 9 of worker a is given to b; worker a is started twice" {
		t.Errorf("faults are %q", got)
	}
	if fake.Stop(t.Context(), a.ID, 0); len(fake.Workers()) != 1 {
		t.Errorf("left: %+v", fake.Workers())
	}
	if _, err := fake.Start(t.Context(), spec("c", 9)); err != nil {
		t.Errorf("the freed port: %v", err)
	}
}

func TestTheFakesScriptedFailuresComeOncePerError(t *testing.T) {
	fake := drivertest.NewFake(drivertest.FakeOptions{})
	one, two := errors.New("one"), errors.New("two")
	calls := map[string]func() error{
		"start":   func() error { _, err := fake.Start(t.Context(), spec("a", 1)); return err },
		"stop":    func() error { return fake.Stop(t.Context(), "fake-1", 0) },
		"list":    func() error { _, err := fake.List(t.Context()); return err },
		"prepare": func() error { return fake.Prepare(t.Context(), spec("a", 1)) },
		"sweep":   func() error { _, err := fake.Sweep(t.Context(), true); return err },
		"inspect": func() error { _, err := fake.Inspect(t.Context(), "x"); return err },
		"logs":    func() error { _, err := fake.Logs(t.Context(), "x", 1, false); return err },
	}
	for op, call := range calls {
		fake.FailNext(op, one, two)
		if a, b, c := call(), call(), call(); a != one || b != two || c == one || c == two {
			t.Errorf("%s returns %v, %v, %v", op, a, b, c)
		}
		away := fmt.Errorf("away: %w", driver.ErrUnavailable)
		fake.SetDown(away)
		if err := call(); err != away {
			t.Errorf("%s of an engine that is away returns %v", op, err)
		}
		fake.SetDown(nil)
	}
}

func TestWorkersOfTheFakeDieVanishAndArePlacedByAnothersHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := drivertest.NewFake(drivertest.FakeOptions{})
		hints := fake.Watch(t.Context())
		old := fake.Place(driver.Instance{ID: "ignored", Worker: "old", HostPort: 7, Running: true, Generation: "g", Capabilities: []string{"x"}})
		if _, err := fake.Start(t.Context(), spec("b", 7)); !errors.Is(err, driver.ErrPortTaken) {
			t.Errorf("the port of the worker that was there: %v", err)
		}
		if !fake.Kill("old", 9) || <-hints != old || fake.Kill("nobody", 1) {
			t.Error("Kill did not kill the one and spare the other")
		}
		if got := fake.Workers()[0]; got.Running || got.ExitCode != 9 || got.Generation != "g" {
			t.Errorf("killed, it is %+v", got)
		}
		if !fake.Vanish("old") || <-hints != old || fake.Vanish("old") || len(fake.Workers()) != 0 {
			t.Error("Vanish left it there")
		}
	})
}

func TestACancelledStopOfTheFakeMayBeTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := planned(drivertest.Plan{StopDelay: time.Minute})
		inst, _ := fake.Start(t.Context(), spec("a", 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := fake.Stop(ctx, inst.ID, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop returns %v", err)
		}
		if !fake.Workers()[0].Running {
			t.Error("it does not run any more")
		}
		if err := fake.Stop(t.Context(), inst.ID, time.Hour); err != nil || len(fake.Workers()) != 0 {
			t.Errorf("the second Stop returns %v", err)
		}
		stops := fake.Calls("stop")
		if !slices.EqualFunc(stops, []string{"a", "a"}, func(c drivertest.Call, worker string) bool { return c.Worker == worker }) {
			t.Errorf("recorded: %+v", stops)
		}
	})
}
