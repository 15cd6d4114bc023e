package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

// The rows of docs/FAULTS.md that show at the driver and are not in the files about what they are about.

func TestD05AnAnswerThatIsLostAfterItsEffectLeavesNothing(t *testing.T) {
	for _, route := range []string{"create", "start"} { // an inspect is asked again
		engine := newFakeEngine(t)
		d := engine.driver()
		if err := d.Prepare(t.Context(), fakeSpec("a")); err != nil {
			t.Fatal(err)
		}
		engine.Script(route, enginetest.First(1, enginetest.Lose))
		if _, err := d.Start(t.Context(), fakeSpec("a")); !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("without the answer to %s Start returns %v", route, err)
		}
		engine.Eventually("the container is removed", func() bool { return len(engine.Removed()) == 1 && engine.left() == 0 })
		if n := engine.Count("create", "start"); n > 2 {
			t.Errorf("after a lost answer to %s there were %d creates and starts", route, n)
		}
	}
}

func TestD06WhatAWorkerIsTheLabelsTellWhoeverListsIt(t *testing.T) {
	engine := newFakeEngine(t)
	spec := fakeSpec("a")
	started, err := engine.driver().Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	all, err := engine.driver().List(t.Context()) // as by the next process: this driver has started nothing
	if err != nil || len(all) != 1 {
		t.Fatalf("List returns %v, %v", all, err)
	}
	got := all[0]
	if got.ID != started.ID || got.Pool != spec.Pool || got.Worker != spec.Worker || got.Generation != spec.Generation || got.Hash != spec.Hash ||
		!slices.Equal(got.Capabilities, spec.Capabilities) || got.HostPort != spec.HostPort || !got.Running {
		t.Errorf("listed is %+v, started was %+v", got, spec)
	}
}

func TestD07ContainersOfAnotherInstanceAreNoneOfOurs(t *testing.T) {
	engine := newFakeEngine(t)
	theirs := engine.driverOf("other")
	inst, err := theirs.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	nobodys := engine.Place(enginetest.Container{Name: "db", State: enginetest.Running})
	d := engine.driver()
	for _, id := range []driver.ID{inst.ID, driver.ID(nobodys), "db"} {
		if err := d.Stop(t.Context(), id, 0); err != nil {
			t.Errorf("Stop of %s: %v", id, err)
		}
		if _, err := d.Inspect(t.Context(), id); !errors.Is(err, driver.ErrNotFound) {
			t.Errorf("Inspect of %s: %v", id, err)
		}
	}
	if all, err := d.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("List returns %v, %v", all, err)
	}
	if lines, err := d.Sweep(t.Context(), false); err != nil || slices.ContainsFunc(lines, func(l string) bool { return has(l, "container") || has(l, "network") }) {
		t.Errorf("Sweep removed %q, %v", lines, err)
	}
	if engine.left() != 2 || engine.Count("kill", "remove") != 0 {
		t.Errorf("%d of 2 containers are left after %d kills and removals", engine.left(), engine.Count("kill", "remove"))
	}
}

