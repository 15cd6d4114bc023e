package balancer

import (
	"context"
	"errors"
	"net/http"
	"time"

	"understudy/fleet"
)

// exchange is one request on its way through the balancer. It belongs to the goroutine that serves it, but for cancel.
type exchange struct {
	b  *Balancer
	s  *settings
	w  http.ResponseWriter
	rc *http.ResponseController
	r  *http.Request

	ctx    context.Context // ends when the client leaves, does not deliver its body, or everything is aborted; the cause says which
	cancel context.CancelCauseFunc

	id         string
	target     target
	upgrade    bool   // to websocket
	capability string // empty until it is known
	home       string // the pool it counts in
	body       *body  // nil: there is none

	began   time.Time
	arrived time.Time // at the queue; zero: did not get there
	lease   fleet.Lease
	queue   time.Duration // until it had a worker
	service time.Duration // from then until the response head; below 0: no worker answered

	bounces int     // answers that meant: not executed, ask another
	retried bool    // an attempt failed and another was allowed
	broken  failure // that attempt's

	status int // what the client was told; statusClientGone: nothing
	cause  error
}

// failure is what an attempt ended with.
type failure struct {
	problem *problem
	detail  string
	cause   error
	lost    string // what it counts as when nobody answers the request after all; empty: the worker had not taken it
}

// ServeHTTP serves one client's request to its end.
func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		b: b, s: b.settings.Load(), w: w, rc: http.NewResponseController(w), r: r,
		id: requestID(r), began: time.Now(), service: -1,
	}
	x.ctx, x.cancel = context.WithCancelCause(r.Context())
	x.body = x.newBody()
	defer x.end()
	if !b.flights.add(x) {
		x.cancel(errDraining)
	}
	if x.admit() {
		x.serve()
	}
}

// serve claims a worker, lets it try, and does so again while the answer is that another should.
func (x *exchange) serve() {
	req := fleet.Request{Capability: x.capability}
	x.b.budget.earn()
	x.arrived = time.Now()
	for {
		lease, err := x.b.fleet.Acquire(x.ctx, req)
		x.queue = time.Since(x.arrived)
		if err != nil {
			x.unserved(err)
			return
		}
		x.lease, x.home = lease, lease.Home()
		again, not := x.attempt()
		if !again {
			return
		}
		before := lease
		req.Again, req.Not = &before, not
		x.service = -1
	}
}

// unserved answers a request that got no worker, or no other one.
func (x *exchange) unserved(err error) {
	if p := x.ended(); p != nil {
		x.refuse(p, "")
		return
	}
	p := problemOf(err)
	switch {
	case x.retried:
		x.lost(x.broken)
		x.cause = x.broken.cause
		x.refuse(x.broken.problem, x.broken.detail)
	case x.bounces > 0 && (p == errQueueTimeout || p == errQueueFull):
		x.refuse(errWorkerBusy, "Every worker that was asked had something else to do.")
	default:
		x.cause = err
		x.refuse(p, "")
	}
}

// ended tells why the exchange was cut short, or nil when it was not. No worker is to blame then.
func (x *exchange) ended() *problem {
	if x.ctx.Err() == nil {
		return nil
	}
	var p *problem
	if errors.As(context.Cause(x.ctx), &p) {
		return p
	}
	return x.body.verdict()
}

// lost counts a request that a worker had taken and nobody answered.
func (x *exchange) lost(f failure) {
	if f.lost != "" {
		x.b.recorder.Lost(x.home, f.lost)
	}
}

// end books the exchange, however it ended.
func (x *exchange) end() {
	x.lease.Release(fleet.Outcome{Kind: fleet.Unused}) // does nothing unless something panicked on the way
	x.cancel(nil)
	x.body.close()
	x.book()
	x.b.flights.remove(x)
}
