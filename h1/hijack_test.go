package h1

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestShutdownDoesNotWaitForWhatWasHijacked(t *testing.T) {
	taken, leave := make(chan struct{}), make(chan struct{})
	s := serveFunc(t, func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		close(taken)
		<-leave
		_, _ = io.WriteString(c, "still here")
	})
	c := s.dial()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-taken
	ctx, cancel := context.WithTimeout(t.Context(), testPatience/2)
	defer cancel()
	err := s.Shutdown(ctx)
	close(leave)
	if err != nil {
		t.Errorf("it waited: %v", err)
	}
	if all, err := io.ReadAll(c); string(all) != "still here" {
		t.Errorf("whoever has the connection can use it no more: %q %v", all, err)
	}
}

// deafConn is a client that has left: nothing can be written to it.
type deafConn struct {
	net.Conn
	closed chan struct{}
}

var errDeaf = errors.New("nobody listens")

func (deafConn) Write([]byte) (int, error) { return 0, errDeaf }
func (c deafConn) Close() error {
	defer close(c.closed)
	return c.Conn.Close()
}

// TestAHijackThatFailsLeavesTheConnectionToTheServer: whoever got an error closes nothing.
func TestAHijackThatFailsLeavesTheConnectionToTheServer(t *testing.T) {
	failed := make(chan error, 1)
	s := &Server{MaxHead: 8 << 10, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _, err := http.NewResponseController(w).Hijack()
		failed <- err
	})}
	near, far := net.Pipe()
	c := deafConn{near, make(chan struct{})}
	go s.ServeConn(c, nil)
	_ = far.SetDeadline(time.Now().Add(testPatience))
	_, _ = io.WriteString(far, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if err := <-failed; !errors.Is(err, errDeaf) {
		t.Errorf("it was taken over: %v", err)
	}
	if _, err := far.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection stays open: %v", err)
	}
}