func TestD13WhatIsToldTwiceOrInTheWrongOrderIsAHintEachTime(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	engine.Script("events", enginetest.First(1, func(w http.ResponseWriter, r *http.Request) bool {
		for _, nano := range []int64{9, 7, 9, 8} {
			tell(w, fmt.Sprint("w", nano), nano*1e9)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}))
	hints := d.Watch(t.Context())
	for _, want := range []driver.ID{"w9", "w7", "w9", "w8"} {
		if got := next(hints); got != want {
			t.Errorf("the hint is %q, want %q", got, want)
		}
	}
}

func TestD12AStreamThatOnlyRepeatsItsLastEventIsAskedForLessAndLess(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	engine.Script("events", func(w http.ResponseWriter, _ *http.Request) bool {
		tell(w, "same", 5e9)
		return true
	})
	d.Watch(t.Context())
	engine.Eventually("there was a fourth stream", func() bool { return engine.Count("events") >= 4 })
	var waits []time.Duration
	calls := slices.DeleteFunc(engine.Calls(), func(c enginetest.Call) bool { return c.Route != "events" })
	for i := range 3 {
		waits = append(waits, calls[i+1].Began.Sub(calls[i].Ended))
	}
	if waits[1] < 200*time.Millisecond || waits[2] < 400*time.Millisecond {
		t.Errorf("the waits between streams were %v", waits)
	}
}

func TestD17EveryCallEndsThoughTheEngineAnswersNothing(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	d.images.forget()
	const limit = 40 * time.Millisecond
	l := d.engine.limits // nothing is under way
	for _, each := range []*time.Duration{&l.dial, &l.inspect, &l.list, &l.signal, &l.create, &l.start, &l.remove, &l.hunt, &l.build, &l.pull, &l.stall, &l.pause, &l.resume, &l.close} {
		*each = limit
	}
	for _, route := range []string{"ping", "list", "create", "start", "kill", "pause", "unpause", "wait", "inspect", "logs", "remove",
		"networks", "network create", "network remove", "images", "image", "load", "pull", "image remove"} {
		engine.Script(route, enginetest.Hang)
	}
	ours := fakeSpec("b")
	ours.Image, ours.Pull = "app:1", driver.PullAlways
	for what, call := range map[string]func(context.Context) error{
		"List":    func(ctx context.Context) error { _, err := d.List(ctx); return err },
		"Inspect": func(ctx context.Context) error { _, err := d.Inspect(ctx, inst.ID); return err },
		"Logs":    func(ctx context.Context) error { _, err := d.Logs(ctx, inst.ID, -1, false); return err },
		"Stop":    func(ctx context.Context) error { return d.Stop(ctx, inst.ID, time.Second) },
		"Start":   func(ctx context.Context) error { _, err := d.Start(ctx, fakeSpec("b")); return err },
		"Prepare": func(ctx context.Context) error { return d.Prepare(ctx, ours) },
		"Pause":   func(ctx context.Context) error { return d.Pause(ctx, inst.ID) },
		"Resume":  func(ctx context.Context) error { return d.Resume(ctx, inst.ID) },
		"Sweep":   func(ctx context.Context) error { _, err := d.Sweep(ctx, false); return err },
	} {
		if err := call(t.Context()); !errors.Is(err, driver.ErrUnavailable) && !errors.Is(err, driver.ErrImageMissing) {
			t.Errorf("%s returns %v", what, err)
		}
	}
	engine.Eventually("no call is left in flight", func() bool { return engine.InFlight() == 0 })
}

func TestD17AContainerThatHangsTheEngineIsParkedAndOthersGoOn(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.inspect, l.parked = time.Second, time.Hour })
	stuck, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := d.Start(t.Context(), fakeSpec("b"))
	if err != nil {
		t.Fatal(err)
	}
	engine.Script("inspect", func(w http.ResponseWriter, r *http.Request) bool {
		return r.PathValue("id") == string(stuck.ID) && enginetest.Hang(w, r)
	})
	engine.ForgetCalls()
	for range 5 {
		if _, err := d.Inspect(t.Context(), stuck.ID); !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("Inspect of the one that hangs returns %v", err)
		}
		if got, err := d.Inspect(t.Context(), other.ID); err != nil || !got.Running {
			t.Errorf("Inspect of another one returns %+v, %v", got, err)
		}
	}
	if n := engine.Count("inspect"); n != 6 {
		t.Errorf("there were %d inspects, want 5 of the one and 1 of the stuck one", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	engine.Script("inspect", enginetest.Hang)
	if _, err := d.Inspect(ctx, other.ID); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Inspect by a caller without patience returns %v", err)
	}
	if d.hung.has(string(other.ID)) {
		t.Error("a container is parked because a caller was in a hurry")
	}
	engine.Script("inspect", nil)
	if err := d.remove(t.Context(), string(stuck.ID)); err != nil {
		t.Error(err)
	}
	if _, err := d.Inspect(t.Context(), stuck.ID); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("once it is removed Inspect returns %v", err)
	}
}

