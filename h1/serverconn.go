package h1

import (
	"context"
	"log/slog"
	"net"
	"net/http"
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
