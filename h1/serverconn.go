package h1

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	newGrace     = time.Second            // for a connection that was opened just before the server ends
	lingerTime   = 500 * time.Millisecond // how long a client may take to read an answer it did not wait for
	lingerBytes  = 1 << 20
	lastMoment   = 5 * time.Millisecond
	deadlineStep = 20 * time.Millisecond // a deadline that moves by less is left where it is: moving it costs more than it is worth
)

// serverConn is one client's connection. It belongs to the goroutine in serve, but for what is said.
type serverConn struct {
	server *Server
	net    net.Conn
	probe  probe // of the watcher alone, but for hurry, which comes when the goroutine waits
	in     reader
	head   requestHead
	body   requestBody
	resp   response

	request *http.Request
	cancel  context.CancelFunc // any goroutine

	serving  atomic.Uint64 // the number of the request in service; 0: none
	looked   uint64        // of the watcher: the number it saw the last time
	served   atomic.Uint64 // requests so far
	hijacked atomic.Bool

	departure departure

	deadlines sync.Mutex // around what follows: the handler may have more than one goroutine
	waiting   bool       // for the first byte of a request
	readBy    time.Time
	writeBy   time.Time
}

func newServerConn(s *Server, nc net.Conn) *serverConn {
	c := &serverConn{server: s, net: nc, probe: newProbe(nc)}
	c.in.src = nc
	c.body.c, c.body.in.r = c, &c.in
	c.resp.c = c
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.request = (&http.Request{RemoteAddr: nc.RemoteAddr().String()}).WithContext(ctx)
	return c
}

func (c *serverConn) serve() {
	defer func() {
		c.cancel()
		if !c.hijacked.Load() {
			_ = c.net.Close()
		}
	}()
	for c.one() {
	}
}

// one serves one request. It reports whether another may follow.
func (c *serverConn) one() bool {
	if !c.await() {
		return false
	}
	text, err := c.readHead()
	if err == nil {
		err = c.head.parse(text)
	}
	if err != nil {
		c.refuse(err)
		return false
	}
	c.prepare()
	return c.handle() && c.finish()
}

// await waits for the first byte of a request.
func (c *serverConn) await() bool {
	for c.in.buffered() == 0 {
		c.in.r, c.in.w = 0, 0
		c.in.makeRoom()
		c.wait(deadline(c.server.IdleTimeout))
		err := c.in.fill()
		c.waited()
		if err != nil && !c.lastCall(err) {
			return false
		}
	}
	return true
}

// wait says that nothing is in the way of ending the connection from here on, waited that something is.
func (c *serverConn) wait(by time.Time) {
	c.setRead(by)
	c.deadlines.Lock()
	c.waiting = true
	c.deadlines.Unlock()
	if c.server.ending.Load() { // whoever set that may have been here before us
		c.hurry()
	}
}

func (c *serverConn) waited() {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	c.waiting = false
}

// lastCall looks once more for a request when the wait for one was cut short because the server ends: it may have come in that moment.
func (c *serverConn) lastCall(err error) bool {
	if !c.server.ending.Load() || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.setRead(time.Now().Add(lastMoment))
	return c.in.fill() == nil
}

// hurry ends the wait for a request that may never come. Any goroutine.
func (c *serverConn) hurry() {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if !c.waiting {
		return
	}
	by := time.Unix(1, 0)
	if c.served.Load() == 0 {
		by = time.Now().Add(newGrace)
	}
	c.readBy = by
	_ = c.net.SetReadDeadline(by) // fails only when the connection is closed
}

