package balancer

import (
	"context"
	"net/http"
	"time"

	"understudy/fleet"
	"understudy/h1"
)

// exchange is one request on its way through the balancer. It belongs to the goroutine that serves it, but for cut. It is used again for other
// requests, so nothing may keep it, or anything of it, once ServeHTTP has returned.
type exchange struct {
	b  *Balancer
	s  *settings
	w  http.ResponseWriter
	rc http.ResponseController

	r *http.Request

	lean h1.FieldWriter // w, where our own front serves; else nil

	cut     cut
	gone    func()          // cuts it short because the client left; made once
	unwatch func()          // has the lean front call gone no more; made once
	fail    func(*problem)  // cuts it short for another reason; made once
	ctx     context.Context // nil: nothing has waited on one

	in     h1.Fields // of the request, in the order they came
	said   said      // what they say that matters here
	out    h1.Fields // of the answer
	values h1.Fields // where in is kept when the front does not keep it

	peer       peer
	id         string
	target     target
	upgrade    bool   // to websocket
	capability string // empty until it is known
	home       string // the pool it counts in
	body       *body  // nil: there is none
	store      body   // where body is kept

	flight  flight
	began   time.Time
	arrived time.Time // at the queue; zero: did not get there
	lease   fleet.Lease
	try     attempt       // the present one
	queue   time.Duration // until it had a worker
	service time.Duration // from then until the response head; below 0: no worker answered

	bounces int     // answers that meant: not executed, ask another
	retried bool    // an attempt failed and another was allowed
	broken  failure // that attempt's

	status int   // what the client was told; statusClientGone: nothing
	sent   int64 // bytes of the answer's body
	cause  error

	trace trace
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
	x := b.newExchange(w, r)
	defer x.end()
	if !b.flights.add(x) {
		x.cutShort(errDraining)
	}
	if x.admit() {
		x.serve()
	}
}

// newExchange takes one that has ended, or makes one.
func (b *Balancer) newExchange(w http.ResponseWriter, r *http.Request) *exchange {
	x, _ := b.exchanges.Get().(*exchange)
	if x == nil {
		x = &exchange{}
		x.gone = func() { x.cutShort(errClientGone) }
		x.unwatch = func() { x.lean.OnGone(nil) }
		x.fail = x.cutShort
	}
	x.b, x.s, x.w, x.r, x.rc = b, b.settings.Load(), w, r, *http.NewResponseController(w)
	x.lean, _ = w.(h1.FieldWriter)
	x.began, x.service = time.Now(), -1
	x.in = x.incoming()
	x.said = listen(x.in)
	x.peer = x.s.peerOf(r, x.in)
	x.id = x.said.requestID()
	x.body = x.newBody()
	x.beginTrace()
	return x
}

// serve claims a worker, lets it try, and does so again while the answer is that another should.
func (x *exchange) serve() {
	req := fleet.Request{Capability: x.capability}
	x.b.budget.earn()
	x.arrived = time.Now()
	defer x.watchClient()()
	for {
		lease, err := x.acquire(req)
		now := time.Now()
		x.queue = now.Sub(x.arrived)
		x.queued(now)
		if err != nil {
			x.unserved(err)
			return
		}
		x.lease, x.home = lease, lease.Home()
		again, not := x.attempt(now)
		if !again {
			return
		}
		before := x.lease
		req.Again, req.Not = &before, not
		x.service = -1
	}
}

// watchClient cuts the exchange short when its client leaves, until unwatch.
func (x *exchange) watchClient() (unwatch func()) {
	if x.lean != nil {
		x.lean.OnGone(x.gone)
		return x.unwatch
	}
	stop := context.AfterFunc(x.r.Context(), x.gone)
	return func() {
		if !stop() {
			x.gone = nil // it may be running still, so this exchange must not be used again
		}
	}
}

// acquire claims a worker, and waits for one where it must.
func (x *exchange) acquire(req fleet.Request) (fleet.Lease, error) {
	lease, waiter, err := x.b.fleet.Claim(req)
	if waiter == nil {
		return lease, err
	}
	return waiter.Wait(x.context())
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
	case p == errQueueTimeout:
		x.cause = err
		x.refuse(p, x.b.whyTimeout())
	default:
		x.cause = err
		x.refuse(p, "")
	}
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
	if x.cut.cancel != nil {
		x.cut.cancel(nil)
	}
	x.body.close()
	x.book()
	x.endTrace()
	x.b.flights.remove(x)
	x.recycle()
}

// keptFields is how many fields an exchange that is used again may have room for.
const keptFields = 128

// recycle lets the exchange be used again, without anything of this request but the room it took.
func (x *exchange) recycle() {
	if x.gone == nil {
		return
	}
	b, buf := x.b, x.store.spare()
	clear(x.out[:cap(x.out)])
	clear(x.values[:cap(x.values)])
	if cap(x.out) > keptFields || cap(x.values) > keptFields {
		x.out, x.values = nil, nil
	}
	*x = exchange{gone: x.gone, unwatch: x.unwatch, fail: x.fail, out: x.out[:0], values: x.values[:0], store: body{buf: buf}}
	b.exchanges.Put(x)
}
