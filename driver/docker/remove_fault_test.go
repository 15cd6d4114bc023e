package docker

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

func TestARemovalThatFailsGoesOnInTheBackground(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.remove = 100 * time.Millisecond })
	engine.Script("start", enginetest.Refuse(500, "boom"))
	engine.Script("remove", enginetest.First(1, enginetest.Hang))
	if _, err := d.Start(t.Context(), fakeSpec("a")); err == nil || !has(err.Error(), "boom") {
		t.Fatalf("Start returns %v", err)
	}
	eventually(t, "it is removed", func() bool { return engine.left() == 0 })
}

func TestD10ARemovalSomebodyElseHasBegunIsWaitedFor(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	engine.Script("remove", func(w http.ResponseWriter, r *http.Request) bool {
		engine.Script("inspect", enginetest.Hang) // as an engine does that removes the container
		if engine.Count("remove") == 3 {
			engine.Remove(string(inst.ID))
			return false
		}
		return enginetest.Refuse(409, "removal of container id1 is already in progress")(w, r)
	})
	if err := d.Stop(t.Context(), inst.ID, 0); err != nil {
		t.Errorf("Stop returns %v", err)
	}
	if engine.left() != 0 || engine.Count("remove") != 3 {
		t.Errorf("Stop came back with %d containers left, after %d removals", engine.left(), engine.Count("remove"))
	}
}

func TestD10AStopDuringARemovalThatTheEngineIsSlowAtWaitsForIt(t *testing.T) {
	engine := newFakeEngine(t)
	inst, err := engine.driver().Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	d := engine.driver(func(l *limits) { l.inspect, l.parked = 100*time.Millisecond, 60*time.Millisecond })
	engine.ForgetCalls()
	engine.Script("inspect", func(w http.ResponseWriter, r *http.Request) bool {
		if engine.Count("inspect") < 3 {
			return enginetest.Hang(w, r)
		}
		engine.Remove(string(inst.ID))
		return false
	})
	if err := d.Stop(t.Context(), inst.ID, 0); err != nil {
		t.Errorf("Stop returns %v", err)
	}
	if engine.left() != 0 || engine.Count("inspect") < 3 || engine.Count("remove") != 0 {
		t.Errorf("Stop came back with %d containers left, after %d inspects and %d removals", engine.left(), engine.Count("inspect"), engine.Count("remove"))
	}
}

func TestD11ARemovalThatNeverEndsIsAnError(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.remove = 100 * time.Millisecond })
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	for status, text := range map[int]string{409: "removal of container id1 is already in progress", 500: "device or resource busy"} {
		engine.Script("remove", enginetest.Refuse(status, text))
		if err := d.Stop(t.Context(), inst.ID, 0); err == nil {
			t.Errorf("Stop succeeds although the engine says %q", text)
		}
	}
	if n := engine.Count("remove"); n < 3 { // the busy one is tried again
		t.Errorf("a busy container was removed %d times, want more", n)
	}
	patient := engine.driver()
	engine.Script("remove", enginetest.First(1, enginetest.Refuse(500, "device or resource busy")))
	if err := patient.Stop(t.Context(), inst.ID, 0); err != nil || engine.left() != 0 {
		t.Errorf("once it is no more busy, Stop returns %v", err)
	}
}

func TestSweepRemovesNothingWhenAnyOfItsListsFails(t *testing.T) {
	for _, route := range []string{"list", "networks", "images"} {
		engine := newFakeEngine(t)
		d := engine.driver()
		if _, err := d.Start(t.Context(), fakeSpec("a")); err != nil {
			t.Fatal(err)
		}
		engine.Script(route, enginetest.Cut("["))
		before := engine.Count("network remove")
		lines, err := d.Sweep(t.Context(), false)
		if !errors.Is(err, driver.ErrUnavailable) || lines != nil {
			t.Errorf("without %s Sweep returns %q, %v", route, lines, err)
		}
		if engine.left() != 1 || engine.Count("network remove") != before {
			t.Errorf("without %s Sweep removed something", route)
		}
	}
}

func TestSweepGoesOnPastWhatCannotBeRemovedAndSaysSo(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	if _, err := d.Start(t.Context(), fakeSpec("a")); err != nil {
		t.Fatal(err)
	}
	engine.Script("network remove", enginetest.Refuse(403, "network has active endpoints"))
	lines, err := d.Sweep(t.Context(), false)
	if err == nil || !has(err.Error(), "active endpoints") || len(lines) != 2 || lines[0] != "container understudy-fake-pool-a" || !has(lines[1], "image ") {
		t.Errorf("Sweep returns %q, %v", lines, err)
	}
}

func TestSweepLeavesAWorkerImageThatIsInUseAgain(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	engine.Script("images", func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `[{"Id":"sha256:1","RepoTags":["understudy-worker:1"]},{"Id":"sha256:2","RepoTags":["understudy-worker:2","theirs:1"]},
			{"Id":"sha256:3","RepoTags":["<none>:<none>"]},{"Id":"sha256:4","RepoTags":["theirs:2"]}]`)
		return true
	})
	engine.Script("image remove", func(w http.ResponseWriter, r *http.Request) bool {
		switch r.PathValue("ref") {
		case "understudy-worker:1":
			return enginetest.Refuse(409, "conflict: container x is using its referenced image")(w, r)
		case "sha256:3": // another sweep was quicker
			return enginetest.Refuse(500, "unrecognized image ID sha256:3")(w, r)
		}
		return false
	})
	want := []string{"image sha256:3", "image understudy-worker:2"}
	if lines, err := d.Sweep(t.Context(), false); err != nil || !slices.Equal(lines, want) {
		t.Errorf("Sweep returns %q, %v, want %q", lines, err, want)
	}
	engine.PutImage("understudy-worker:1", "", nil)
	engine.PutImage("understudy-worker:2", "", nil)
	engine.Script("image remove", enginetest.Refuse(500, "boom"))
	if lines, err := d.Sweep(t.Context(), false); err == nil || !has(err.Error(), "boom") || !slices.Equal(lines, want[:1]) {
		t.Errorf("with an image that cannot be removed Sweep returns %q, %v", lines, err)
	}
}

// Of two sweeps that take an image's names at once neither may have taken the last one.
func TestSweepRemovesAnImageThatLostItsLastNameMeanwhile(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	engine.Script("images", func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `[{"Id":"sha256:1","RepoTags":["understudy-worker:1"]},{"Id":"sha256:2","RepoTags":["understudy-worker:2","theirs:1"]}]`)
		return true
	})
	engine.Script("image", func(w http.ResponseWriter, r *http.Request) bool {
		names := map[string]string{"sha256:1/json": "", "sha256:2/json": `"theirs:1"`}
		left, known := names[r.PathValue("ref")]
		if known {
			fmt.Fprintf(w, `{"Id":"x","RepoTags":[%s]}`, left)
		}
		return known
	})
	var removed []string
	engine.Script("image remove", func(w http.ResponseWriter, r *http.Request) bool {
		removed = append(removed, r.PathValue("ref"))
		fmt.Fprint(w, "[]")
		return true
	})
	d.engine.changes = make(chan struct{}, 1) // one removal after the other
	if _, err := d.Sweep(t.Context(), false); err != nil {
		t.Error(err)
	}
	slices.Sort(removed)
	if want := []string{"sha256:1", "understudy-worker:1", "understudy-worker:2"}; !slices.Equal(removed, want) {
		t.Errorf("removed are %q, want %q", removed, want)
	}
}
