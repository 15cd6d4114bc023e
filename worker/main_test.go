package worker

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newWorker is a worker named w1 whose tasks take exactly 100 ms.
func newWorker(t *testing.T, opts Options) *Worker {
	t.Helper()
	if opts.ID == "" {
		opts.ID = "w1"
	}
	if opts.Duration == nil {
		opts.Duration = &Range{Min: 100 * time.Millisecond, Max: 100 * time.Millisecond}
	}
	w, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// send is one request, answered in this goroutine.
func send(ctx context.Context, w *Worker, method, path, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

func post(t *testing.T, w *Worker, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	return send(t.Context(), w, http.MethodPost, path, "application/json", body)
}

func get(t *testing.T, w *Worker) string {
	t.Helper()
	return send(t.Context(), w, http.MethodGet, "/", "", "").Body.String()
}

func wantAnswer(t *testing.T, rec *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if rec.Code != status || rec.Body.String() != body {
		t.Errorf("got %d %s, want %d %s", rec.Code, rec.Body, status, body)
	}
}

// memory is a listener and a dialer without sockets, so that a whole server can live in a synctest bubble.
type memory struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
}

func newMemory() *memory {
	done := make(chan struct{})
	return &memory{conns: make(chan net.Conn), done: done, close: sync.OnceFunc(func() { close(done) })}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error { m.close(); return nil }

func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 8080} }

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case m.conns <- theirs:
		return ours, nil
	case <-m.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: m.dial, DisableKeepAlives: true}}
}

// planner is what a worker registers with: it answers each call with the next status, the last one for ever, 0 being a refused
// connection, and keeps what it was sent.
type planner struct {
	statuses []int

	mu    sync.Mutex
	calls []plannerCall // guarded by mu
}

type plannerCall struct {
	after time.Duration // since the first call
	at    time.Time
	line  string // method and URL
	body  string

	contentType string
}

func (p *planner) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c := plannerCall{at: time.Now(), line: r.Method + " " + r.URL.String(), body: string(body), contentType: r.Header.Get("Content-Type")}
	if len(p.calls) > 0 {
		c.after = c.at.Sub(p.calls[0].at)
	}
	p.calls = append(p.calls, c)
	status := p.statuses[min(len(p.calls), len(p.statuses))-1]
	if status == 0 {
		return nil, net.ErrClosed
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(bytes.NewReader([]byte("ok")))}, nil
}

func (p *planner) seen() []plannerCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]plannerCall(nil), p.calls...)
}
