package balancer

import (
	"context"
	"net"
	"net/http"

	"understudy/h1"
)

// leanFront is a ResponseWriter as a lean server has it: fields in order, no map unless somebody asks.
type leanFront struct {
	fields h1.Fields
	header http.Header

	ctx  context.Context // of the request; nil: its client stays
	stop func()

	status int
	sent   h1.Fields
	length int64
	n      int
}

func (w *leanFront) OnGone(f func()) {
	switch {
	case w.ctx == nil:
	case f == nil:
		w.stop()
	default:
		told := make(chan struct{})
		stop := context.AfterFunc(w.ctx, func() { defer close(told); f() })
		w.stop = func() {
			if !stop() {
				<-told
			}
		}
	}
}

func (w *leanFront) RequestFields() h1.Fields { return w.fields }

func (w *leanFront) WriteFields(status int, fields h1.Fields, length int64) {
	w.status, w.sent, w.length, w.n = status, append(w.sent[:0], fields...), length, 0
}

func (w *leanFront) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

func (w *leanFront) WriteHeader(status int)      { w.status = status }
func (w *leanFront) Write(p []byte) (int, error) { w.n += len(p); return len(p), nil }

// spying tells what is written on the connections that are made.
func spying(dial func(context.Context, string, string) (net.Conn, error), pieces chan<- string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		return spyConn{c, pieces}, err
	}
}

type spyConn struct {
	net.Conn
	pieces chan<- string
}

func (c spyConn) Write(p []byte) (int, error) {
	c.pieces <- string(p)
	return c.Conn.Write(p)
}
