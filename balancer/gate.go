package balancer

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// gate bounds the connections that are open at the same time, in all and of one client. One too many is accepted and closed at once: its
// client knows where it stands, and the listener's queue does not fill up with clients that will get nothing.
type gate struct {
	most, mostEach int // 0: no bound

	mu   sync.Mutex
	open int
	each map[netip.Addr]int // as many entries as there are connections, at most
}

var (
	errFull       = errors.New("there are as many connections as limits.connections allows")
	errFullClient = errors.New("the client has as many connections as limits.per_client.connections allows")
)

// admit gives a connection a place until it is closed.
func (g *gate) admit(c net.Conn) (net.Conn, error) {
	if g.most <= 0 {
		return c, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open >= g.most {
		return nil, errFull
	}
	g.open++
	return &placedConn{Conn: c, leave: sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.open--
	})}, nil
}

// admitClient gives it one among those of its client.
func (g *gate) admitClient(c net.Conn, client netip.Addr) (net.Conn, error) {
	if g.mostEach <= 0 {
		return c, nil
	}
	client = household(client)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.each == nil {
		g.each = map[netip.Addr]int{}
	}
	if g.each[client] >= g.mostEach {
		return nil, errFullClient
	}
	g.each[client]++
	return &placedConn{Conn: c, leave: sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.each[client]--; g.each[client] == 0 {
			delete(g.each, client)
		}
	})}, nil
}

// household is what counts as one client: an IPv4 address, or an IPv6 network of the size that one subscriber gets.
func household(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}

// placedConn gives its place back when it is closed.
type placedConn struct {
	net.Conn
	leave func()
}

func (c *placedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// CloseWrite lets the server, and tunnels, half-close.
func (c *placedConn) CloseWrite() error { return closeWrite(c.Conn) }

// SyscallConn and SetLinger let a front look at the socket and reset it.
func (c *placedConn) SyscallConn() (syscall.RawConn, error) { return socketOf(c.Conn) }
func (c *placedConn) SetLinger(sec int) error               { return setLinger(c.Conn, sec) }

// socketOf finds the socket below a connection that may have been wrapped.
func socketOf(c net.Conn) (syscall.RawConn, error) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return s.SyscallConn()
}

func setLinger(c net.Conn, sec int) error {
	s, ok := c.(interface{ SetLinger(int) error })
	if !ok {
		return errors.ErrUnsupported
	}
	return s.SetLinger(sec)
}
