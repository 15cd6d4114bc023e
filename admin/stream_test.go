package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy/scaler"
)

// event is one server-sent event.
type event struct{ name, id, data string }

// eventsIn splits what a stream has sent; comments are events named ":".
func eventsIn(text string) []event {
	var out []event
	for block := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
		var e event
		for line := range strings.SplitSeq(block, "\n") {
			switch field, value, _ := strings.Cut(line, ": "); field {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				e.data = value
			case "":
				e.name = ":"
			case "retry":
				e.name = "retry"
			}
		}
		out = append(out, e)
	}
	return out
}

func count(events []event, name string) (n int) {
	for _, e := range events {
		if e.name == name {
			n++
		}
	}
	return n
}

// answer keeps what a handler writes while it still runs.
type answer struct {
	mu     sync.Mutex
	header http.Header
	status int
	body   strings.Builder
}

func newAnswer() *answer { return &answer{header: http.Header{}} }

func (a *answer) Header() http.Header { return a.header }
func (a *answer) Flush()              {}
func (a *answer) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status = status
}

func (a *answer) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.body.Write(b)
}

func (a *answer) events() []event {
	a.mu.Lock()
	defer a.mu.Unlock()
	return eventsIn(a.body.String())
}

// streamTo opens a stream in the background; done is closed when it has ended.
func streamTo(ctx context.Context, h http.Handler, lastID string) (a *answer, done chan struct{}) {
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/stream", nil)
	r.Host = "localhost"
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	a, done = newAnswer(), make(chan struct{})
	go func() { defer close(done); h.ServeHTTP(a, r) }()
	return a, done
}

func TestAStreamBeginsWithWhatIsAndWasAndGoesOnWithWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		a, done := streamTo(ctx, s.live(ctx), "")
		synctest.Wait()
		got := a.events()
		if len(got) != 3 || got[0].name != "retry" || got[1].name != "status" || got[2].name != "history" {
			t.Fatalf("at once: %v", got)
		}
		var st Status
		if err := json.Unmarshal([]byte(got[1].data), &st); err != nil || st.Instance != "default" || len(st.Pools) != 2 {
			t.Errorf("status %+v, %v", st, err)
		}
		s.journal.Add(entry("general", 2, 3, "first"))
		s.journal.Add(entry("general", 3, 4, "second\nline"))
		wait(t, time.Second)
		s.journal.Add(entry("general", 4, 5, "third"))
		wait(t, 2*time.Second)
		got = a.events()
		if count(got, "status") != 1 || count(got, "history") != 1 || count(got, "change") != 3 {
			t.Errorf("in 3 s: %v", got)
		}
		checkDecisions(t, got, []uint64{2, 3, 4})
		cancel()
		<-done
		if h := a.Header(); h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("header %v", h)
		}
	})
}

// wait lets virtual time pass.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
	synctest.Wait()
}

func checkDecisions(t *testing.T, events []event, want []uint64) {
	t.Helper()
	var got []uint64
	for _, e := range events {
		if e.name != "decision" {
			continue
		}
		var d Decision
		if err := json.Unmarshal([]byte(e.data), &d); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(e.id, fmt.Sprint("-", d.Number)) {
			t.Errorf("decision %d has the id %q", d.Number, e.id)
		}
		got = append(got, d.Number)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("decisions %v, want %v", got, want)
	}
}

func TestAStreamGoesOnWhereTheClientLeftOff(t *testing.T) {
	for name, c := range map[string]struct {
		id   func(s *stage) string
		want []uint64 // before number 4, which comes later
	}{
		"no id: only what is new":           {func(*stage) string { return "" }, nil},
		"the last but one":                  {func(s *stage) string { return fmt.Sprint(s.Start.UnixMilli(), "-2") }, []uint64{3}},
		"none missed":                       {func(s *stage) string { return fmt.Sprint(s.Start.UnixMilli(), "-3") }, nil},
		"of another process: everything":    {func(*stage) string { return "1-3" }, []uint64{1, 2, 3}},
		"no number":                         {func(*stage) string { return "x" }, []uint64{1, 2, 3}},
		"beyond the end":                    {func(s *stage) string { return fmt.Sprint(s.Start.UnixMilli(), "-99") }, nil},
		"a number that is none, own prefix": {func(s *stage) string { return fmt.Sprint(s.Start.UnixMilli(), "--5") }, []uint64{1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				s.journal.Add(entry("general", 2, 3, "second"))
				s.journal.Add(entry("general", 3, 4, "third"))
				ctx, cancel := context.WithCancel(t.Context())
				a, done := streamTo(ctx, s.live(ctx), c.id(s))
				wait(t, 3*time.Second)
				s.journal.Add(entry("general", 4, 5, "fourth"))
				wait(t, time.Second)
				checkDecisions(t, a.events(), append(c.want, 4))
				cancel()
				<-done
			})
		})
	}
}

func TestAStreamMissesNoMoreThanTheJournalForgot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		j := scaler.NewJournal(3)
		s.Journal = j
		ctx, cancel := context.WithCancel(t.Context())
		a, done := streamTo(ctx, s.live(ctx), "")
		synctest.Wait()
		for i := range 10 {
			j.Add(entry("general", i, i+1, "burst"))
		}
		wait(t, 3*time.Second)
		checkDecisions(t, a.events(), []uint64{8, 9, 10})
		cancel()
		<-done
	})
}

func TestAStreamMissesNothingWhileTheJournalGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		j := &growing{Journal: scaler.NewJournal(50)}
		s.Journal = j
		ctx, cancel := context.WithCancel(t.Context())
		a, done := streamTo(ctx, s.live(ctx), "")
		synctest.Wait()
		j.grow = 3 // one more at each of the reads to come
		j.Add(entry("general", 0, 1, "seen at the next tick"))
		wait(t, 3*time.Second)
		checkDecisions(t, a.events(), []uint64{1, 2, 3, 4})
		cancel()
		<-done
	})
}

func TestAStreamOverARealConnection(t *testing.T) {
	feeding, stop := context.WithCancel(t.Context())
	s := newStage(t)
	server := httptest.NewServer(s.live(feeding))
	defer func() {
		server.Close()
		stop()
		<-s.Feed.ended
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/stream", nil)
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: {") {
			cancel()
		}
	}
	if ctx.Err() == nil {
		t.Errorf("the stream ended before it sent anything: %v", lines.Err())
	}
	res.Body.Close()
}
