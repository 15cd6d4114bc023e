package balancer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// listenAt is a listener of the machine's own choice of port.
func listenAt(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serving runs a server on a listener, and hands its end over.
func serving(s *Server, l net.Listener) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	return ended
}

func TestAServerServesSeveralListenersAndEndsThemTogether(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", echo)
	for name, end := range map[string]func(*Server) error{
		"shutdown": func(s *Server) error { return s.Shutdown(t.Context()) },
		"close":    (*Server).Close,
	} {
		s := w.balancer.Server()
		var ends []<-chan error
		for range 2 {
			l := listenAt(t)
			ends = append(ends, serving(s, l))
			resp, err := w.client.Get("http://" + l.Addr().String() + "/mult")
			if err != nil || resp.StatusCode != 200 {
				t.Fatalf("%s: %v %v", name, resp, err)
			}
			resp.Body.Close()
		}
		if err := end(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, e := range ends {
			if err := wait(t, e, "Serve to return"); !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		late := listenAt(t)
		if err := s.Serve(late); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("after %s: %v", name, err)
		}
		if _, err := net.Dial("tcp", late.Addr().String()); err == nil {
			t.Errorf("after %s a listener is left open", name)
		}
		if err := errors.Join(s.Shutdown(t.Context()), s.Close()); err != nil {
			t.Errorf("after %s, again: %v", name, err)
		}
	}
}

func TestAServerThatNeverServedEnds(t *testing.T) {
	b := New(Options{Fleet: fleetOf(testConfig().Pools), Config: testConfig()})
	if err := errors.Join(b.Server().Close(), b.Server().Shutdown(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestShutdownWaitsForARequestAndNoLonger(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	began, hold := make(chan struct{}), make(chan struct{})
	w.worker("general", func(http.ResponseWriter, *http.Request) {
		close(began)
		<-hold
	})
	asked := w.background(w.request(http.MethodGet, "/mult", ""))
	wait(t, began, "the worker to have it")
	short, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.server.Shutdown(short); !errors.Is(err, context.Canceled) {
		t.Errorf("with something in flight: %v", err)
	}
	if _, err := net.Dial("tcp", w.addr); err == nil {
		t.Error("the listener is still open")
	}
	done := make(chan error, 1)
	go func() { done <- w.server.Shutdown(t.Context()) }()
	close(hold)
	if err := wait(t, done, "the end"); err != nil {
		t.Error(err)
	}
	if res := wait(t, asked, "the answer"); res.err != nil || res.resp.StatusCode != 200 {
		t.Errorf("got %+v", res)
	}
}

// scripted is a listener that yields what a test says.
type scripted struct {
	steps  chan any // net.Conn or error
	closed chan struct{}
}

func newScripted(steps ...any) *scripted {
	l := &scripted{steps: make(chan any, len(steps)), closed: make(chan struct{})}
	for _, s := range steps {
		l.steps <- s
	}
	return l
}

func (l *scripted) Accept() (net.Conn, error) {
	select {
	case s := <-l.steps:
		if c, ok := s.(net.Conn); ok {
			return c, nil
		}
		return nil, s.(error)
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *scripted) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}
func (l *scripted) Addr() net.Addr { return deskAddr{} }

func TestAShortageIsWaitedOutAndABrokenListenerIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{Fleet: fleetOf(testConfig().Pools), Config: testConfig()})
		s := b.Server()
		client, conn := net.Pipe()
		broken := errors.New("broken")
		l := newScripted(syscall.EMFILE, syscall.EMFILE, syscall.EMFILE, conn)
		began := time.Now()
		ended := serving(s, l)
		_, _ = io.WriteString(client, "GET /none HTTP/1.0\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil || resp.StatusCode != 404 {
			t.Errorf("got %v %v", resp, err)
		}
		if waited := time.Since(began); waited != 35*time.Millisecond {
			t.Errorf("it waited %v", waited)
		}
		if err := s.Serve(newScripted(broken)); err != broken {
			t.Errorf("a broken listener: %v", err)
		}
		short := newScripted(syscall.ENFILE)
		waiting := serving(s, short)
		synctest.Wait()
		s.Close()
		for _, e := range []<-chan error{ended, waiting} {
			if err := <-e; !errors.Is(err, http.ErrServerClosed) {
				t.Error(err)
			}
		}
	})
}

func TestAHeadThatIsTooSlowEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Options{Fleet: fleetOf(testConfig().Pools), Config: testConfig()})
		s := b.Server()
		s.HeaderTimeout = 7 * time.Second
		client, conn := net.Pipe()
		ended := serving(s, newScripted(conn))
		began := time.Now()
		_, _ = io.WriteString(client, "GET / HT")
		_, _ = io.Copy(io.Discard, client)
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("it took %v", took)
		}
		s.Close()
		<-ended
	})
}
