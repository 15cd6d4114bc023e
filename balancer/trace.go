package balancer

import (
	"time"

	"understudy/h1"
)

// Tracer makes a trace of each request. Its methods are called concurrently and must not block.
type Tracer interface {
	// Request begins the span of a request. parent and state are its traceparent and tracestate as they came; empty: there is none.
	Request(at time.Time, parent, state string) Span
}

// Span is that of one request. Its methods are called one after the other, End last.
type Span interface {
	// Queue adds the time it waited for a worker.
	Queue(from, to time.Time)
	// Ask begins the span of an attempt at a worker, and yields the traceparent and tracestate that the worker is given.
	Ask(at time.Time, worker, address string) (parent, state string)
	// Asked ends it. status is the worker's answer; 0: there was none, because of err.
	Asked(at time.Time, status int, err error)
	End(at time.Time, v Visit)
}

// Visit is what a trace tells of a request. Empty texts mean that there is none.
type Visit struct {
	Method, Target, Client, Agent string
	Capability, Pool              string
	Worker, Start, ID             string
	Status                        int // 499: the client left
	Cause                         error
}

const (
	traceParent = "Traceparent"
	traceState  = "Tracestate"
)

// trace is the exchange's part in traces. The zero one is of a balancer that makes none, and costs nothing.
type trace struct {
	span          Span      // nil: there is none
	waits         time.Time // for a worker, since then
	parent, state string    // what the worker is given
}

// beginTrace begins the span where traces are made. More than one traceparent counts as none, as the standard has it.
func (x *exchange) beginTrace() {
	if x.b.tracer == nil {
		return
	}
	parent, state, parents := "", "", 0
	for i := range x.in {
		switch f := &x.in[i]; {
		case h1.EqualFold(f.Name, traceParent):
			parent = f.Value
			parents++
		case h1.EqualFold(f.Name, traceState) && state != "":
			state += "," + f.Value
		case h1.EqualFold(f.Name, traceState):
			state = f.Value
		}
	}
	if parents != 1 {
		parent, state = "", ""
	}
	x.trace.span = x.b.tracer.Request(x.began, parent, state)
}

// queued adds the wait that has just ended.
func (x *exchange) queued(now time.Time) {
	if x.trace.span == nil {
		return
	}
	if x.trace.waits.IsZero() {
		x.trace.waits = x.arrived
	}
	x.trace.span.Queue(x.trace.waits, now)
}

// traceAsk begins the span of an attempt, traceAsked ends it.
func (a *attempt) traceAsk() {
	if t := &a.x.trace; t.span != nil {
		t.parent, t.state = t.span.Ask(a.began, a.x.lease.Worker.ID, a.link.host)
	}
}

func (a *attempt) traceAsked() {
	if t := &a.x.trace; t.span != nil {
		t.waits = time.Now() // if it is to go to another worker
		t.span.Asked(t.waits, a.status, a.err)
	}
}

// endTrace tells how it went.
func (x *exchange) endTrace() {
	if x.trace.span == nil {
		return
	}
	v := Visit{
		Method: x.r.Method, Target: x.target.path, Client: x.peer.name(x.r), Capability: x.capability, Pool: x.home, ID: x.id,
		Status: x.status, Cause: x.cause,
	}
	v.Agent, _ = x.in.Get("User-Agent")
	if w := x.lease.Worker; w != nil {
		v.Worker, v.Start = w.ID, string(x.lease.Start)
	}
	x.trace.span.End(time.Now(), v)
}

// traced tells whether a field of the request is replaced by our own.
func (x *exchange) traced(name string) bool {
	return x.trace.span != nil && (h1.EqualFold(name, traceParent) || h1.EqualFold(name, traceState))
}

// appendTrace writes what the worker is given.
func (x *exchange) appendTrace(b []byte) []byte {
	if x.trace.parent == "" {
		return b
	}
	b = h1.AppendField(b, traceParent, x.trace.parent)
	if x.trace.state != "" {
		b = h1.AppendField(b, traceState, x.trace.state)
	}
	return b
}
