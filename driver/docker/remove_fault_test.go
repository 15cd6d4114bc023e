package docker

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"understudy/driver"
)

func TestARemovalThatFailsGoesOnInTheBackground(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.remove = 100 * time.Millisecond })
	engine.script("start", refuse(500, "boom"))
	engine.script("remove", first(1, hang))
	if _, err := d.Start(t.Context(), fakeSpec("a")); err == nil || !has(err.Error(), "boom") {
		t.Fatalf("Start returns %v", err)
	}
	eventually(t, "it is removed", func() bool { return engine.left() == 0 })
}

func TestARemovalSomebodyElseHasBegunIsWaitedFor(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	engine.script("remove", refuse(409, "removal of container id1 is already in progress"))
	looks := engine.count("inspect")
	engine.script("inspect", func(w http.ResponseWriter, r *http.Request) bool {
		if engine.count("inspect") == looks+4 {
			engine.mu.Lock()
			clear(engine.containers)
			engine.mu.Unlock()
		}
		return false
	})
	if err := d.Stop(t.Context(), inst.ID, 0); err != nil {
		t.Errorf("Stop returns %v", err)
	}
	if engine.left() != 0 || engine.count("remove") != 1 {
		t.Errorf("Stop came back with %d containers left, after %d removals", engine.left(), engine.count("remove"))
	}
}

func TestARemovalThatNeverEndsIsAnError(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.remove = 100 * time.Millisecond })
	inst, err := d.Start(t.Context(), fakeSpec("a"))
	if err != nil {
		t.Fatal(err)
	}
	for status, text := range map[int]string{409: "removal of container id1 is already in progress", 500: "device or resource busy"} {
		engine.script("remove", refuse(status, text))
		if err := d.Stop(t.Context(), inst.ID, 0); err == nil {
			t.Errorf("Stop succeeds although the engine says %q", text)
		}
	}
	if n := engine.count("remove"); n < 3 { // the busy one is tried again
		t.Errorf("a busy container was removed %d times, want more", n)
	}
	engine.script("remove", first(1, refuse(500, "device or resource busy")))
	if err := d.Stop(t.Context(), inst.ID, 0); err != nil || engine.left() != 0 {
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
		engine.script(route, cut("["))
		lines, err := d.Sweep(t.Context(), false)
		if !errors.Is(err, driver.ErrUnavailable) || lines != nil {
			t.Errorf("without %s Sweep returns %q, %v", route, lines, err)
		}
		if engine.left() != 1 || engine.count("network remove") != 0 {
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
	engine.script("network remove", refuse(403, "network has active endpoints"))
	lines, err := d.Sweep(t.Context(), false)
	if err == nil || !has(err.Error(), "active endpoints") || !slices.Equal(lines, []string{"container understudy-fake-pool-a"}) {
		t.Errorf("Sweep returns %q, %v", lines, err)
	}
}

func TestSweepLeavesAWorkerImageThatIsInUseAgain(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	engine.script("images", func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `[{"Id":"sha256:1","RepoTags":["understudy-worker:1"]},{"Id":"sha256:2","RepoTags":["understudy-worker:2","theirs:1"]},
			{"Id":"sha256:3","RepoTags":["<none>:<none>"]},{"Id":"sha256:4","RepoTags":["theirs:2"]}]`)
		return true
	})
	engine.script("image remove", func(w http.ResponseWriter, r *http.Request) bool {
		switch r.PathValue("ref") {
		case "understudy-worker:1":
			return refuse(409, "conflict: container x is using its referenced image")(w, r)
		case "sha256:3": // another sweep was quicker
			return refuse(500, "unrecognized image ID sha256:3")(w, r)
		}
		return false
	})
	want := []string{"image sha256:3", "image understudy-worker:2"}
	if lines, err := d.Sweep(t.Context(), false); err != nil || !slices.Equal(lines, want) {
		t.Errorf("Sweep returns %q, %v, want %q", lines, err, want)
	}
	engine.images["understudy-worker:1"], engine.images["understudy-worker:2"] = "", ""
	engine.script("image remove", refuse(500, "boom"))
	if lines, err := d.Sweep(t.Context(), false); err == nil || !has(err.Error(), "boom") || !slices.Equal(lines, want[:1]) {
		t.Errorf("with an image that cannot be removed Sweep returns %q, %v", lines, err)
	}
}
