//go:build unix

package client

import (
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"
)

// TestAConnectionIsLookedAtAfterAWhile: what its other side closed meanwhile is noticed before a request is lost on it.
func TestAConnectionIsLookedAtAfterAWhile(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	s := mustSender(t, Options{Target: server.URL})
	defer s.close()
	who := callerWith(1)
	who.own = true
	defer who.leave()
	for i := range 3 {
		if _, err := s.send(t.Context(), task{capability: "x"}, who); err != nil {
			t.Fatal(i, err)
		}
		before := who.kept
		server.CloseClientConnections()
		readable(t, before.NetConn().(syscall.Conn))
		who.idle = time.Second
	}
}

// readable waits until something can be read off c, or its end.
func readable(t *testing.T, c syscall.Conn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return err != syscall.EAGAIN
	}); err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsNoSocketCannotBeLookedAt and is taken for usable.
func TestWhatIsNoSocketCannotBeLookedAt(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	if raw, err := (&bound{Conn: ours}).SyscallConn(); raw != nil || err == nil {
		t.Error(raw, err)
	}
}
