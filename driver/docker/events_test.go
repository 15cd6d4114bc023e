package docker

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

// tell answers one event and ends the stream, as an engine does that goes away.
func tell(w http.ResponseWriter, id string, nano int64) {
	fmt.Fprintf(w, `{"Type":"container","Action":"kill","Actor":{"ID":%q},"timeNano":%d}`, id, nano)
}

func TestD12WatchSubscribesAgainWhereTheLastStreamEnded(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	since := make(chan string, 10)
	engine.Script("events", enginetest.First(3, func(w http.ResponseWriter, r *http.Request) bool {
		since <- r.URL.Query().Get("since")
		switch engine.Count("events") {
		case 1:
			tell(w, "one", 5_000000007)
		case 2:
			return enginetest.Refuse(500, "boom")(w, r)
		case 3:
			tell(w, "three", 6_000000000)
		}
		return true
	}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hints := d.Watch(ctx)
	for _, want := range []driver.ID{"one", "three"} {
		if got := next(hints); got != want {
			t.Errorf("the hint is %q, want %q", got, want)
		}
	}
	if a, b, c := <-since, <-since, <-since; a != "" || b != "5.000000007" || c != "5.000000007" {
		t.Errorf("the streams began at %q, %q, %q", a, b, c)
	}
	eventually(t, "a fourth stream is open", func() bool { return engine.Count("events") == 4 })
	cancel()
	if id := next(hints); id != "" {
		t.Errorf("after the end came %q", id)
	}
}

func TestD12AStreamThatFallsSilentIsReplaced(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.watch = 30 * time.Millisecond })
	d.Watch(t.Context())
	eventually(t, "a third stream is open", func() bool { return engine.Count("events") >= 3 })
}

func TestWatchEndsWithItsDriver(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	hints := d.Watch(t.Context())
	eventually(t, "the stream is open", func() bool { return engine.Count("events") == 1 })
	d.Close()
	if id := next(hints); id != "" {
		t.Errorf("after Close came %q", id)
	}
}

func TestD13AWatcherThatDoesNotReadLosesHintsAndHoldsNothingUp(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	done := make(chan struct{})
	engine.Script("events", enginetest.First(1, func(w http.ResponseWriter, _ *http.Request) bool {
		for i := range 500 {
			tell(w, fmt.Sprint("w", i), int64(i))
		}
		close(done)
		return true
	}))
	hints := d.Watch(t.Context())
	<-done
	eventually(t, "the next stream is open", func() bool { return engine.Count("events") == 2 })
	if id := next(hints); id != "w0" || len(hints) >= 500 {
		t.Errorf("first hint %q, %d more", id, len(hints))
	}
}

func TestD23OnlyASignalThatEndsAWorkerIsAHint(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	engine.Script("events", enginetest.First(1, func(w http.ResponseWriter, _ *http.Request) bool {
		for i, signal := range []string{"1", "SIGUSR1", "15", "9", "SIGKILL", "KILL"} {
			fmt.Fprintf(w, `{"Type":"container","Action":"kill","Actor":{"ID":"w%d","Attributes":{"signal":%q}},"timeNano":%d}`, i, signal, i)
		}
		return true
	}))
	hints := d.Watch(t.Context())
	for _, want := range []driver.ID{"w3", "w4", "w5"} {
		if got := next(hints); got != want {
			t.Errorf("the hint is %q, want %q", got, want)
		}
	}
}

// next is the next hint about a worker, or empty when there will be none.
func next(hints <-chan driver.ID) driver.ID {
	for id := range hints {
		if id != "" {
			return id
		}
	}
	return ""
}

// Where a stream begins or ends something may have been missed: whoever listens is told to look.
func TestD12ListenersAreToldWhenHintsMayHaveBeenLost(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	engine.Script("events", enginetest.First(1, func(w http.ResponseWriter, _ *http.Request) bool {
		tell(w, "one", 5e9)
		return true
	}))
	hints := d.Watch(t.Context())
	for i, want := range []driver.ID{"", "one", "", ""} { // begun, a worker, ended, begun again
		if got, open := <-hints; got != want || !open {
			t.Fatalf("hint %d is %q, want %q", i, got, want)
		}
	}
}
