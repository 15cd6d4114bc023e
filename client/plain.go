package client

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"syscall"
	"time"

	"understudy/h1"
)

// plainSender sends to http:// targets, on connections of our own: one write for a request, one read for an answer of ordinary size, and no
// goroutine. No redirects are followed, no cookies kept, no proxy asked.
type plainSender struct {
	requests *requests
	pool     h1.Pool // for callers that keep no connection
	dialer   func(ctx context.Context, network, address string) (net.Conn, error)
	address  string
	timeout  time.Duration
}

func newPlainSender(o Options, base *url.URL) *plainSender {
	return &plainSender{
		requests: newRequests(o, base), dialer: o.Dial, address: addressOf(base), timeout: o.Timeout,
		pool: h1.Pool{Idle: time.Minute, Max: o.MaxInFlight},
	}
}

const (
	// unlookedAt is how long the caller's connection may have been idle and is used without a look at it: a look costs a system call, and
	// what its other side does just now cannot be seen anyway.
	unlookedAt = 10 * time.Millisecond
)

func (s *plainSender) send(ctx context.Context, t task, c *caller) (answer, error) {
	conn, reused := s.take(c), true
	for {
		if conn == nil {
			var err error
			if conn, err = s.dial(ctx, c.by); err != nil {
				return answer{}, err
			}
			reused = false
		}
		before := conn.Received()
		a, err := s.exchange(conn, t, c, reused)
		if err == nil {
			s.keep(conn, c)
			return a, nil
		}
		_ = conn.Close() // the answer is lost, whatever this says
		if !reused || conn.Received() != before || !s.again(err) {
			return answer{}, s.inWords(ctx, err)
		}
		conn = nil // its other side had closed it while it was idle: the request is sent on another, and counts once
	}
}

// take yields a connection that was used before, or nil.
func (s *plainSender) take(c *caller) *h1.Conn {
	if !c.own {
		return s.pool.Get()
	}
	conn := c.kept
	c.kept = nil
	if conn != nil && c.idle > unlookedAt && !conn.Quiet() {
		_ = conn.Close()
		return nil
	}
	return conn
}

func (s *plainSender) keep(conn *h1.Conn, c *caller) {
	switch {
	case !c.own:
		s.pool.Put(conn)
	case conn.Reusable():
		c.kept = conn
	default:
		_ = conn.Close()
	}
}

// dial makes a connection that lasts until ctx ends at most.
func (s *plainSender) dial(ctx context.Context, by time.Time) (*h1.Conn, error) {
	dialing, cancel := context.WithDeadline(ctx, by)
	defer cancel()
	below, err := s.dialer(dialing, "tcp", s.address)
	if err != nil {
		if ctx.Err() == nil && !time.Now().Before(by) {
			err = lateError{s.timeout}
		}
		return nil, err
	}
	b := &bound{Conn: below}
	conn := h1.NewConn(b)
	b.release = context.AfterFunc(ctx, conn.Abort)
	return conn, nil
}

// bound is a connection that a context ends. Closing it lets the context go.
type bound struct {
	net.Conn
	release func() bool
}

func (b *bound) Close() error {
	b.release()
	return b.Conn.Close()
}

// SyscallConn lets the connection below be looked at, where that is possible.
func (b *bound) SyscallConn() (syscall.RawConn, error) {
	if s, ok := b.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// writeError is one of a request that was not written as a whole.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

// again tells whether a request that failed so on a connection used before, without a byte of an answer, may be sent once more: nobody can
// have acted on it, or doing so twice is as good as once (RFC 9110, section 9.2.2).
func (s *plainSender) again(err error) bool {
	var written writeError
	idempotent := slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}, s.requests.method)
	return brokenOff(err) && (idempotent || errors.As(err, &written))
}

// inWords is err as the report shows it.
func (s *plainSender) inWords(ctx context.Context, err error) error {
	var late net.Error
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &late) && late.Timeout():
		return lateError{s.timeout}
	}
	return err
}

func (s *plainSender) close() { s.pool.Close() }