func TestD20TheExitOfAWorkerThatEndsAtOnceIsReadFromTheEngine(t *testing.T) {
	engine := newFakeEngineOf(t, enginetest.Options{Program: func(enginetest.Container) enginetest.Program {
		return func(p *enginetest.Process) int { fmt.Fprintln(p.Output, "no model"); return 3 }
	}})
	d := engine.driver()
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	engine.Eventually("it has ended", func() bool { return engine.Containers()[0].State == enginetest.Exited })
	exit, err := driver.Exit(t.Context(), d, inst.ID)
	if err != nil || exit == nil || exit.Code != 3 || !slices.Equal(exit.Logs, []string{"no model"}) {
		t.Errorf("its exit is %+v, %v", exit, err)
	}
}

func TestD21Code137IsOutOfMemoryOnlyWhenTheEngineSaysSo(t *testing.T) {
	for _, flagged := range []bool{true, false} {
		engine := newFakeEngine(t)
		d := engine.driver()
		inst, err := d.Start(t.Context(), fakeSpec("a"))
		if err != nil {
			t.Fatal(err)
		}
		engine.OOM(string(inst.ID), flagged)
		if exit, err := driver.Exit(t.Context(), d, inst.ID); err != nil || exit == nil || exit.Code != 137 || exit.OOM != flagged {
			t.Errorf("with the engine's flag %v its exit is %+v, %v", flagged, exit, err)
		}
	}
}

func TestD23WhatAnOperatorDoesIsAHintAndTheTruthIsAsked(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	hints := d.Watch(t.Context())
	engine.Eventually("it listens", func() bool { return engine.InFlight("events") == 1 })
	for name, end := range map[string]func(string){
		"kill": func(id string) { engine.Kill(id, "SIGKILL") },
		"rm":   engine.Remove,
	} {
		inst, err := d.Start(t.Context(), fakeSpec("a"+name))
		if err != nil {
			t.Fatal(err)
		}
		end(string(inst.ID))
		for id := range hints { // kill and die are two
			if id != inst.ID {
				continue
			}
			break
		}
		got, err := d.Inspect(t.Context(), inst.ID)
		if gone := errors.Is(err, driver.ErrNotFound); gone != (name == "rm") || !gone && (err != nil || got.Running || got.ExitCode != 137) {
			t.Errorf("after %s Inspect returns %+v, %v", name, got, err)
		}
	}
}

func TestD24AHealthCheckOfTheImageIsSwitchedOff(t *testing.T) {
	engine := newFakeEngine(t)
	if _, err := engine.driver().Start(t.Context(), fakeSpec("a")); err != nil {
		t.Fatal(err)
	}
	var sent struct{ Healthcheck struct{ Test []string } }
	if err := json.Unmarshal(engine.Containers()[0].Body, &sent); err != nil || !slices.Equal(sent.Healthcheck.Test, []string{"NONE"}) {
		t.Errorf("its health check is %q, %v", sent.Healthcheck.Test, err)
	}
}

func TestD25AWorkerThatHearsNoSignalIsForcedAfterItsGrace(t *testing.T) {
	engine := newFakeEngineOf(t, enginetest.Options{Program: func(enginetest.Container) enginetest.Program {
		return func(p *enginetest.Process) int { <-p.Context.Done(); return 137 }
	}})
	d := engine.driver()
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	const grace = 100 * time.Millisecond
	began := time.Now()
	if err := d.Stop(t.Context(), inst.ID, grace); err != nil || engine.left() != 0 || time.Since(began) < grace || time.Since(began) > 100*grace {
		t.Errorf("after %v of a grace of %v Stop returns %v with %d containers left", time.Since(began), grace, err, engine.left())
	}
	if a, b := engine.Count("kill"), engine.Count("remove"); a != 1 || b != 1 {
		t.Errorf("it was asked %d times and removed %d times", a, b)
	}
}

