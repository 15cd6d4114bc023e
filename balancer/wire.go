package balancer

import (
	"errors"
	"os"
	"slices"
	"time"

	"understudy/h1"
)

// maxHints bounds the interim answers (1xx) of one request.
const maxHints = 16

var errTooManyHints = errors.New("the worker sent too many interim answers")

// wire is an attempt's connection, and what is known about the attempt on it. It decides whether a request may be sent again.
type wire struct {
	conn     *h1.Conn // nil: there is none, or it has been given back
	upload   *upload  // sends the rest of the request meanwhile; nil: it was sent in one piece
	reused   bool     // it served another request before
	spoiled  bool     // the request was not sent as a whole, so nothing can follow it
	sent     int64    // bytes written on it for others
	received int64    // bytes that came for others
	former   bool     // something was written on a connection that was given up
	tried    bool     // there was a connection
}

func (w *wire) take(c *h1.Conn, reused bool) {
	w.former = w.written()
	w.conn, w.reused, w.spoiled, w.upload = c, reused, false, nil
	w.sent, w.received, w.tried = c.Sent(), c.Received(), true
}

// written tells whether the worker may have seen some of the request.
func (w *wire) written() bool { return w.former || w.conn != nil && w.conn.Sent() > w.sent }

// answered tells whether it began to answer.
func (w *wire) answered() bool { return w.conn != nil && w.conn.Received() > w.received }

// late tells whether an error is that the worker's time was over.
func (a *attempt) late(err error) bool { return a.wire.tried && errors.Is(err, os.ErrDeadlineExceeded) }

// done gives the connection back after a complete answer.
func (a *attempt) done() {
	w := &a.wire
	c := w.conn
	if c == nil {
		return
	}
	if w.spoiled || w.upload != nil && !w.upload.complete() {
		a.hangUp()
		return
	}
	a.trailer = slices.Clone(c.Trailer()) // the next request may overwrite it
	w.conn = nil
	if w.upload != nil {
		c.Limit(time.Time{})
	}
	if a.x.cut.letGo() {
		a.link.pool.Put(c)
	} else {
		_ = c.Close()
	}
}

// hangUp closes the connection, when there still is one, and waits until nobody uses it.
func (a *attempt) hangUp() {
	w := &a.wire
	c := w.conn
	if c == nil {
		return
	}
	w.former = w.written()
	if w.upload != nil {
		w.upload.stop()
	}
	a.x.cut.letGo()
	_ = c.Close()
	w.conn = nil
}
