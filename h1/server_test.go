package h1

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const testPatience = 10 * time.Second

// served is a Server on a listener of its own.
type served struct {
	*Server
	t    *testing.T
	addr string
}

func serveWith(t *testing.T, s *Server) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.MaxHead == 0 {
		s.MaxHead = 8 << 10
	}
	if s.HeadTimeout == 0 {
		s.HeadTimeout = testPatience
	}
	if s.IdleTimeout == 0 {
		s.IdleTimeout = testPatience
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.ServeConn(c, nil) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.Close()
		wg.Wait()
	})
	return &served{s, t, l.Addr().String()}
}

func serveFunc(t *testing.T, h http.HandlerFunc) *served {
	return serveWith(t, &Server{Handler: h, Log: slog.New(slog.DiscardHandler)})
}

func (s *served) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(testPatience))
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// say sends bytes and reads until the server closes.
func (s *served) say(text string) string {
	s.t.Helper()
	c := s.dial()
	_, _ = io.WriteString(c, text)
	answer, err := io.ReadAll(c)
	if err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return withoutDates(string(answer))
}

func withoutDates(s string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "Date: ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fields := w.(FieldWriter).RequestFields()
	x, _ := fields.Get("x")
	fmt.Fprintf(w, "%s %s %s %q %s %v", r.Method, r.RequestURI, r.Host, body, x, r.Trailer)
}

