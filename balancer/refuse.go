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
	if p.status == http.StatusServiceUnavailable {
		x.put("Retry-After", strconv.Itoa(x.b.retryAfter(x.home, p)))
		if x.capability != "" {
			x.b.recorder.Shed(x.home, p.code)
		}
	}
	x.explain(p, detail, nil)
	if p == errDraining {
		_ = x.rc.Flush() // the connection may be cut before the server gets round to it
	}
}

// explain writes a problem.
func (x *exchange) explain(p *problem, detail string, capabilities []string) {
	x.put("Content-Type", "application/problem+json")
	x.put("Cache-Control", "no-store")
	x.put("X-Content-Type-Options", "nosniff")
	x.answer(p.status, p.text(detail, capabilities), p == errSlowClient || p == errTooLarge || p == errHeadTooLarge)
}

// answer is a short answer of the balancer's own.
func (x *exchange) answer(status int, text []byte, closes bool) {
	x.leave(closes, time.Now())
	x.reply(status, int64(len(text)))
	if len(text) > 0 && x.r.Method != http.MethodHead {
		n, _ := x.w.Write(text) // a client that is gone cannot be told so
		x.sent = int64(n)
	}
}

// leave prepares whatever is answered: ours on it, and the connection closed where it must be. A body that is still on its way
// could be taken for a request; so could what is hidden behind a chunked one, or HTTP/1.0 with a length of its own idea.
func (x *exchange) leave(closes bool, now time.Time) {
	x.sign()
	x.hurry(now)
	r := x.r
	switch {
	case x.b.flights.draining.Load():
		x.put("Connection", "close") // HTTP/2 says it to all streams, and lets them end
	case closes, x.body.unread(), len(r.TransferEncoding) > 0, !r.ProtoAtLeast(1, 1):
		x.closeAfter()
	}
}

// hurry gives the client limits.idle from now on to take what is written.
func (x *exchange) hurry(now time.Time) {
	if x.s.Limits.Idle > 0 {
		_ = x.rc.SetWriteDeadline(now.Add(x.s.Limits.Idle)) // fails only where there is no connection to limit
	}
}