func deadline(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

func (c *serverConn) setRead(by time.Time) {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if move(&c.readBy, by) {
		_ = c.net.SetReadDeadline(by) // fails only when the connection is closed
	}
}

func (c *serverConn) setWrite(by time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if !move(&c.writeBy, by) {
		return nil
	}
	return c.net.SetWriteDeadline(by)
}

// move tells whether a deadline must be set.
func move(at *time.Time, by time.Time) bool {
	if later := by.Sub(*at); !by.IsZero() && !at.IsZero() && 0 <= later && later < deadlineStep || by.Equal(*at) {
		return false
	}
	*at = by
	return true
}

// readHead reads a head of which at least a byte is there. One empty line before it is forgiven (RFC 9112, section 2.2).
func (c *serverConn) readHead() (string, error) {
	slow := c.server.ending.Load() // then the deadline is what hurry left behind
	limit := func() {
		slow = true
		c.setRead(deadline(c.server.HeadTimeout))
	}
	if c.in.buffered() == 1 && c.in.buf[c.in.r] == '\r' {
		limit()
		c.in.makeRoom()
		if err := c.in.fill(); err != nil {
			return "", unexpected(err)
		}
	}
	if b := c.in.buf[c.in.r:c.in.w]; len(b) >= 2 && b[0] == '\r' && b[1] == '\n' {
		c.in.r += 2
	}
	if b := c.in.buf[c.in.r:c.in.w]; endOfHead(b, 0) == 0 || slow {
		if err := c.head.firstLine(b); err != nil {
			return "", err
		}
		limit()
	}
	text, err := c.in.head(c.server.MaxHead)
	if slow {
		c.setRead(time.Time{}) // the body has limits of its own
	}
	return text, unexpected(err)
}

// prepare makes the request the handler sees.
func (c *serverConn) prepare() {
	h, r := &c.head, c.request
	c.served.Add(1)
	r.Method, r.RequestURI, r.Host = h.method, h.target, h.host
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, h.minor
	if h.minor == 0 {
		r.Proto = "HTTP/1.0"
	}
	r.TransferEncoding, r.Trailer, r.Close = nil, nil, h.close
	c.resp.begin()
	c.body.begin(h)
	switch {
	case h.chunked:
		r.Body, r.ContentLength, r.TransferEncoding = &c.body, -1, []string{"chunked"}
		r.Trailer = c.body.announced(h.trailer)
	case h.length > 0:
		r.Body, r.ContentLength = &c.body, h.length
	default:
		r.Body, r.ContentLength = http.NoBody, 0
	}
}

// handle calls the handler. It reports false when the answer was given up.
func (c *serverConn) handle() (ok bool) {
	c.serving.Store(c.served.Load())
	c.server.watch()
	defer func() {
		c.serving.Store(0)
		if ok {
			return
		}
		if p := recover(); p != http.ErrAbortHandler && c.server.Log != nil {
			c.server.Log.Error("panic while serving a request", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
		c.resp.abort()
	}()
	c.server.Handler.ServeHTTP(&c.resp, c.request)
	return true
}

// finish completes the answer. It reports whether another request may follow.
func (c *serverConn) finish() bool {
	if c.hijacked.Load() {
		return false
	}
	unread := c.body.unread()
	c.resp.closing = c.resp.closing || unread
	if c.resp.finish() != nil {
		return false
	}
	if c.resp.closing {
		if unread || c.in.buffered() > 0 {
			c.linger()
		}
		return false
	}
	return true
}

// refuse answers what is no request.
func (c *serverConn) refuse(err error) {
	status, detail := http.StatusBadRequest, "This is not a request that HTTP allows."
	var r *refusal
	switch {
	case errors.As(err, &r):
		status, detail = r.status, r.detail
	case errors.Is(err, ErrTooLarge):
		status, detail = http.StatusRequestHeaderFieldsTooLarge, "The head of the request is too large, or has too many fields."
	case errors.Is(err, ErrCoding):
		status, detail = http.StatusNotImplemented, "The only transfer coding is chunked, once."
	case errors.Is(err, ErrVersion):
		status, detail = http.StatusHTTPVersionNotSupported, "This listener speaks HTTP/1.0 and HTTP/1.1."
	case errors.Is(err, os.ErrDeadlineExceeded):
		status, detail = http.StatusRequestTimeout, "The head of the request took too long."
	case !errors.Is(err, ErrMalformed):
		return // the connection ended
	}
	fields, body := Fields{{"Content-Type", "text/plain; charset=utf-8"}}, detail+"\n"
	if c.server.Refusal != nil {
		fields, body = c.server.Refusal(status, detail)
	}
	c.head.method, c.head.minor, c.head.expects = http.MethodGet, 1, false
	c.resp.begin()
	c.resp.closing = true
	c.resp.WriteFields(status, fields, int64(len(body)))
	_, _ = io.WriteString(&c.resp, body)
	_ = c.setWrite(time.Now().Add(lingerTime))
	if c.resp.finish() == nil { // a client that is gone cannot be told
		c.linger()
	}
}

// linger lets the client read its answer although it still sends: closing with something unread would take the answer away from it.
func (c *serverConn) linger() {
	half, ok := c.net.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.setRead(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, c.net, lingerBytes) // its end, or our patience's
}
