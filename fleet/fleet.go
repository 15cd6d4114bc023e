// Package fleet is the truth about workers and the requests that wait for them. It does no I/O and runs no goroutine: everything
// happens inside somebody's call, under one lock held for a few hundred nanoseconds.
//
// The balancer claims workers for requests; the scaler adds, promotes, drains and removes them. The two meet here and nowhere else.
package fleet

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Errors of Acquire.
var (
	ErrUnknownCapability = errors.New("no pool has this capability")
	ErrQueueFull         = errors.New("the queue is full")
	ErrQueueTimeout      = errors.New("no worker became free in time")
	ErrNoWorker          = errors.New("no worker can be had")
)

// PoolConfig is what the fleet must know of a pool. Everything but Name, Capabilities and Pick may change while it runs.
type PoolConfig struct {
	Name         string
	Capabilities []string // "*": what no other pool names
	Concurrency  int      // tasks at a time of a worker that does not say otherwise, at least 1
	Max          int      // workers of ours; at its max a pool hands new arrivals over to the next one with the capability
	Pick         Pick
	QueueLength  int           // per capability
	QueueWait    time.Duration // the longest a request may wait
	Target       time.Duration // a request slower than this missed
	Eject        Eject
	Ramp         time.Duration // by when a fresh worker may have its whole concurrency; 0: at once
}

// Wildcard is the capability that takes what no other pool names.
const Wildcard = "*"

// Fleet holds every worker and every waiting request of a balancer. All methods may be called concurrently.
type Fleet struct {
	now   func() time.Time
	epoch time.Time

	mu       sync.Mutex
	pools    []*pool // in the order of the configuration
	routes   map[string]*route
	groups   []*group
	workers  map[string]*Worker
	paused   []*Worker
	ramping  []*Worker     // that may not have their whole concurrency yet
	rampedAt time.Duration // when that was last looked at
	seq      uint64
	slots    slotList // released slots, to be used again
	onGone   []func(*Worker)
	changed  chan struct{}
	calls    chan struct{}
	sleepers int       // workers that are not awake
	verdicts []Verdict // that nobody has asked for yet

	engine    *Engine   // what runs them
	elsewhere Elsewhere // who has the workers; nil: this fleet
}

// route is one capability: who has it, and who waits for it.
type route struct {
	capability string
	pools      []*pool  // that have it: fewest capabilities first, then as configured
	groups     []*group // whose workers have it: fewest capabilities first
	queue      queue
}

// New makes a fleet of these pools. now is the clock, time.Now outside tests and simulations.
func New(pools []PoolConfig, now func() time.Time) *Fleet {
	f := &Fleet{
		now: now, epoch: now(),
		routes:  map[string]*route{},
		workers: map[string]*Worker{},
		changed: make(chan struct{}, 1), calls: make(chan struct{}, 1),
		engine: newEngine(),
	}
	for i, c := range pools {
		c.Concurrency = max(c.Concurrency, 1)
		p := &pool{PoolConfig: c, order: i, gauge: newGauge()}
		p.gauge.level(0, p)
		f.pools = append(f.pools, p)
		for _, capability := range c.Capabilities {
			f.route(capability).pools = append(f.route(capability).pools, p)
		}
	}
	for _, r := range f.routes {
		slices.SortStableFunc(r.pools, func(a, b *pool) int { return len(a.Capabilities) - len(b.Capabilities) })
	}
	return f
}

func (f *Fleet) route(capability string) *route {
	r, ok := f.routes[capability]
	if !ok {
		r = &route{capability: capability}
		f.routes[capability] = r
	}
	return r
}

// Update changes what may change about a pool while it runs: limits, target, concurrency of workers yet to come. It reports false when there is no such pool.
func (f *Fleet) Update(c PoolConfig) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pool(c.Name)
	if p == nil {
		return false
	}
	p.Concurrency, p.Max = max(c.Concurrency, 1), c.Max
	p.QueueLength, p.Target, p.Ramp = c.QueueLength, c.Target, c.Ramp
	p.Eject = c.Eject
	f.setQueueWait(p, c.QueueWait)
	return true
}

// SetQueueWait changes how long requests whose home is this pool may wait, those that wait already included.
func (f *Fleet) SetQueueWait(pool string, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.pool(pool); p != nil {
		f.setQueueWait(p, wait)
	}
}

func (f *Fleet) setQueueWait(p *pool, wait time.Duration) {
	shorter := wait < p.QueueWait
	p.QueueWait = wait
	if !shorter || p.queued == 0 {
		return
	}
	for _, r := range f.routes {
		for w := r.queue.head; w != nil; w = w.next {
			if w.home == p {
				w.nudge()
			}
		}
	}
}

// Resolve turns the first segment of a path into the capability that takes it: the name itself, or the wildcard. It reports false when no pool does.
func (f *Fleet) Resolve(segment string) (capability string, ok bool) {
	// routes never changes after New, so no lock is needed
	if _, ok := f.routes[segment]; ok && segment != Wildcard {
		return segment, true
	}
	if _, ok := f.routes[Wildcard]; ok {
		return Wildcard, true
	}
	return "", false
}

// Capabilities lists what the pools can do, sorted.
func (f *Fleet) Capabilities() []string {
	names := make([]string, 0, len(f.routes))
	for name := range f.routes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// OnGone adds a function to be called, outside the lock, whenever a worker has left for good. Call it before the fleet is used.
func (f *Fleet) OnGone(fn func(*Worker)) { f.onGone = append(f.onGone, fn) }

// Changed receives a value soon after something happened that the scaler should look at before its next tick: a worker failed.
func (f *Fleet) Changed() <-chan struct{} { return f.changed }

func (f *Fleet) poke() { signal(f.changed) }

// SetUnavailable says that no worker of the pool can be had and why, or with an empty reason that it can again. Requests that only an
// unavailable pool without a live worker could serve are refused at once, those that wait already included.
func (f *Fleet) SetUnavailable(pool, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pool(pool)
	if p == nil || p.unavailable == reason {
		return
	}
	p.unavailable = reason
	f.dismiss()
}

// dismiss ends the waiting of those whom nobody can ever serve.
func (f *Fleet) dismiss() {
	for _, r := range f.routes {
		if r.queue.n == 0 || r.hope() {
			continue
		}
		for w := r.queue.head; w != nil; w = r.queue.head {
			r.queue.remove(w)
			w.home.gauge.level(f.since(), w.home)
			close(w.granted)
		}
	}
}

// SetDesired records what the scaler wants, for Status.
func (f *Fleet) SetDesired(pool string, workers int, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.pool(pool); p != nil {
		p.desired, p.reason = workers, reason
	}
}

// hope tells whether anybody can ever serve this route: a pool that can still start workers, or a worker that lives.
func (r *route) hope() bool {
	for _, p := range r.pools {
		if p.unavailable == "" {
			return true
		}
	}
	for _, g := range r.groups {
		if g.workers > 0 {
			return true
		}
	}
	return false
}

// since is the time on the fleet's own clock, which starts with it.
func (f *Fleet) since() time.Duration { return f.now().Sub(f.epoch) }

// unknown is the error for a worker id nobody has.
func unknown(id string) error { return fmt.Errorf("there is no worker %q", id) }

// Clock is the time since the fleet was made; Measured.Now is on the same clock.
func (f *Fleet) Clock() time.Duration { return f.since() }