func TestD26AFullDiskIsTriedOnceAStartAndLeavesNothing(t *testing.T) {
	const full = "failed to copy files: write /var/lib/docker/overlay2: no space left on device"
	for _, route := range []string{"create", "start"} {
		engine := newFakeEngine(t)
		d := engine.driver()
		engine.Script(route, enginetest.Refuse(500, full))
		_, err := d.Start(t.Context(), fakeSpec("a"))
		if err == nil || !has(err.Error(), full) || errors.Is(err, driver.ErrPortTaken) || errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("with a disk that is full at %s Start returns %v", route, err)
		}
		if n := engine.Count(route); n != 1 || engine.left() != 0 {
			t.Errorf("%s was tried %d times, %d containers are left", route, n, engine.left())
		}
	}
}

func TestD27AWorkerLeavesItsNetworkToTheOthers(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	if err := d.Prepare(t.Context(), fakeSpec("w")); err != nil {
		t.Fatal(err)
	}
	made := engine.Count("network create")
	for i := range 5 {
		inst, err := d.Start(t.Context(), fakeSpec(fmt.Sprint("w", i)))
		if err == nil && i%2 == 0 {
			err = d.Stop(t.Context(), inst.ID, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := engine.driver().Start(t.Context(), fakeSpec("next")); err != nil { // as by the next process
		t.Fatal(err)
	}
	if n := engine.Count("network create"); n != made || len(engine.Networks()) != 1 {
		t.Errorf("%d more networks were made, %v are there", n-made, engine.Networks())
	}
}

func TestD29TwentyStartsAtOnceAreNeverMoreThanFourCalls(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	if err := d.Prepare(t.Context(), fakeSpec("x")); err != nil {
		t.Fatal(err)
	}
	engine.Script("create", enginetest.Delay(5*time.Millisecond))
	engine.Script("start", enginetest.Delay(5*time.Millisecond))
	done := make(chan struct{})
	var starts, looks sync.WaitGroup
	for i := range 20 {
		starts.Go(func() {
			inst, err := d.Start(t.Context(), fakeSpec(fmt.Sprint("w", i)))
			if err == nil && i%2 == 0 {
				err = d.Stop(t.Context(), inst.ID, time.Second)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	looks.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if _, err := d.List(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
	})
	starts.Wait()
	close(done)
	looks.Wait()
	if n := engine.Most(); n > 4 || n < 3 {
		t.Errorf("%d calls were in flight at a time", n)
	}
	if engine.left() != 10 {
		t.Errorf("%d containers are left", engine.left())
	}
}

func TestD31AWorkerIsPublishedOnceSoThatItCostsOneProxy(t *testing.T) {
	engine := newFakeEngine(t)
	spec := fakeSpec("a")
	if _, err := engine.driver().Start(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("map[8080/tcp:[{127.0.0.1 %d}]]", spec.HostPort)
	if got := fmt.Sprint(engine.Containers()[0].Ports); got != want {
		t.Errorf("it is published as %s, want %s", got, want)
	}
}

func TestD32TheEnginesClockOnlyOrdersAList(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	for i, skew := range []time.Duration{0, time.Hour, -time.Hour} {
		inst, err := d.Start(t.Context(), fakeSpec(fmt.Sprint("w", i)))
		if err != nil {
			t.Fatal(err)
		}
		engine.Edit(string(inst.ID), func(c *enginetest.Container) { c.Created = c.Created.Add(skew) })
	}
	all, err := d.List(t.Context())
	if err != nil || len(all) != 3 || all[0].Worker != "w2" || all[2].Worker != "w1" {
		t.Errorf("List returns %+v, %v", all, err)
	}
}
