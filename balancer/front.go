package balancer

import (
	"log/slog"
	"net"
	"net/http"
)

// front gives a connection to who speaks HTTP with its client, and has done called as soon as that one answers for it: plain ones to our own
// server, which costs half, others to net/http's. To the balancer they look the same.
func (s *Server) front(c net.Conn, done func()) {
	if s.WebOnly || !suitsLean(c) {
		s.desk.pass(c, done)
		return
	}
	s.lean.ServeConn(c, done)
}

// What one HTTP/2 connection may have open, and may send before it is read. A request's own body waits in its 64 KiB window first.
const (
	mostStreams  = 100
	streamBytes  = 256 << 10
	connectBytes = 1 << 20
)

// newWeb is net/http's server, a front for everything. It speaks HTTP/2 where the TLS handshake agreed on it, and nowhere else.
func (s *Server) newWeb() *http.Server {
	limits := s.b.settings.Load().Limits
	return &http.Server{
		Handler:        s.b,
		ConnState:      s.newcomers.follow,
		IdleTimeout:    limits.Idle,
		MaxHeaderBytes: int(limits.Header),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: mostStreams, MaxReceiveBufferPerStream: streamBytes, MaxReceiveBufferPerConnection: connectBytes,
			WriteByteTimeout: limits.Idle,
		},
		DisableGeneralOptionsHandler: true, // OPTIONS * is answered like everything else, with a request id
		ErrorLog:                     slog.NewLogLogger(s.b.log.Handler(), slog.LevelDebug),
	}
}

func (s *Server) startWeb() {
	s.web.ReadHeaderTimeout, s.lean.HeadTimeout = s.HeaderTimeout, s.HeaderTimeout
	go func() {
		defer close(s.ended)
		_ = s.web.Serve(s.desk) // it ends when it is told to: the desk has no other errors
	}()
}

// desk is a listener for connections that were accepted elsewhere.
type desk struct {
	waiting chan handed
	closed  chan struct{}
	last    func() // only used by the one who accepts
}

type handed struct {
	net.Conn
	done func()
}

func newDesk() *desk { return &desk{waiting: make(chan handed), closed: make(chan struct{})} }

// pass hands a connection over, or closes it when nobody accepts any more.
func (d *desk) pass(c net.Conn, done func()) {
	select {
	case d.waiting <- handed{c, done}:
	case <-d.closed:
		c.Close()
		done()
	}
}

// Accept is called by one goroutine, and only when it has entered the connection before into its books: only then is that one handed over, so
// that a Shutdown between the two does not overlook it.
func (d *desk) Accept() (net.Conn, error) {
	if d.last != nil {
		d.last()
		d.last = nil
	}
	select {
	case h := <-d.waiting:
		d.last = h.done
		return h.Conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close is called once, by the server it is given to.
func (d *desk) Close() error {
	close(d.closed)
	return nil
}

func (d *desk) Addr() net.Addr { return deskAddr{} }

type deskAddr struct{}

func (deskAddr) Network() string { return "desk" }
func (deskAddr) String() string  { return "desk" }
