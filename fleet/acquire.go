package fleet

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Request asks for one slot on one worker.
type Request struct {
	Capability string  // as Resolve gave it
	Not        *Worker // a worker that must not get it: it failed at this very request
	Again      *Lease  // the lease of an earlier attempt: the request keeps its place in the queue and is not counted as a new arrival
	Place      *Place  // where it stood in another fleet; nil: it arrived here
}

// Start says what a request had to wait for.
type Start string

const (
	Warm       Start = "warm"  // a worker in rotation
	SpareStart Start = "spare" // the spare, promoted for it
	ColdStart  Start = "cold"  // a worker that had to be started
)

// Acquire claims a worker for a request: an idle one in rotation, else the spare, which is promoted in the same call, else the first
// to become free. A spare that sleeps is called, and becomes free when it is awake: that is no waiting that a full queue forbids. It returns an error that wraps ErrUnknownCapability, ErrQueueFull, ErrQueueTimeout or ErrNoWorker, or ctx's cause when the caller left.
// Whoever gets a lease must Release it exactly once.
func (f *Fleet) Acquire(ctx context.Context, req Request) (Lease, error) {
	lease, w, err := f.claim(req)
	if err != nil || w == nil {
		return lease, err
	}
	return f.wait(ctx, w)
}

// claim is the part under the lock: a lease, or a place in the queue, or an error.
func (f *Fleet) claim(req Request) (Lease, *waiter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.routes[req.Capability]
	if r == nil {
		return Lease{}, nil, ErrUnknownCapability
	}
	now := f.since()
	f.resume(now)
	home, arrived, seq := f.arrive(r, req, now)
	if f.elsewhere != nil {
		w := newWaiter(req, r, home, arrived, seq)
		w.sendAway(false)
		return Lease{}, w, nil
	}
	if w, start := f.pick(r, home, req.Not, now); w != nil {
		return f.lease(w, r, home, arrived, seq, now, start), nil, nil
	}
	coming := f.summon(r, home, req.Not)
	switch {
	case !r.hope():
		return Lease{}, nil, ErrNoWorker
	case !coming && r.queue.n >= home.QueueLength && !req.admitted():
		return Lease{}, nil, ErrQueueFull
	}
	w := newWaiter(req, r, home, arrived, seq)
	r.queue.add(w)
	home.gauge.level(now, home)
	return Lease{}, w, nil
}

// arrive gives a new arrival its home and its place in the order, and a returning one those it had.
func (f *Fleet) arrive(r *route, req Request, now time.Duration) (home *pool, arrived time.Duration, seq uint64) {
	if req.Again != nil && req.Again.home != nil {
		return req.Again.home, req.Again.arrived, req.Again.order
	}
	home = r.home()
	if !req.admitted() {
		home.gauge.arrivals.Add(now)
	}
	if req.Place != nil {
		return home, now - req.Place.Waited, req.Place.Order
	}
	f.seq++
	return home, now, f.seq
}

// admitted tells whether the request has been let in before.
func (req Request) admitted() bool {
	return req.Again != nil || req.Place != nil && req.Place.Admitted
}

// home is the pool an arrival counts in: the first that has the capability, or the next while that one can neither serve nor grow.
// Where none can, it is the first that is not unavailable.
func (r *route) home() *pool {
	home := r.pools[0]
	for _, p := range r.pools {
		switch {
		case p.unavailable != "":
		case p.ours() < p.Max || p.room > 0:
			return p
		case home.unavailable != "":
			home = p
		}
	}
	return home
}

// pick finds a worker that can begin now: the next idle one in rotation, else a spare of the home pool, else one of another pool.
func (f *Fleet) pick(r *route, home *pool, not *Worker, now time.Duration) (*Worker, Start) {
	for _, g := range r.groups {
		if w := g.take(not); w != nil {
			return w, Warm
		}
	}
	if w := home.promote(r, not); w != nil {
		return w, SpareStart
	}
	for _, p := range r.pools {
		if w := p.promote(r, not); w != nil {
			return w, SpareStart
		}
	}
	return nil, ""
}

