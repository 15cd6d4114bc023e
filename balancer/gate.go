package balancer

import (
	"net"
	"sync"
	"sync/atomic"
)

// gate bounds the connections that are open at the same time. One too many is accepted and closed at once: its client knows where it stands,
// and the listener's queue does not fill up with clients that will get nothing.
type gate struct {
	most int // 0: no bound
	n    atomic.Int64
}

// admit gives a connection a place until it is closed. It reports false when there is none.
func (g *gate) admit(c net.Conn) (net.Conn, bool) {
	if g.most <= 0 {
		return c, true
	}
	if g.n.Add(1) > int64(g.most) {
		g.n.Add(-1)
		return nil, false
	}
	return &placedConn{Conn: c, leave: sync.OnceFunc(func() { g.n.Add(-1) })}, true
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