func TestServerAnswers(t *testing.T) {
	s := serveFunc(t, echo)
	const end = "Connection: close\r\n"
	tests := map[string]struct{ in, want string }{
		"plain": {"GET /a?b HTTP/1.1\r\nHost: h\r\nX: y\r\n" + end + "\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 21\r\nConnection: close\r\n\r\nGET /a?b h \"\" y map[]"},
		"1.0":       {"GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\nGET /  \"\"  map[]"},
		"absolute":  {"GET http://other/p HTTP/1.1\r\nHost: h\r\n" + end + "\r\n", "GET http://other/p other \"\"  map[]"},
		"length":    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n" + end + "\r\nabc", "POST / h \"abc\"  map[]"},
		"chunked":   {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n" + end + "\r\n3\r\nabc\r\n0\r\nT: u\r\nHost: evil\r\n\r\n", "POST / h \"abc\"  map[T:[u]]"},
		"head":      {"HEAD / HTTP/1.1\r\nHost: h\r\n" + end + "\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 18\r\nConnection: close\r\n\r\n"},
		"continue":  {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n" + end + "\r\nz", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"},
		"pipelined": {"\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n" + end + "\r\n", "GET /1 h \"\"  map[]HTTP/1.1 200 OK\r\n"},
		"then bad":  {"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2\r\n\r\n", "GET /1 h \"\"  map[]HTTP/1.1 400 Bad Request\r\n"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			if got := s.say(c.in); !strings.Contains(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestServerRefuses(t *testing.T) {
	s := serveFunc(t, func(http.ResponseWriter, *http.Request) { t.Error("the handler was asked") })
	const host = "Host: h\r\n"
	tests := map[string]struct {
		in     string
		status int
	}{
		"0.9":               {"GET /\r\n\r\n", 400},
		"no host":           {"GET / HTTP/1.1\r\n\r\n", 400},
		"two hosts":         {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
		"version 1.32":      {"GET / HTTP/1.32\r\n" + host + "\r\n", 400},
		"version 3":         {"GET / HTTP/3.0\r\n" + host + "\r\n", 505},
		"h2 preface":        {"PRI * HTTP/2.0\r\n\r\n", 505},
		"method":            {"G(T / HTTP/1.1\r\n" + host + "\r\n", 400},
		"two spaces":        {"GET  / HTTP/1.1\r\n" + host + "\r\n", 400},
		"fold":              {"GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", 400},
		"space before":      {"GET / HTTP/1.1\r\n X: a\r\n" + host + "\r\n", 400},
		"bare LF":           {"GET / HTTP/1.1\n" + host + "\r\n", 400},
		"bare CR":           {"GET / HTTP/1.1\r\n" + host + "X: a\rb\r\n\r\n", 400},
		"NUL":               {"GET / HTTP/1.1\r\n" + host + "X: a\x00\r\n\r\n", 400},
		"name with space":   {"POST / HTTP/1.1\r\n" + host + "Content-Length : 5\r\n\r\n", 400},
		"length and coding": {"POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		"coding in 1.0":     {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		"gzip":              {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
		"two codings":       {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
		"two lengths":       {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
		"expect":            {"POST / HTTP/1.1\r\n" + host + "Expect: x\r\n\r\n", 417},
		"trailer":           {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\n\r\n", 400},
		"large":             {"GET / HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 9<<10) + "\r\n\r\n", 431},
		"many":              {"GET / HTTP/1.1\r\n" + host + strings.Repeat("a: b\r\n", MaxFields) + "\r\n", 431},
		"endless":           {"GET /" + strings.Repeat("a", 100<<10), 431},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			got := s.say(c.in)
			if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || !strings.Contains(got, "\r\nConnection: close\r\n") {
				t.Errorf("got %q, want %d", got, c.status)
			}
		})
	}
}

// TestServerEverySplit: how the bytes are cut into segments changes nothing.
func TestServerEverySplit(t *testing.T) {
	s := serveFunc(t, echo)
	const in = "\r\nPOST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	want := s.say(in)
	if strings.Count(want, "HTTP/1.1 200 OK") != 2 {
		t.Fatal(want)
	}
	for i := 1; i < len(in); i++ {
		near, far := net.Pipe()
		done := make(chan struct{})
		go func() { defer close(done); s.ServeConn(far, nil) }()
		go func() {
			_, _ = io.WriteString(near, in[:i])
			_, _ = io.WriteString(near, in[i:])
		}()
		got, err := io.ReadAll(near)
		<-done
		if withoutDates(string(got)) != want || err != nil {
			t.Fatalf("split at %d: %q %v", i, got, err)
		}
		_ = near.Close()
	}
}

func TestServerSeesTheClientLeave(t *testing.T) {
	began, left := make(chan struct{}), make(chan struct{})
	s := serveFunc(t, func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(left)
	})
	c := s.dial()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	_ = c.Close()
	<-left
}

func TestServerSlowHead(t *testing.T) {
	s := serveWith(t, &Server{Handler: http.NotFoundHandler(), HeadTimeout: 30 * time.Millisecond})
	if got := s.say("GET / HT"); !strings.HasPrefix(got, "HTTP/1.1 408 ") {
		t.Errorf("got %q", got)
	}
	s = serveWith(t, &Server{Handler: http.NotFoundHandler(), IdleTimeout: 30 * time.Millisecond})
	if got := s.say(""); got != "" {
		t.Errorf("got %q on a connection that asked nothing", got)
	}
}

// TestServerAbort: a handler that gives up leaves an answer that nobody can take for a whole one.
func TestServerAbort(t *testing.T) {
	s := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		length := int64(-1)
		if r.RequestURI == "/fixed" {
			length = 10
		}
		w.(FieldWriter).WriteFields(200, nil, length)
		_, _ = io.WriteString(w, "abc")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	for _, in := range []string{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET /fixed HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"} {
		c := s.dial()
		_, _ = io.WriteString(c, in)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			if !strings.Contains(in, "1.0") { // the reset may come before the head is read
				t.Fatal(err)
			}
			continue
		}
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("%q: the body seemed whole", in)
		}
	}
}

func TestServerShutdown(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	s := serveFunc(t, func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI == "/wait" {
			close(began)
			<-goOn
		}
		_, _ = io.WriteString(w, "ok")
	})
	idle, busy, fresh := s.dial(), s.dial(), s.dial()
	_, _ = io.WriteString(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if _, err := http.ReadResponse(bufio.NewReader(idle), nil); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(busy, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
	<-began
	done := make(chan error)
	go func() { done <- s.Shutdown(context.Background()) }()
	if n, err := idle.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("the idle connection: %d %v", n, err)
	}
	_, _ = io.WriteString(fresh, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if all, err := io.ReadAll(fresh); err != nil || !strings.Contains(string(all), "Connection: close") || !strings.HasSuffix(string(all), "ok") {
		t.Errorf("the connection that was just opened: %q %v", all, err)
	}
	close(goOn)
	if all, err := io.ReadAll(busy); err != nil || !strings.HasSuffix(string(all), "ok") {
		t.Errorf("the request in service: %q %v", all, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	gone, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("x"))
	if err := s.Shutdown(gone); err != nil {
		t.Errorf("nothing is left to wait for, but %v", err)
	}
}

func TestServerHijack(t *testing.T) {
	s := serveFunc(t, func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		early, _ := rw.Reader.Peek(rw.Reader.Buffered())
		_, _ = rw.WriteString("raw " + string(early))
		_ = rw.Flush()
	})
	if got := s.say("GET / HTTP/1.1\r\nHost: h\r\n\r\nearly"); got != "raw early" {
		t.Errorf("got %q", got)
	}
}
