package admin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestStreamsAndLogsEndWhenTheServerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		stop, cancel := context.WithCancel(t.Context())
		s.Stop = stop
		s.Logs = func(ctx context.Context, _ string, _ bool, w io.Writer) error {
			io.WriteString(w, "first\n")
			<-ctx.Done()
			return ctx.Err()
		}
		feeding, stopFeed := context.WithCancel(t.Context())
		h := s.live(feeding)
		_, streamed := streamTo(t.Context(), h, "")
		logged := make(chan struct{})
		go func() {
			defer close(logged)
			if w := do(h, "GET", "/api/v1/logs?pool=general&follow=1", nil, ""); w.Code != 200 || w.Body.String() != "first\n" {
				t.Errorf("logs: %d %q", w.Code, w.Body)
			}
		}()
		wait(t, time.Minute)
		select {
		case <-streamed:
			t.Error("the stream ended by itself")
		case <-logged:
			t.Error("the logs ended by themselves")
		default:
		}
		cancel()
		<-streamed
		<-logged
		stopFeed()
	})
}

func TestOpenStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		h := s.live(ctx)
		var all []chan struct{}
		for range maxStreams {
			_, done := streamTo(ctx, h, "")
			all = append(all, done)
		}
		synctest.Wait()
		for _, path := range []string{"/api/v1/stream", "/api/v1/logs?pool=general"} {
			if w := do(h, "GET", path, nil, ""); w.Code != 503 || codeOf(t, w) != "too-many-streams" || w.Header().Get("Retry-After") == "" {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		if w := do(h, "GET", "/api/v1/status", nil, ""); w.Code != 200 {
			t.Errorf("status while streams are full: %d", w.Code)
		}
		cancel()
		for _, done := range all {
			<-done
		}
		if w := do(h, "GET", "/api/v1/logs?pool=general", nil, ""); w.Code != 200 {
			t.Errorf("after they left: %d %s", w.Code, w.Body)
		}
	})
}

// pipes is a listener whose connections live in memory, so that a server can run in virtual time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial(t *testing.T) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	select {
	case p.conns <- server:
	case <-p.closed:
		t.Fatal("the server is closed")
	}
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081} }

func TestAClientThatNeverReadsIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		feeding, stopFeed := context.WithCancel(t.Context())
		plane := s.live(feeding)
		ended := make(chan time.Time, 1)
		l := newPipes()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			plane.ServeHTTP(w, r)
			ended <- time.Now()
		})}
		go server.Serve(l)
		begun := time.Now()
		conn := l.dial(t)
		io.WriteString(conn, "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if took := (<-ended).Sub(begun); took < stallLimit || took > 2*stallLimit {
			t.Errorf("dropped after %s, want about %s", took, stallLimit)
		}
		conn.Close()
		server.Close()
		stopFeed()
		synctest.Wait()
	})
}

func TestAConnectionThatCarriedLogsStaysUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		server := &http.Server{Handler: New(newStage(t).Options)}
		go server.Serve(l)
		conn := l.dial(t)
		answers := bufio.NewReader(conn)
		for _, path := range []string{"/api/v1/logs?pool=general", "/healthz"} {
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
			res, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 {
				t.Errorf("%s: %d %v", path, res.StatusCode, err)
			}
			wait(t, 2*stallLimit)
		}
		conn.Close()
		server.Close()
		synctest.Wait()
	})
}
