package h1

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves HTTP/1.0 and HTTP/1.1 to an http.Handler, with one goroutine for a connection and little else. It is not a whole http.Server;
// a handler must know that
//   - the request has no Header and no URL: its fields are RequestFields of the ResponseWriter, its target is RequestURI as it came;
//   - the request and its body are used again for the connection's next one, so nothing may keep them;
//   - the request's context ends with the connection or when the client has left, not with the request;
//   - that a client has left is seen within a tenth of a second or so, and not behind bytes it has sent ahead;
//   - the ResponseWriter is a FieldWriter, and offers Flush, Hijack, SetReadDeadline and SetWriteDeadline to http.ResponseController;
//   - a write deadline stays until it is moved, past the end of the request that it was set for.
//
// The fields must not change once Serve was called. Its methods may be called concurrently.
type Server struct {
	Handler     http.Handler
	HeadTimeout time.Duration // from the first byte of a head to its last. 0: no limit
	IdleTimeout time.Duration // until the first byte of a head. 0: no limit
	MaxHead     int           // bytes
	Log         *slog.Logger  // for panics of the handler; nil: none

	// Refusal is the answer to what is no request: its fields, but for those that are the server's, and its body. nil: a line of text.
	Refusal func(status int, detail string) (fields Fields, body string)

	date     atomic.Pointer[dateText]
	watching atomic.Bool
	ending   atomic.Bool

	mu     sync.Mutex
	conns  map[*serverConn]struct{}
	closed bool
	empty  chan struct{} // closed when the last connection ends; nil: nobody waits
}

// FieldWriter is what the ResponseWriter of a Server offers beside http.ResponseWriter.
type FieldWriter interface {
	// RequestFields are the fields of the request. They hold until the handler returns.
	RequestFields() Fields
	// WriteFields is WriteHeader with the fields given in order, instead of Header. length is that of the body that follows, below 0 when it is
	// not known, and goes before a Content-Length among the fields. Transfer-Encoding among them is ignored; Connection: close ends
	// the connection behind the answer. A Date is added unless there is one.
	WriteFields(status int, fields Fields, length int64)
	// OnGone has f called when the client leaves while the request is in service, at once when it has left. OnGone(nil) takes that back: f
	// is not running any more when it returns. It costs less than watching the request's context. f must not call OnGone.
	OnGone(f func())
}

// ServeConn serves a connection until it ends, and closes it. It blocks, and calls booked (nil is fine) once Shutdown and Close know the
// connection. One that comes after Shutdown gets one answer at most, one after Close none.
func (s *Server) ServeConn(c net.Conn, booked func()) {
	conn := newServerConn(s, c)
	ok := s.add(conn)
	if booked != nil {
		booked()
	}
	if !ok {
		_ = c.Close()
		return
	}
	defer s.remove(conn)
	conn.serve()
}

// add reports false after Close.
func (s *Server) add(c *serverConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.conns == nil {
		s.conns = map[*serverConn]struct{}{}
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) remove(c *serverConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// Shutdown makes every answer the last of its connection and closes those that are idle. A connection on which nothing was asked yet has
// newGrace to do so. It returns nil when all connections have ended, hijacked ones left out, or ctx's cause.
func (s *Server) Shutdown(ctx context.Context) error {
	s.ending.Store(true)
	s.mu.Lock()
	for c := range s.conns {
		c.hurry()
	}
	var empty chan struct{}
	if len(s.conns) > 0 {
		if s.empty == nil {
			s.empty = make(chan struct{})
		}
		empty = s.empty
	}
	s.mu.Unlock()
	if empty == nil {
		return nil
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close closes all connections but hijacked ones.
func (s *Server) Close() {
	s.ending.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.conns {
		if !c.hijacked.Load() {
			_ = c.net.Close()
		}
	}
}

type dateText struct {
	second int64
	text   string
}

// now is the Date of an answer, made once a second.
func (s *Server) now() string {
	t := time.Now()
	if d := s.date.Load(); d != nil && d.second == t.Unix() {
		return d.text
	}
	d := &dateText{t.Unix(), t.UTC().Format(http.TimeFormat)}
	s.date.Store(d)
	return d.text
}
