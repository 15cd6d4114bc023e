package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"understudy/admin"
)

// answering is a balancer that can be switched off.
type answering struct{ off atomic.Bool }

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.off.Load() {
		return nil, syscall.ECONNREFUSED
	}
	var answer any = admin.Status{Instance: "blue", Ready: true, Pools: []admin.Pool{{Name: "general", TargetMS: 300, P95MS: 120, Workers: []admin.Worker{{ID: "w1", State: "active"}}}}}
	if strings.HasSuffix(r.URL.Path, "decisions") {
		answer = admin.Decisions{}
	}
	text, err := json.Marshal(answer)
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(text)), Request: r}, err
}

// watching is a monitor over a fake balancer. Each step sends one event and yields what was drawn then.
type watching struct {
	*answering
	t       *testing.T
	drawn   chan string
	tick    chan time.Time
	resized chan os.Signal
	stop    context.CancelFunc
	ended   chan error
	width   atomic.Int32
}

// Write implements io.Writer: a frame is one write.
func (w *watching) Write(p []byte) (int, error) {
	w.drawn <- string(p)
	return len(p), nil
}

func watch(t *testing.T, screen bool, env ...string) *watching {
	w := &watching{
		answering: &answering{}, t: t, drawn: make(chan string), tick: make(chan time.Time), resized: make(chan os.Signal), ended: make(chan error, 1),
	}
	w.width.Store(80)
	at := time.Unix(1_000_000, 0)
	m := &monitor{
		session: session{env: env, out: w}, screen: screen, size: func() (int, int) { return int(w.width.Load()), 10 },
		now:    func() time.Time { at = at.Add(time.Second); return at },
		client: admin.Client{Base: "http://127.0.0.1:1", HTTP: &http.Client{Transport: w}},
	}
	if err := m.ask(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.stop = cancel
	go func() { w.ended <- m.run(ctx, w.tick, w.resized) }()
	return w
}

func TestWatchRedrawsInPlaceAndSurvivesARestart(t *testing.T) {
	w := watch(t, true, "LANG=C.UTF-8")
	first := <-w.drawn
	if !strings.HasPrefix(first, home) || strings.Contains(first, "\x1b[2J") || !strings.HasSuffix(first, restOfLine+restOfAll) || !strings.Contains(first, "w1") {
		t.Errorf("the first frame is %q", first)
	}
	if n := strings.Count(first, "\r\n"); n >= 10 || strings.Count(strings.ReplaceAll(first, "\r\n", ""), "\n") > 0 {
		t.Errorf("%d line breaks on a screen of 10 lines: %q", n, first)
	}
	w.off.Store(true)
	w.tick <- time.Time{}
	if gone := <-w.drawn; !strings.Contains(gone, "not reachable, trying again (0 s): nothing listens there") || !strings.Contains(gone, "w1") {
		t.Errorf("gone: %q", gone)
	}
	w.tick <- time.Time{}
	if gone := <-w.drawn; !strings.Contains(gone, "trying again (1 s)") {
		t.Errorf("still gone: %q", gone)
	}
	w.off.Store(false)
	w.tick <- time.Time{}
	if back := <-w.drawn; strings.Contains(back, "not reachable") || !strings.Contains(back, "blue") {
		t.Errorf("back: %q", back)
	}
	w.width.Store(50)
	w.resized <- syscall.SIGWINCH
	for line := range strings.SplitSeq(<-w.drawn, restOfLine) {
		if len(strings.Trim(line, "\r\n")) > 50+len(home)+8 {
			t.Errorf("too wide after the resize: %q", line)
		}
	}
	w.stop()
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
}

func TestWatchWithoutATerminalPrintsBlocks(t *testing.T) {
	w := watch(t, false, "LANG=C")
	first := <-w.drawn
	if strings.Contains(first, "\x1b") || !strings.HasSuffix(first, "\n\n") || !strings.Contains(first, "general") {
		t.Errorf("got %q", first)
	}
	if i := strings.IndexFunc(first, func(r rune) bool { return r > '~' }); i >= 0 {
		t.Errorf("no ASCII: %q", first[i:])
	}
	w.tick <- time.Time{}
	if again := <-w.drawn; !strings.Contains(again, "general") {
		t.Errorf("then %q", again)
	}
	w.stop()
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
}

func TestTheLocaleSaysWhatATerminalShows(t *testing.T) {
	for env, want := range map[string]bool{
		"": true, "LANG=en_US.UTF-8": true, "LANG=C": false, "LC_ALL=POSIX LANG=en_US.UTF-8": false, "LC_CTYPE=de_DE.utf8 LANG=C": true,
	} {
		if got := speaksUnicode(strings.Fields(env)); got != want {
			t.Errorf("%q: %v", env, got)
		}
	}
}
