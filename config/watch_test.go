package config

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// watched is a Watcher that runs on ticks of the test's own.
type watched struct {
	*Watcher
	ticks chan time.Time
	calls int
}

// watching runs a test in a bubble, in which a tick has been dealt with once the watcher waits again.
func watching(t *testing.T, file string, test func(*testing.T, *watched)) {
	t.Helper()
	watchingAfter(t, file, func() {}, test)
}

// watchingAfter is watching, with something that happens after the watcher was made and before it runs.
func watchingAfter(t *testing.T, file string, between func(), test func(*testing.T, *watched)) {
	t.Helper()
	watchingOf(t, func() *Watcher { return NewWatcher(file) }, between, test)
}

func watchingOf(t *testing.T, made func() *Watcher, between func(), test func(*testing.T, *watched)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &watched{Watcher: made(), ticks: make(chan time.Time)}
		ctx, cancel := context.WithCancel(t.Context())
		between()
		go w.run(ctx, w.ticks, func() { w.calls++ })
		test(t, w)
		cancel()
		synctest.Wait() // run has returned, or the bubble would never end
	})
}

// see lets the watcher look once; want is how often it has called onChange by then.
func (w *watched) see(t *testing.T, want int) {
	t.Helper()
	w.ticks <- time.Time{}
	synctest.Wait()
	if w.calls != want {
		t.Errorf("onChange was called %d times, want %d", w.calls, want)
	}
}

// stamp writes a text in place and gives it a time of modification, so that the test does not hang on the resolution of a clock.
func stamp(t *testing.T, file, text string, second int64) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, time.Time{}, time.Unix(second, 0)); err != nil {
		t.Fatal(err)
	}
}

func TestAChangeCountsOnceItHasStayedTheSameForATick(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	stamp(t, file, "a", 1)
	watching(t, file, func(t *testing.T, w *watched) {
		w.see(t, 0)
		stamp(t, file, "half", 2)
		w.see(t, 0)
		stamp(t, file, "half a file", 3)
		w.see(t, 0)
		w.see(t, 1)
		w.see(t, 1)
		stamp(t, file, "same length", 4)
		w.see(t, 1)
		w.see(t, 2)
		stamp(t, file, "other length, same time", 4)
		w.see(t, 2)
		w.see(t, 3)
		stamp(t, file, "OTHER length, later time", 5)
		stamp(t, file, "other LENGTH, later time", 6)
		w.see(t, 3)
		w.see(t, 4)
	})
}

func TestAChangeThatWasLoadedForAnotherReasonIsToldNoMore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	stamp(t, file, "a", 1)
	watching(t, file, func(t *testing.T, w *watched) {
		stamp(t, file, "b", 2)
		w.Loading()
		w.see(t, 0)
		w.see(t, 0)
		stamp(t, file, "c", 3)
		w.see(t, 0)
		w.Loading() // between two looks of which the second would have told
		w.see(t, 0)
		stamp(t, file, "d", 4)
		w.see(t, 0)
		w.see(t, 1)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		w.Loading() // in vain
		w.see(t, 1)
		stamp(t, file, "d", 4)
		w.see(t, 1)
		w.see(t, 2)
	})
}

func TestFilesThatAreLoadedTogetherCountOnceAllHaveStayedTheSame(t *testing.T) {
	dir := t.TempDir()
	one, two, three := filepath.Join(dir, "1"), filepath.Join(dir, "2"), filepath.Join(dir, "3")
	for _, file := range []string{one, two, three} {
		stamp(t, file, "a", 1)
	}
	files := []string{one, two}
	watchingOf(t, func() *Watcher { return NewWatcherOf(func() []string { return files }) }, func() {}, func(t *testing.T, w *watched) {
		stamp(t, one, "b", 2)
		w.see(t, 0)
		stamp(t, two, "b", 2)
		w.see(t, 0)
		w.see(t, 1)
		if err := os.Remove(two); err != nil {
			t.Fatal(err)
		}
		w.see(t, 1)
		w.see(t, 1)
		stamp(t, two, "c", 3)
		w.see(t, 1)
		w.see(t, 2)
		files = []string{one, three} // others are a change, and none at all is one to be told of as well
		w.see(t, 2)
		w.see(t, 3)
		files = nil
		w.see(t, 3)
		w.see(t, 4)
		w.see(t, 4)
	})
}

func TestAFileOfTheSameSizeAndTimeIsNoticedWhenItIsAnotherFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	stamp(t, file, "a", 1)
	watching(t, file, func(t *testing.T, w *watched) {
		stamp(t, file+".new", "b", 1)
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
		w.see(t, 0)
		w.see(t, 1)
	})
}

func TestASymbolicLinkThatIsSwitchedIsNoticed(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		stamp(t, filepath.Join(dir, version, "c.yaml"), "a", 1)
	}
	link := func(version string) {
		if err := os.Symlink(version, filepath.Join(dir, "next")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "data")); err != nil {
			t.Fatal(err)
		}
	}
	link("v1")
	if err := os.Symlink("data/c.yaml", filepath.Join(dir, "c.yaml")); err != nil {
		t.Fatal(err)
	}
	watching(t, filepath.Join(dir, "c.yaml"), func(t *testing.T, w *watched) {
		w.see(t, 0)
		link("v2")
		w.see(t, 0)
		w.see(t, 1)
	})
}

func TestAFileThatIsGoneIsWaitedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	watching(t, file, func(t *testing.T, w *watched) {
		w.see(t, 0)
		stamp(t, file, "a", 1)
		w.see(t, 0)
		w.see(t, 1)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		w.see(t, 1)
		w.see(t, 1)
		stamp(t, file, "b", 2)
		w.see(t, 1)
		w.see(t, 2)
	})
}

func TestAChangeBetweenNewWatcherAndRunIsNoticed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	stamp(t, file, "a", 1)
	watchingAfter(t, file, func() { stamp(t, file, "b", 2) }, func(t *testing.T, w *watched) {
		w.see(t, 0)
		w.see(t, 1)
		w.see(t, 1)
	})
}

func TestWatchLooksOnceASecondUntilItsContextEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	stamp(t, file, "a", 1)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		changed, ended := make(chan time.Time, 1), make(chan struct{})
		go func() {
			defer close(ended)
			NewWatcher(file).Run(ctx, func() { changed <- time.Now() })
		}()
		synctest.Wait()
		start := time.Now()
		stamp(t, file, "b", 2)
		select {
		case at := <-changed:
			if took := at.Sub(start); took != 2*time.Second {
				t.Errorf("noticed after %v, want 2s", took)
			}
		case <-time.After(time.Minute):
			t.Error("not noticed in a minute")
		}
		cancel()
		<-ended
	})
}
