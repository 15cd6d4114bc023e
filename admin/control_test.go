package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
)

func TestHealthAndReadiness(t *testing.T) {
	s := newStage(t)
	ok, why := false, "pool general has 0 of 1 workers"
	s.Ready = func() (bool, string) { return ok, why }
	h := New(s.Options)
	w := do(h, "GET", "/readyz", nil, "")
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if w.Code != 503 || codeOf(t, w) != "not-ready" || p.Detail != why || w.Header().Get("Retry-After") == "" {
		t.Errorf("not ready: %d %s", w.Code, w.Body)
	}
	if w := do(h, "GET", "/healthz", nil, ""); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("health while not ready: %d %q", w.Code, w.Body)
	}
	if st := s.statusOf(t, h); st.Ready || st.NotReady != why {
		t.Errorf("status says ready %v, %q", st.Ready, st.NotReady)
	}
	ok, why = true, ""
	if w := do(h, "GET", "/readyz", nil, ""); w.Code != 200 || w.Body.String() != "{\"ready\":true}\n" {
		t.Errorf("ready: %d %q", w.Code, w.Body)
	}
	if st := s.statusOf(t, h); !st.Ready {
		t.Error("status says not ready")
	}
}

func (s *stage) statusOf(t *testing.T, h http.Handler) Status {
	t.Helper()
	var st Status
	if err := json.Unmarshal(do(h, "GET", "/api/v1/status", nil, "").Body.Bytes(), &st); err != nil {
		t.Fatal(err)
	}
	return st
}

func TestQuitIsAcceptedAndBegun(t *testing.T) {
	s := newStage(t)
	w := do(New(s.Options), "POST", "/api/v1/quit", nil, "")
	if w.Code != 202 || s.quits != 1 {
		t.Errorf("%d, quit called %d times", w.Code, s.quits)
	}
}

func TestDrainTakesOneWorkerOut(t *testing.T) {
	s := newStage(t)
	h := New(s.Options)
	for try := range 2 { // asking twice changes nothing
		w := do(h, "DELETE", "/api/v1/workers/w1", nil, "")
		if w.Code != 202 || len(s.drained) != 1 || s.drained[0] != "w1" {
			t.Fatalf("try %d: %d %s, drained %v", try, w.Code, w.Body, s.drained)
		}
	}
	for _, worker := range s.statusOf(t, h).Pools[0].Workers {
		if draining := worker.State == "draining"; draining != (worker.ID == "w1") {
			t.Errorf("%s is %s", worker.ID, worker.State)
		}
	}
}

func TestDrainSaysWhyNot(t *testing.T) {
	s := newStage(t)
	h := New(s.Options)
	if w := do(h, "DELETE", "/api/v1/workers/nobody", nil, ""); w.Code != 404 || codeOf(t, w) != "unknown-worker" {
		t.Errorf("unknown: %d %s", w.Code, w.Body)
	}
	s.fleet.Fail("w1", "it broke")
	if w := do(h, "DELETE", "/api/v1/workers/w1", nil, ""); w.Code != 409 || codeOf(t, w) != "cannot-drain" {
		t.Errorf("failed: %d %s", w.Code, w.Body)
	}
	if len(s.drained) > 0 {
		t.Errorf("drained %v", s.drained)
	}
}

func TestAWorkerIDMayHaveCharactersThatAPathEscapes(t *testing.T) {
	s := newStage(t)
	const id = "http://a/b c"
	f := s.fleet
	s.add(t, infoOf(id))
	if w := do(New(s.Options), "DELETE", "/api/v1/workers/http:%2F%2Fa%2Fb%20c", nil, ""); w.Code == 202 {
		if _, state, _ := f.Worker(id); state.String() != "draining" {
			t.Errorf("%s is %s", id, state)
		}
	} else {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestDrainGoesOnWhenTheClientLeaves(t *testing.T) {
	s := newStage(t)
	var ended error
	s.Drain = func(ctx context.Context, _ string) error { ended = ctx.Err(); return nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, _ := http.NewRequestWithContext(ctx, "DELETE", "/api/v1/workers/w1", nil)
	r.Host = "localhost"
	New(s.Options).ServeHTTP(discard{}, r)
	if ended != nil {
		t.Errorf("drain was called with a context that had ended: %v", ended)
	}
}

// discard is an answer that nobody reads.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func TestRegisterAndWorkersArePassedOn(t *testing.T) {
	s := newStage(t)
	h := New(s.Options)
	if w := do(h, "POST", "/register", map[string]string{"Content-Type": "application/json"}, "{}"); w.Code != 200 || w.Body.String() != "ok" {
		t.Errorf("register: %d %s", w.Code, w.Body)
	}
	if w := do(h, "GET", "/workers", nil, ""); w.Code != 200 || w.Body.String() != "workers" {
		t.Errorf("workers: %d %s", w.Code, w.Body)
	}
	if w := do(h, "GET", "/metrics", nil, ""); w.Code != 200 || w.Body.String() != "metrics" {
		t.Errorf("metrics: %d %s", w.Code, w.Body)
	}
}

func TestLogsAreStreamedAsTheyAre(t *testing.T) {
	s := newStage(t)
	var follows []bool
	s.Logs = func(_ context.Context, pool string, follow bool, w io.Writer) error {
		follows = append(follows, follow)
		_, err := io.WriteString(w, pool+" | <b>hello</b> \x1b[31m\n")
		return err
	}
	h := New(s.Options)
	for _, query := range []string{"?pool=general", "?pool=general&follow=1", "?pool=general&follow=true", "?pool=general&follow=0"} {
		w := do(h, "GET", "/api/v1/logs"+query, nil, "")
		if w.Code != 200 || w.Body.String() != "general | <b>hello</b> \x1b[31m\n" || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || !w.Flushed {
			t.Errorf("%s: %d %q %v", query, w.Code, w.Body, w.Header())
		}
	}
	if want := []bool{false, true, true, false}; len(follows) != 4 || follows[0] || !follows[1] || !follows[2] || follows[3] {
		t.Errorf("followed %v, want %v", follows, want)
	}
}

func TestLogsSayWhyNot(t *testing.T) {
	s := newStage(t)
	h := New(s.Options)
	for _, query := range []string{"", "?pool=", "?pool=nobody", "?pool=general%00"} {
		if w := do(h, "GET", "/api/v1/logs"+query, nil, ""); w.Code != 404 || codeOf(t, w) != "unknown-pool" {
			t.Errorf("%q: %d %s", query, w.Code, w.Body)
		}
	}
	s.Logs = func(context.Context, string, bool, io.Writer) error { return errTest }
	if w := do(New(s.Options), "GET", "/api/v1/logs?pool=general", nil, ""); w.Code != 502 || codeOf(t, w) != "no-logs" {
		t.Errorf("an engine that is away: %d %s", w.Code, w.Body)
	}
}

func TestLogsThatBreakOffDoNotLookComplete(t *testing.T) {
	s := newStage(t)
	s.Logs = func(_ context.Context, _ string, _ bool, w io.Writer) error {
		io.WriteString(w, "half\n")
		return errTest
	}
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("the answer ended with %v, want it cut off", err)
		}
	}()
	do(New(s.Options), "GET", "/api/v1/logs?pool=general", nil, "")
}
