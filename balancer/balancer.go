// Package balancer is the data plane: it takes a client's request, claims a worker for it in the fleet, forwards it, and relays the answer.
//
// One request runs through proxy.go (what happens in which order), fields.go (what a front hands over and takes), capability.go (whose it is),
// forward.go (one attempt on one worker), wire.go (its connection) and answer.go (the way back), all on one goroutine: only a body that comes
// piece by piece has another, in body.go, and one more that sends it on, in upload.go. cut.go ends it all from outside. errors.go is the one table of what a client is told when something goes wrong. Beside that run three loops:
// Health takes workers that stopped answering out of rotation, Members keeps fixed members, Registry takes workers that register themselves.
//
// Where its behaviour is a choice:
//   - While no pool takes the wildcard, GET / answers `ready to work <instance>`, so that a planner can register the balancer as a worker.
//   - Expect: 100-continue is answered by the balancer when it begins to read the body, and not forwarded.
//   - A body of known size up to 64 KiB is read before a worker is claimed: a slow sender holds no worker, a client that leaves while it waits
//     is noticed, and the request can be sent again. Larger ones and those of unknown size are read ahead by at most 64 KiB.
//   - An answer that comes during an upload is relayed, and the worker's connection is not used again.
//   - A connection that a worker closed while it was kept says nothing about the worker: the request goes on a new one to the same worker, when
//     nothing of it was sent or it may be repeated. From then on, for a minute, what may not be repeated goes on new connections only.
//   - Answers to chunked requests and to HTTP/1.0 close the connection, so that nothing hidden behind an ambiguous body can become a request.
package balancer

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/logs"
	"understudy/probe"
)

// Options are what a Balancer is made of. Fleet and Config are required.
type Options struct {
	Fleet    *fleet.Fleet // not used by anybody before New returns: the balancer wants to hear of every worker that leaves
	Config   *config.Config
	Log      *slog.Logger // nil: nothing is logged
	Access   *logs.Access // nil: requests are not logged
	Recorder Recorder     // nil: nothing is counted
	Tracer   Tracer       // nil: no traces are made, and traceparent passes through
	Prober   Prober       // nil: a new probe.Prober
}

// Prober asks workers whether they are there; *probe.Prober does.
type Prober interface {
	Check(ctx context.Context, t probe.Target) error
	Await(ctx context.Context, t probe.Target, warmup int) error
}

// Balancer serves the clients. It is an http.Handler; all methods may be called concurrently.
type Balancer struct {
	fleet    *fleet.Fleet
	log      *slog.Logger
	access   *logs.Access
	recorder Recorder
	tracer   Tracer

	settings  atomic.Pointer[settings]
	tls       atomic.Pointer[tls.Config] // nil: clients are not encrypted
	upstreams upstreams
	flights   flights
	budget    budget
	pressure  pressure
	buffers   sync.Pool // of *[]byte, for what is relayed
	exchanges sync.Pool // of *exchange, to be used again

	health   *Health
	members  *Members
	registry *Registry
}

// relayBuffer is how much of an answer is read at a time.
const relayBuffer = 32 << 10

// New makes a Balancer. It starts nothing: run Health, Members and Registry for the loops beside the requests. Nothing is encrypted until
// LoadCertificate has been called.
func New(o Options) *Balancer {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Recorder == nil {
		o.Recorder = Noop{}
	}
	if o.Prober == nil {
		o.Prober = probe.New()
	}
	b := &Balancer{fleet: o.Fleet, log: o.Log, access: o.Access, recorder: o.Recorder, tracer: o.Tracer}
	b.buffers.New = func() any { buf := make([]byte, relayBuffer); return &buf }
	b.budget.fill()
	b.pressure.init()
	b.upstreams.init(o.Fleet, time.Now())
	b.SetConfig(o.Config)
	b.health = newHealth(b, o.Prober)
	b.members = newMembers(b, o.Prober)
	b.registry = newRegistry(b, o.Prober)
	o.Fleet.OnGone(b.upstreams.drop)
	return b
}

// SetConfig puts another configuration in force for requests that arrive from now on. Of limits.header, limits.idle between requests and
// the connections there may be a running server keeps what it was made with.
func (b *Balancer) SetConfig(c *config.Config) {
	next := newSettings(c)
	if old := b.settings.Load(); old != nil {
		next.throttle = next.throttle.following(old.throttle)
		next.remember(old, b.fleet.Workers())
	}
	b.settings.Store(next)
}

// Health, Members and Registry are the loops beside the requests. Each must be Run for the balancer to be whole.
func (b *Balancer) Health() *Health     { return b.health }
func (b *Balancer) Members() *Members   { return b.members }
func (b *Balancer) Registry() *Registry { return b.registry }

// Drain makes every answer from now on close its connection. Requests, also new ones on connections that are open, are served.
func (b *Balancer) Drain() { b.flights.drain() }

// Wait returns nil once no request is in flight, upgraded connections included, or ctx's cause.
func (b *Balancer) Wait(ctx context.Context) error { return b.flights.wait(ctx) }

// Rest closes the connections to a worker that nobody uses, before it is paused. It may get requests all the same.
func (b *Balancer) Rest(w *fleet.Worker) { b.upstreams.rest(w) }

// abortGrace is how long Abort waits for requests to notice.
const abortGrace = time.Second

// Abort ends every request in flight, and those that still arrive: with 503 draining where no answer has begun, else by cutting the
// connection. It returns when they have ended, at the latest after a second.
func (b *Balancer) Abort() {
	b.flights.abort()
	ctx, cancel := context.WithTimeout(context.Background(), abortGrace)
	defer cancel()
	_ = b.flights.wait(ctx) // who has not noticed by then is cut off with the server's connections
}

var _ http.Handler = (*Balancer)(nil)
