package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

func TestD14AListThatIsCutIsAnErrorAndNoPart(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	if _, err := d.Start(t.Context(), fakeSpec("a")); err != nil {
		t.Fatal(err)
	}
	const one = `{"Id":"id1","Labels":{"understudy.instance":"fake"},"State":"running"}`
	for name, s := range map[string]enginetest.Script{
		"between two": enginetest.Cut("[" + one + ","),
		"inside one":  enginetest.Cut("[" + one + `,{"Id":"i`),
		"an error":    enginetest.Refuse(500, "boom"),
		"garbage":     func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "["+one+",<html>]"); return true },
	} {
		engine.Script("list", s)
		all, err := d.List(t.Context())
		if err == nil || all != nil {
			t.Errorf("%s: List returns %v, %v", name, all, err)
		}
		if name != "an error" && !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("%s: %v is not ErrUnavailable", name, err)
		}
		if _, err := d.Sweep(t.Context(), false); err == nil || engine.left() != 1 {
			t.Errorf("%s: Sweep returns %v with %d containers left", name, err, engine.left())
		}
	}
}

func TestD17ACallThatHangsIsUnavailableAndOthersGoOn(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) {
		l.inspect, l.signal, l.remove = 80*time.Millisecond, 80*time.Millisecond, 200*time.Millisecond
	})
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	engine.Script("inspect", enginetest.Hang)
	engine.Script("logs", enginetest.Hang)
	for what, call := range map[string]func() error{
		"Inspect": func() error { _, err := d.Inspect(t.Context(), inst.ID); return err },
		"Stop":    func() error { return d.Stop(t.Context(), inst.ID, time.Second) },
		"Logs":    func() error { _, err := d.Logs(t.Context(), inst.ID, -1, true); return err },
	} {
		if err := call(); !errors.Is(err, driver.ErrUnavailable) || !has(err.Error(), engine.Socket(), "did not answer within 80ms") {
			t.Errorf("%s of a container that hangs the engine: %v", what, err)
		}
	}
	engine.Script("inspect", nil)
	if _, err := d.Logs(t.Context(), inst.ID, -1, true); !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("Logs whose head never comes: %v", err)
	}
	if all, err := d.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("List returns %v, %v", all, err)
	}
	d.engine.limits.inspect, d.engine.limits.remove = 10*time.Second, time.Minute // nothing is under way
	engine.Script("kill", enginetest.Hang)
	if err := d.Stop(t.Context(), inst.ID, 10*time.Millisecond); err != nil || engine.left() != 0 {
		t.Errorf("a worker that cannot be asked to end is not forced: %v", err)
	}
}

func TestD29AtMostFourCallsAreInFlightAndStartsDoNotKeepAListWaiting(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	if err := d.Prepare(t.Context(), fakeSpec("x")); err != nil {
		t.Fatal(err)
	}
	var now, most atomic.Int32
	free := make(chan struct{})
	engine.Script("create", func(http.ResponseWriter, *http.Request) bool {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		<-free
		now.Add(-1)
		return false
	})
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			if _, err := d.Start(t.Context(), fakeSpec(fmt.Sprint("w", i))); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "three creates are in flight", func() bool { return now.Load() == 3 })
	if _, err := d.List(t.Context()); err != nil {
		t.Errorf("List, while three creates hang: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := d.Start(ctx, fakeSpec("late")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a start that finds no slot in its time returns %v", err)
	}
	close(free)
	group.Wait()
	if most.Load() != 3 || engine.left() != 12 {
		t.Errorf("%d creates were in flight at a time, %d containers were made", most.Load(), engine.left())
	}
}

func TestD14AnEngineThatGoesAwayIsUnavailableForEveryCall(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.hunt = time.Millisecond })
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	d.images.forget()
	drop := enginetest.Cut("")
	for _, route := range []string{"list", "inspect", "create", "image"} {
		engine.Script(route, drop)
	}
	for what, call := range map[string]func() error{
		"List":    func() error { _, err := d.List(t.Context()); return err },
		"Inspect": func() error { _, err := d.Inspect(t.Context(), inst.ID); return err },
		"Stop":    func() error { return d.Stop(t.Context(), inst.ID, time.Second) },
		"Start":   func() error { _, err := d.Start(t.Context(), fakeSpec("b")); return err },
		"Prepare": func() error { return d.Prepare(t.Context(), fakeSpec("b")) },
	} {
		if err := call(); !errors.Is(err, driver.ErrUnavailable) || !strings.Contains(err.Error(), engine.Socket()) {
			t.Errorf("%s returns %v, want ErrUnavailable and the address", what, err)
		}
	}
}
