package client

import (
	"context"
	"errors"
	"io"
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
	// atOnce is the length up to which a request is written before its answer is looked for, in bytes. The answer to a longer one may come
	// while it is being written, and its other side may take no more of it then.
	atOnce = 64 << 10
	// maxInterim is how many interim answers (1xx) there may be to one request.
	maxInterim = 100
)

var errInterim = errors.New("interim answers (1xx) without end")

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

func (s *plainSender) exchange(conn *h1.Conn, t task, c *caller, reused bool) (answer, error) {
	if err := conn.SetDeadline(c.by); err != nil {
		return answer{}, writeError{err}
	}
	request, shared := s.requests.request(conn.Scratch(), t)
	if len(request) > atOnce {
		return s.exchangeBothWays(conn, request, c)
	}
	_, unwritten := conn.Write(request)
	if !shared {
		conn.KeepScratch(request)
	}
	if unwritten != nil && reused {
		return answer{}, writeError{unwritten} // what can be read would be a farewell, and no answer
	}
	a, err := s.read(conn, c) // also when it was not written: who refuses a connection may say why
	if err != nil && unwritten != nil {
		return answer{}, writeError{unwritten}
	}
	return a, err
}

// exchangeBothWays writes while it reads. After a whole answer the rest of the request is of no interest to anybody.
func (s *plainSender) exchangeBothWays(conn *h1.Conn, request []byte, c *caller) (answer, error) {
	written := make(chan error, 1)
	go func() {
		_, err := conn.Write(request)
		written <- err
	}()
	a, err := s.read(conn, c)
	if err == nil {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Millisecond)) // most often it is written, and only has not said so yet
	} else {
		conn.Abort()
	}
	if unwritten := <-written; err != nil && unwritten != nil && brokenOff(unwritten) {
		err = writeError{unwritten}
	}
	return a, err
}

func (s *plainSender) read(conn *h1.Conn, c *caller) (answer, error) {
	for range maxInterim {
		r, err := conn.ReadResponse(s.requests.method)
		if err != nil {
			return answer{}, err
		}
		if r.Status < 200 && r.Status != 101 {
			continue
		}
		a := answer{status: r.Status}
		a.look(r.Fields)
		if !r.Body {
			return a, nil
		}
		n, err := drain(conn, c.buf)
		a.body = c.buf[:n]
		return a, err
	}
	return answer{}, errInterim
}

// look takes what the client looks at from among the fields.
func (a *answer) look(fields h1.Fields) {
	for i := range fields {
		switch name, value := fields[i].Name, fields[i].Value; len(name) {
		case len("X-Understudy-Worker"):
			if a.worker == "" && h1.EqualFold(name, "X-Understudy-Worker") {
				a.worker = value
			}
		case len("X-Understudy-Start"):
			if a.start == "" && h1.EqualFold(name, "X-Understudy-Start") {
				a.start = value
			}
		case len("Server-Timing"):
			switch {
			case !h1.EqualFold(name, "Server-Timing"):
			case a.timing == "":
				a.timing = value
			default:
				a.timing += "," + value
			}
		}
	}
}

func (s *plainSender) close() { s.pool.Close() }

// drain reads body to its end, so that the connection can be used again, and keeps what fits into buf.
func drain(body io.Reader, buf []byte) (int, error) {
	n := 0
	for n < len(buf) {
		m, err := body.Read(buf[n:])
		n += m
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	_, err := io.Copy(io.Discard, body)
	return n, err
}