// promote puts the pool's oldest spare that can do it into rotation. One adopted from an earlier configuration may not, nor one limited to
// nothing, nor one that sleeps.
func (p *pool) promote(r *route, not *Worker) *Worker {
	for i, w := range p.spares {
		if w.sleep == awake && w.able(r, not) {
			p.spares = slices.Delete(p.spares, i, i+1)
			w.become(Active)
			return w
		}
	}
	return nil
}

// feed gives the oldest requests waiting to the free workers of a group. A request that must not have the worker that is free is
// passed over and keeps its place, and so does the worker.
func (f *Fleet) feed(g *group, now time.Duration) {
	var passed uint64
	for wt := g.oldest(passed); wt != nil; wt = g.oldest(passed) {
		w := g.take(wt.req.Not)
		switch {
		case w == nil && wt.req.Not == nil:
			return
		case w == nil:
			passed = wt.seq
			continue
		}
		f.unqueue(wt)
		start := Warm
		switch {
		case w.woken:
			start = SpareStart
		case w.served == 0 && w.readyAt > wt.arrived && w.Origin == Cold:
			start = ColdStart
		}
		wt.granted <- f.lease(w, wt.route, wt.home, wt.arrived, wt.seq, now, start)
	}
}

// oldest finds the request that has waited longest among those that a worker of this group can serve and that arrived after passed.
func (g *group) oldest(passed uint64) *waiter {
	var found *waiter
	for _, r := range g.routes {
		if w := r.queue.first(passed); w != nil && (found == nil || w.seq < found.seq) {
			found = w
		}
	}
	return found
}

// unqueue takes a waiter out of its queue. Whoever is at the head now watches over the paused workers in its stead.
func (f *Fleet) unqueue(w *waiter) {
	q := &w.route.queue
	watched := q.head == w
	q.remove(w)
	if watched && len(f.paused) > 0 {
		q.nudge()
	}
}

// wait blocks until the waiter is granted a lease, here or elsewhere, or leaves.
func (f *Fleet) wait(ctx context.Context, w *waiter) (Lease, error) {
	lease, err := f.stand(ctx, w)
	if err == errAway {
		return f.borrow(ctx, w)
	}
	return lease, err
}

// stand is the waiting in this fleet's queue.
func (f *Fleet) stand(ctx context.Context, w *waiter) (Lease, error) {
	for {
		timer := time.NewTimer(f.nextWake(w))
		select {
		case lease, ok := <-w.granted:
			timer.Stop()
			if !ok {
				return Lease{}, w.dismissed()
			}
			return lease, nil
		case <-ctx.Done():
			timer.Stop()
			return f.leave(w, context.Cause(ctx))
		case <-w.nudged:
			timer.Stop()
		case <-timer.C:
			if f.wake(w) {
				return f.leave(w, ErrQueueTimeout)
			}
		}
	}
}

// dismissed is why the waiting ended without a lease: the workers are elsewhere, or nobody can ever serve the request.
func (w *waiter) dismissed() error {
	if w.away {
		return errAway
	}
	return ErrNoWorker
}

// deadline is when the waiter's time is over. It moves when its home's queue wait does: the rule in force holds for all who wait.
func (w *waiter) deadline() time.Duration { return w.arrived + w.home.QueueWait }

// leave takes a waiter out of the queue. One that was granted a lease in the same moment gives it back when its caller has left, and
// takes it when only its time was over.
func (f *Fleet) leave(w *waiter, cause error) (Lease, error) {
	f.mu.Lock()
	if w.queued {
		f.unqueue(w)
		w.home.gauge.level(f.since(), w.home)
		f.mu.Unlock()
		return Lease{}, cause
	}
	f.mu.Unlock()
	lease, ok := <-w.granted // never blocks: it was granted or closed under the lock
	switch {
	case !ok:
		return Lease{}, w.dismissed()
	case errors.Is(cause, ErrQueueTimeout):
		return lease, nil
	default:
		lease.Release(Outcome{Kind: Unused})
		return Lease{}, cause
	}
}
