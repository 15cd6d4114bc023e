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
	"understudy/driver/docker/enginetest"
)

func TestAWorkerIsAskedWithItsOwnStopSignal(t *testing.T) {
	for own, want := range map[string]string{"": "SIGTERM", "SIGQUIT": "SIGQUIT"} {
		engine := newFakeEngine(t)
		d := engine.driver()
		inst, err := d.Start(t.Context(), fakeSpec("a"))
		if err != nil {
			t.Fatal(err)
		}
		engine.Edit(string(inst.ID), func(c *enginetest.Container) { c.StopSignal = own })
		var got string
		engine.Script("kill", func(_ http.ResponseWriter, r *http.Request) bool {
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
	engine.Script("wait", enginetest.Hang)
	ctx, cancel := context.WithCancel(t.Context())
	engine.Script("kill", func(http.ResponseWriter, *http.Request) bool { cancel(); return false })
	if err := d.Stop(ctx, inst.ID, time.Hour); !errors.Is(err, context.Canceled) || engine.left() != 1 {
		t.Errorf("Stop returns %v with %d containers left", err, engine.left())
	}
	engine.Script("kill", nil)
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
	engine.Script("wait", func(_ http.ResponseWriter, r *http.Request) bool { <-free; return false })
	var group sync.WaitGroup
	for _, id := range ids {
		group.Go(func() {
			if err := d.Stop(t.Context(), id, time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "all eight wait", func() bool { return engine.Count("wait") == 8 })
	if _, err := d.Start(t.Context(), fakeSpec("other")); err != nil {
		t.Errorf("Start, while eight stops wait: %v", err)
	}
	close(free)
	group.Wait()
	if engine.left() != 1 {
		t.Errorf("%d containers are left", engine.left())
	}
}
