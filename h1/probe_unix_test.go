//go:build unix

package h1

import (
	"crypto/tls"
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// sockets are both ends of a real connection.
func sockets(t *testing.T, network, address string) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		near.Close()
		far.Close()
	})
	return near, far
}

// arrived waits until something has come on c, without taking it off.
func arrived(t *testing.T, c *Conn) {
	t.Helper()
	raw, err := c.NetConn().(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Read(func(fd uintptr) bool { return peek(int(fd)) != quiet }); err != nil {
		t.Fatal(err)
	}
}

func TestTheProbeSeesWhatHappenedOnASocket(t *testing.T) {
	for _, socket := range []struct{ network, address string }{{"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "s")}} {
		for _, c := range []struct {
			name   string
			happen func(net.Conn)
			want   quietness
		}{
			{"nothing", nil, quiet},
			{"a byte", func(c net.Conn) { _, _ = c.Write([]byte("x")) }, talks},
			{"an answer nobody asked for", func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 408 x\r\n\r\n")); c.Close() }, talks},
			{"its end", func(c net.Conn) { c.Close() }, hungUp},
			{"half its end", func(c net.Conn) { _ = c.(interface{ CloseWrite() error }).CloseWrite() }, hungUp},
			{"a reset", func(c net.Conn) {
				if tcp, ok := c.(*net.TCPConn); ok {
					_ = tcp.SetLinger(0)
				}
				c.Close()
			}, hungUp},
		} {
			near, far := sockets(t, socket.network, socket.address)
			conn := NewConn(near)
			if c.happen != nil {
				c.happen(far)
				arrived(t, conn)
			}
			for range 2 { // looking takes nothing away, except a reset
				if got := conn.probe.state(); got != c.want {
					t.Errorf("%s, %s: %v, want %v", socket.network, c.name, got, c.want)
				}
			}
			if conn.Quiet() != (c.want == quiet) {
				t.Errorf("%s, %s: quiet %v", socket.network, c.name, conn.Quiet())
			}
			near.Close()
			if conn.Quiet() {
				t.Errorf("%s: closed by ourselves and quiet", socket.network)
			}
		}
	}
}

func TestWhatCannotBeSeenIsQuiet(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	for name, c := range map[string]net.Conn{"a pipe": a, "TLS": tls.Client(a, &tls.Config{ServerName: "x"})} {
		if !NewConn(c).Quiet() {
			t.Errorf("%s is not", name)
		}
	}
	a.Close()
}

// TestThePoolDropsStaleConnections: real ones, that their other side closed, or on which it talked out of turn.
func TestThePoolDropsStaleConnections(t *testing.T) {
	p := &Pool{Max: 3}
	defer p.Close()
	var fars []net.Conn
	var conns []*Conn
	for range 3 {
		near, far := sockets(t, "tcp", "127.0.0.1:0")
		conns, fars = append(conns, NewConn(near)), append(fars, far)
		p.Put(conns[len(conns)-1])
	}
	fars[2].Close()
	arrived(t, conns[2])
	_, _ = fars[1].Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
	arrived(t, conns[1])
	if c := p.Get(); c != conns[0] {
		t.Error("a stale connection was given out")
	}
	if p.Get() != nil {
		t.Error("a stale connection was kept")
	}
	if _, err := conns[1].Write([]byte("x")); err == nil {
		t.Error("a stale connection was not closed")
	}
}
