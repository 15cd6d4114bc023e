package balancer

import (
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
)

// maxHints bounds the interim answers (1xx) of one request.
const maxHints = 16

var errTooManyHints = errors.New("the worker sent too many interim answers")

// wire is what is known about one attempt on the connection below it. It decides whether a request may be sent again.
type wire struct {
	body *bodyReader                        // nil: the request has none
	hint func(code int, header http.Header) // relays an interim answer

	mu        sync.Mutex
	conn      *workerConn
	before    int64 // bytes written on conn for others
	sent      int64 // bytes written on connections that were given up
	connected bool
	answered  bool // a byte of an answer came
	hints     int
	over      bool // the answer is complete, or given up
}

// trace is how net/http tells.
func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if c, ok := info.Conn.(*workerConn); ok {
				w.got(c)
			}
		},
		GotFirstResponseByte: func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.answered = true
		},
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error { return w.interim(code, http.Header(header)) },
	}
}

// follow takes over the reader of a body that net/http begins again.
func (w *wire) follow(r *bodyReader) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.body = r
}

// got follows the attempt to a connection. It may get another one while it has not been written on the first.
func (w *wire) got(c *workerConn) {
	w.mu.Lock()
	w.sent += w.onConn()
	w.conn, w.before, w.connected = c, c.written(), true
	body := w.body
	w.mu.Unlock()
	c.settle()
	if body != nil {
		c.onClose(body.desert)
	} else {
		c.onClose(nil)
	}
}

func (w *wire) onConn() int64 {
	if w.conn == nil {
		return 0
	}
	return w.conn.written() - w.before
}

// interim counts an answer before the answer, and passes it on.
func (w *wire) interim(code int, header http.Header) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hints++
	switch {
	case w.over:
		return nil
	case w.hints > maxHints:
		return errTooManyHints
	}
	w.hint(code, header)
	return nil
}

// close ends the sending of the body.
func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.body != nil {
		_ = w.body.Close()
	}
}

// end stops interim answers: from now on somebody else writes to the client.
func (w *wire) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

// facts is what a failed attempt left behind: whether there was a connection, whether the worker may have seen some of the request, and
// whether it began to answer.
func (w *wire) facts() (connected, written, answered bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.connected, w.sent+w.onConn() > 0, w.answered
}
