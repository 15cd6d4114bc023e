package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/drivertest"
)

func TestAWorkerIsAskedWithItsOwnStopSignal(t *testing.T) {
	for own, want := range map[string]string{"": "SIGTERM", "SIGQUIT": "SIGQUIT"} {
		engine := newFakeEngine(t)
		d := engine.driver()
		inst, err := d.Start(t.Context(), fakeSpec("a"))
		if err != nil {
			t.Fatal(err)
		}
		engine.containers[string(inst.ID)].config.StopSignal = own
		var got string
		engine.script("kill", func(_ http.ResponseWriter, r *http.Request) bool {
			got = r.URL.Query().Get("signal")
			return false
		})
		if err := d.Stop(t.Context(), inst.ID, time.Minute); err != nil || got != want {
			t.Errorf("with stop signal %q it is asked with %q: %v", own, got, err)
		}
	}
}

func TestAStopThatIsCancelledMayBeTriedAgain(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	engine.script("wait", hang)
	ctx, cancel := context.WithCancel(t.Context())
	engine.script("kill", func(http.ResponseWriter, *http.Request) bool { cancel(); return false })
	if err := d.Stop(ctx, inst.ID, time.Hour); !errors.Is(err, context.Canceled) || engine.left() != 1 {
		t.Errorf("Stop returns %v with %d containers left", err, engine.left())
	}
	engine.script("kill", nil)
	if err := d.Stop(t.Context(), inst.ID, 10*time.Millisecond); err != nil || engine.left() != 0 {
		t.Errorf("the second Stop returns %v with %d containers left", err, engine.left())
	}
}

func TestStopsThatWaitForTheirGraceHoldNothingUp(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	var ids []driver.ID
	for i := range 8 {
		spec := fakeSpec(fmt.Sprint("w", i))
		inst, err := d.Start(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, inst.ID)
	}
	free := make(chan struct{})
	engine.script("wait", func(_ http.ResponseWriter, r *http.Request) bool { <-free; return false })
	var group sync.WaitGroup
	for _, id := range ids {
		group.Go(func() {
			if err := d.Stop(t.Context(), id, time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "all eight wait", func() bool { return engine.count("wait") == 8 })
	if _, err := d.Start(t.Context(), fakeSpec("other")); err != nil {
		t.Errorf("Start, while eight stops wait: %v", err)
	}
	close(free)
	group.Wait()
	if engine.left() != 1 {
		t.Errorf("%d containers are left", engine.left())
	}
}

func TestAPausedWorkerIsForcedAtOnce(t *testing.T) {
	d := realDriver(t)
	inst := mustStart(t, d, workerSpec(t, "a"))
	if err := d.engine.api.ContainerPause(t.Context(), string(inst.ID)); err != nil {
		t.Fatal(err)
	}
	if all, err := d.List(t.Context()); err != nil || len(all) != 1 || !all[0].Running {
		t.Errorf("paused, it is listed as %+v, %v", all, err)
	}
	if err := d.Stop(t.Context(), inst.ID, time.Hour); err != nil { // the test's own deadline would tell
		t.Errorf("Stop: %v", err)
	}
	if all, _ := d.List(t.Context()); len(all) != 0 || !drivertest.Free(inst.HostPort) {
		t.Errorf("left behind: %+v", all)
	}
}

func TestAContainerOfSomebodyElseIsNeverTouched(t *testing.T) {
	d, other := realDriver(t), realDriver(t)
	theirs := mustStart(t, other, workerSpec(t, "a"))
	if err := d.Stop(t.Context(), theirs.ID, 0); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if _, err := d.Inspect(t.Context(), theirs.ID); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("Inspect: %v", err)
	}
	if _, err := d.Logs(t.Context(), theirs.ID, -1, false); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("Logs: %v", err)
	}
	ask(t, theirs, "/")
}
