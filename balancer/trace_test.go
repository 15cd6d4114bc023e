package balancer

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/fleet"
)

// story is a Tracer that keeps what it is told as words.
type story struct {
	mu    sync.Mutex
	words []string
	asked int
}

func (s *story) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words = append(s.words, fmt.Sprintf(format, args...))
}

func (s *story) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.words)
}

func (s *story) Request(_ time.Time, parent, state string) Span {
	s.say("request %s|%s", parent, state)
	return s
}

func (s *story) Queue(from, to time.Time) {
	if to.Before(from) {
		s.say("backwards")
	}
	s.say("queue")
}

func (s *story) Ask(_ time.Time, worker, _ string) (parent, state string) {
	s.mu.Lock()
	s.asked++
	n := s.asked
	s.mu.Unlock()
	s.say("ask %s", worker)
	return fmt.Sprintf("ours-%d", n), "state"
}

func (s *story) Asked(_ time.Time, status int, err error) { s.say("asked %d %v", status, err != nil) }
func (s *story) End(_ time.Time, v Visit) {
	s.say("end %d %s %s %s %s", v.Status, v.Method, v.Capability, v.Pool, v.Worker)
}

// traced is a balancer with a tracer, nil for none, and workers that show what trace they were given.
func traced(t *testing.T, tracer Tracer, workers ...http.Handler) *Balancer {
	t.Helper()
	f := fleetOf(general())
	b := New(Options{Fleet: f, Config: testConfig(), Tracer: tracer, Prober: newScript()})
	for i, h := range workers {
		id := fmt.Sprintf("w%d", i+1)
		if _, err := f.Add(fleet.Info{ID: id, Pool: "general", Address: serve(t, h.ServeHTTP).URL, Origin: fleet.Cold}); err != nil {
			t.Fatal(err)
		}
		f.Ready(id, "", len(workers))
		t.Cleanup(func() { f.Remove(id) })
	}
	return b
}

func showTrace(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%v %v", r.Header["Traceparent"], r.Header["Tracestate"])
}

func ask(b *Balancer, fields ...string) string {
	r := httptest.NewRequest(http.MethodGet, "/mult", nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Body)
	return string(text)
}

func TestWithoutTracesTheClientsPassThrough(t *testing.T) {
	b := traced(t, nil, http.HandlerFunc(showTrace))
	if got := ask(b, "Traceparent", "theirs", "Tracestate", "a=1"); got != "[theirs] [a=1]" {
		t.Errorf("the worker got %s", got)
	}
}

func TestWithTracesTheWorkerGetsOurSpan(t *testing.T) {
	s := &story{}
	b := traced(t, s, http.HandlerFunc(showTrace))
	if got := ask(b, "Traceparent", "theirs", "Tracestate", "a=1", "Tracestate", "b=2"); got != "[ours-1] [state]" {
		t.Errorf("the worker got %s", got)
	}
	want := []string{"request theirs|a=1,b=2", "queue", "ask w1", "asked 200 false", "end 200 GET mult general w1"}
	if got := s.told(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	ask(b, "Traceparent", "one", "Traceparent", "two", "Tracestate", "a=1")
	if got := s.told(); got[5] != "request |" {
		t.Errorf("two parents: %q", got[5:])
	}
}

func TestEachAttemptIsAChildAndSoIsEachWait(t *testing.T) {
	s := &story{}
	cut := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	b := traced(t, s, cut, http.HandlerFunc(showTrace))
	if got := ask(b); got != "[ours-2] [state]" {
		t.Fatalf("the worker got %s; %q", got, s.told())
	}
	want := []string{"request |", "queue", "ask w1", "asked 0 true", "queue", "ask w2", "asked 200 false", "end 200 GET mult general w2"}
	if got := s.told(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestARequestThatReachesNoWorkerIsTracedToo(t *testing.T) {
	s := &story{}
	b := traced(t, s)
	r := httptest.NewRequest("BREW", "/nobody-has-this", nil)
	b.ServeHTTP(httptest.NewRecorder(), r)
	if got := strings.Join(s.told(), ", "); got != "request |, end 404 BREW   " {
		t.Errorf("got %q", got)
	}
}

func TestTracesThatAreOffCostNothing(t *testing.T) {
	x := &exchange{b: traced(t, nil), r: httptest.NewRequest(http.MethodGet, "/mult", nil)}
	x.try.x = x
	room := make([]byte, 0, 64)
	n := testing.AllocsPerRun(100, func() {
		x.beginTrace()
		x.queued(time.Time{})
		x.try.traceAsk()
		x.try.traceAsked()
		x.endTrace()
		if x.traced("Traceparent") || len(x.appendTrace(room)) > 0 {
			t.Error("it is on")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
