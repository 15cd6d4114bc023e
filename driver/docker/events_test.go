package docker

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"understudy/driver"
)

// tell answers one event and ends the stream, as an engine does that goes away.
func tell(w http.ResponseWriter, id string, nano int64) {
	fmt.Fprintf(w, `{"Type":"container","Action":"kill","Actor":{"ID":%q},"timeNano":%d}`, id, nano)
}

func TestWatchSubscribesAgainWhereTheLastStreamEnded(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	since := make(chan string, 10)
	engine.script("events", first(3, func(w http.ResponseWriter, r *http.Request) bool {
		since <- r.URL.Query().Get("since")
		switch engine.count("events") {
		case 1:
			tell(w, "one", 5_000000007)
		case 2:
			return refuse(500, "boom")(w, r)
		case 3:
			tell(w, "three", 6_000000000)
		}
		return true
	}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hints := d.Watch(ctx)
	for _, want := range []driver.ID{"one", "three"} {
		if got := <-hints; got != want {
			t.Errorf("the hint is %q, want %q", got, want)
		}
	}
	if a, b, c := <-since, <-since, <-since; a != "" || b != "5.000000007" || c != "5.000000007" {
		t.Errorf("the streams began at %q, %q, %q", a, b, c)
	}
	eventually(t, "a fourth stream is open", func() bool { return engine.count("events") == 4 })
	cancel()
	if id, open := <-hints; open {
		t.Errorf("after the end came %q", id)
	}
}

func TestAStreamThatFallsSilentIsReplaced(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver(func(l *limits) { l.watch = 30 * time.Millisecond })
	d.Watch(t.Context())
	eventually(t, "a third stream is open", func() bool { return engine.count("events") >= 3 })
}

func TestWatchEndsWithItsDriver(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	hints := d.Watch(t.Context())
	eventually(t, "the stream is open", func() bool { return engine.count("events") == 1 })
	d.Close()
	if id, open := <-hints; open {
		t.Errorf("after Close came %q", id)
	}
}

func TestAWatcherThatDoesNotReadLosesHintsAndHoldsNothingUp(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	done := make(chan struct{})
	engine.script("events", first(1, func(w http.ResponseWriter, _ *http.Request) bool {
		for i := range 500 {
			tell(w, fmt.Sprint("w", i), int64(i))
		}
		close(done)
		return true
	}))
	hints := d.Watch(t.Context())
	<-done
	eventually(t, "the next stream is open", func() bool { return engine.count("events") == 2 })
	if id := <-hints; id != "w0" || len(hints) >= 500 {
		t.Errorf("first hint %q, %d more", id, len(hints))
	}
}
