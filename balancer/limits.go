package balancer

import (
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// headerTimeout is how long a client may take for the head of a request.
const headerTimeout = 5 * time.Second

// Server is the server for the clients' listener, bounded by limits. Bodies have no limit in time as a whole, only in silence (limits.idle): the
// balancer sees to that. It is a new one each time.
func (b *Balancer) Server() *http.Server {
	s := b.settings.Load()
	return &http.Server{
		Handler:                      b,
		ReadHeaderTimeout:            headerTimeout,
		IdleTimeout:                  s.Limits.Idle,
		MaxHeaderBytes:               int(s.Limits.Header),
		DisableGeneralOptionsHandler: true, // OPTIONS * is answered like everything else, with a request id
		ErrorLog:                     slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
	}
}

// LimitListener bounds the connections of a listener that are open at the same time. One too many is accepted and closed at once: its client
// knows where it stands, and the listener's queue does not fill up with clients that will get nothing. n 0: no bound.
func LimitListener(l net.Listener, n int) net.Listener {
	if n <= 0 {
		return l
	}
	return &limitedListener{Listener: l, places: make(chan struct{}, n)}
}

type limitedListener struct {
	net.Listener
	places chan struct{}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.places <- struct{}{}:
			return &limitedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
		default:
			_ = c.Close()
		}
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// CloseWrite lets the server, and tunnels, half-close.
func (c *limitedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return net.ErrClosed
}
