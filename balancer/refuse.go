package balancer

import (
	"net/http"
	"strconv"
	"time"
)

// refuse answers with a problem. A client that is gone gets nothing: one that only seems to be must not take an empty answer for a good one.
// Whatever was claimed must have been released before.
func (x *exchange) refuse(p *problem, detail string) {
	x.status = p.status
	if x.cause == nil {
		x.cause = p
	}
	if p == errClientGone {
		panic(http.ErrAbortHandler)
	}
	h := x.w.Header()
	x.leave(h)
	if p.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(x.b.retryAfter(x.home, p)))
		if x.capability != "" {
			x.b.recorder.Shed(x.home, p.code)
		}
	}
	if p == errSlowClient || p == errTooLarge {
		x.closeAfter(h)
	}
	p.write(x.w, x.r, detail, nil)
	if p == errDraining {
		_ = x.rc.Flush() // the connection may be cut before the server gets round to it
	}
}

// answer is a short answer of the balancer's own.
func (x *exchange) answer(status int, text string) {
	x.status = status
	x.leave(x.w.Header())
	x.w.WriteHeader(status)
	if text != "" && x.r.Method != http.MethodHead {
		_, _ = x.w.Write([]byte(text)) // a client that is gone cannot be told so
	}
}

// leave prepares the header of whatever is answered: ours on it, and the connection closed where it must be. A body that is still on its way
// could be taken for a request; so could what is hidden behind a chunked one, or HTTP/1.0 with a length of its own idea.
func (x *exchange) leave(h http.Header) {
	x.sign(h)
	x.hurry()
	r := x.r
	switch {
	case x.b.flights.draining.Load():
		h["Connection"] = []string{"close"} // HTTP/2 says it to all streams, and lets them end
	case x.body.unread(), len(r.TransferEncoding) > 0, !r.ProtoAtLeast(1, 1):
		x.closeAfter(h)
	}
}

// hurry gives the client limits.idle from now on to take what is written.
func (x *exchange) hurry() {
	if x.s.Limits.Idle > 0 {
		_ = x.rc.SetWriteDeadline(time.Now().Add(x.s.Limits.Idle)) // fails only where there is no connection to limit
	}
}
