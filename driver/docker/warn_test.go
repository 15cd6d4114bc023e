package docker

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/driver/docker/enginetest"
)

// syncBuffer is a log that several write.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestWhatCannotBeRemovedIsSaidOnceAndNotAtEveryStart(t *testing.T) {
	engine := newFakeEngine(t)
	var said syncBuffer
	d, err := New(t.Context(), Options{Instance: "fake", Host: engine.Host(), Binary: idleWorker(t), Log: slog.New(slog.NewTextHandler(&said, nil)),
		limits: &limits{dial: time.Second, inspect: time.Second, list: time.Second, create: time.Second, start: time.Second, wired: time.Second,
			remove: 20 * time.Millisecond, hunt: time.Millisecond, build: 20 * time.Second, close: 20 * time.Millisecond, changes: 3, reads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	engine.Script("start", enginetest.Refuse(500, "no space left on device"))
	engine.Script("remove", enginetest.Refuse(500, "no space left on device"))
	for i := range 5 {
		if _, err := d.Start(t.Context(), fakeSpec(fmt.Sprint("w", i))); err == nil {
			t.Error("Start succeeds")
		}
	}
	d.Close()
	if n := strings.Count(said.String(), "could not be removed yet"); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, said.String())
	}
}

func TestAnEngineThatWarnsOfEachContainerInOtherWordsIsNotListenedToForEver(t *testing.T) {
	engine := newFakeEngine(t)
	d := engine.driver()
	var said syncBuffer
	d.log = slog.New(slog.NewTextHandler(&said, nil))
	made := 0
	engine.Script("create", func(w http.ResponseWriter, _ *http.Request) bool {
		made++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"Id":"none","Warnings":["container %d is odd","limits are ignored"]}`, made)
		return true
	})
	for range maxWarnings + 20 {
		d.Start(t.Context(), fakeSpec("a"))
	}
	if n := strings.Count(said.String(), "is odd"); n != maxWarnings-1 {
		t.Errorf("%d of its warnings were logged", n)
	}
	if n := strings.Count(said.String(), "limits are ignored"); n != 1 {
		t.Errorf("the one that stays the same was logged %d times", n)
	}
}
