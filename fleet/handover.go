package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A fleet can give its workers into other hands while requests are in flight: those of the fleet of the process that takes over. From
// then on it claims nothing by itself. Every request that waits or arrives asks there, and the end of every lease is told there, those from
// before included. So one fleet knows every task on every worker at any moment, and no worker ever gets more than it takes.

// ErrTakenBack is Elsewhere's answer when there is nobody any more: the fleet decides by itself again.
var ErrTakenBack = errors.New("whoever had the workers is gone")

// errAway ends the waiting of who must ask elsewhere.
var errAway = errors.New("the workers are elsewhere")

// Elsewhere is who has the workers now. Its methods are called concurrently.
type Elsewhere interface {
	// Given is called once, under the fleet's lock and before anything else: these are the workers with what is in flight on each, and the order
	// of the last arrival. It must not block.
	Given(held []Held, order uint64)
	// Claim blocks until there is a slot, or returns an error of Acquire's, or ctx's cause, or ErrTakenBack.
	Claim(ctx context.Context, want Want) (Grant, error)
	// Returned is called under the fleet's lock, in the order in which leases end. It must not block.
	Returned(Return)
}

// Want is a request that asks for a slot on a worker that somebody else has.
type Want struct {
	Capability string
	Not        string // the id of a worker that must not get it; empty: any may
	Place      Place
}

// Place is where a request stood in another fleet. It keeps it.
type Place struct {
	Order    uint64        // of its arrival
	Waited   time.Duration // since then
	Admitted bool          // it has been let in: it does not count as an arrival again, and is not refused because the queue is full
}

// Grant is a slot on a worker that somebody else has.
type Grant struct {
	Token  uint64 // names the slot when it is returned; not 0
	Worker Info
	Start  Start
}

// Return says that a slot is free again.
type Return struct {
	Token  uint64 // 0: one of those that were taken before the workers were given away
	Worker string
	Kind   Kind
	Lacks  bool // the worker said that it cannot do the capability
}

// Held is a worker at the moment it was given away.
type Held struct {
	Info
	State  State
	Reason string // why it drains or failed
	Busy   int    // tasks of ours on it
}

// Workers that are given away are numbered on from here, so that requests of the fleet that gave them, which are older or few, come first.
const nextGeneration = 1 << 40

// HandOver gives every worker away: in one step nothing is claimed here any more. Requests that wait ask elsewhere at once.
func (f *Fleet) HandOver(to Elsewhere) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.elsewhere = to
	var held []Held
	for _, p := range f.pools {
		for _, w := range p.workers {
			info := w.Info
			info.Warm = w.ramp == w.full() // whoever has the workers next need not let it warm up again
			held = append(held, Held{Info: info, State: w.state, Reason: w.reason, Busy: int(w.inflight)})
		}
	}
	to.Given(held, f.seq)
	now := f.since()
	for _, r := range f.routes {
		for w := r.queue.head; w != nil; w = r.queue.head {
			r.queue.remove(w)
			w.home.gauge.level(now, w.home)
			w.sendAway(true)
		}
	}
}

// TakeBack undoes HandOver. Requests that ask elsewhere come back as soon as they are told ErrTakenBack there.
func (f *Fleet) TakeBack() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.elsewhere = nil
}

// Follow makes this fleet number its arrivals after those of the fleet whose workers it takes over.
func (f *Fleet) Follow(order uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq = max(f.seq, order+nextGeneration)
}

// Occupy books a slot of one worker for a task that is on it already, whatever its state and its limit. It reports false when there is no
// such worker.
func (f *Fleet) Occupy(id string) (Lease, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	if w == nil {
		return Lease{}, false
	}
	f.seq++
	now := f.since()
	return f.occupy(w, w.group.routes[0], w.pool, now, f.seq, now, Warm), true
}

// occupy books a slot on this very worker, which goes into rotation when it was a spare.
func (f *Fleet) occupy(w *Worker, r *route, home *pool, arrived time.Duration, seq uint64, now time.Duration, start Start) Lease {
	if w.state == Spare {
		f.unspare(w)
		f.setSleep(w, awake) // whoever has the workers knows
		w.become(Active)
	}
	w.group.withdraw(w)
	return f.lease(w, r, home, arrived, seq, now, start)
}

// sendAway makes a waiter ask elsewhere. admitted: it had a place in the queue.
func (w *waiter) sendAway(admitted bool) {
	w.away, w.admitted = true, admitted
	close(w.granted)
}

// borrow asks elsewhere for a waiter that was sent away.
func (f *Fleet) borrow(ctx context.Context, w *waiter) (Lease, error) {
	f.mu.Lock()
	to, now := f.elsewhere, f.since()
	f.mu.Unlock()
	place := Place{Order: w.seq, Waited: now - w.arrived, Admitted: w.admitted || w.req.Again != nil}
	if to == nil {
		return f.comeBack(ctx, w, place)
	}
	want := Want{Capability: w.req.Capability, Place: place}
	if w.req.Not != nil {
		want.Not = w.req.Not.ID
	}
	grant, err := to.Claim(ctx, want)
	switch {
	case errors.Is(err, ErrTakenBack):
		f.forsake(to)
		return f.comeBack(ctx, w, place)
	case err != nil:
		return Lease{}, err
	}
	return f.borrowed(w, grant)
}

// forsake stops asking somebody who is gone.
func (f *Fleet) forsake(gone Elsewhere) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.elsewhere == gone {
		f.elsewhere = nil
	}
}

// comeBack claims here again, at the place the request had.
func (f *Fleet) comeBack(ctx context.Context, w *waiter, place Place) (Lease, error) {
	req := w.req
	place.Admitted = true
	req.Place = &place
	return f.Acquire(ctx, req)
}

// borrowed books a grant. A worker that is not known here was added where the workers are now.
func (f *Fleet) borrowed(w *waiter, g Grant) (Lease, error) {
	worker, err := f.known(g.Worker, w.home.Name)
	if err != nil {
		f.giveBack(g)
		return Lease{}, fmt.Errorf("%w: %w", ErrNoWorker, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	lease := f.occupy(worker, w.route, w.home, w.arrived, w.seq, f.since(), g.Start)
	lease.slot.token = g.Token
	return lease, nil
}

func (f *Fleet) giveBack(g Grant) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.elsewhere != nil {
		f.elsewhere.Returned(Return{Token: g.Token, Worker: g.Worker.ID, Kind: Unused})
	}
}

// known finds or adds a worker, in its pool or, where that is not known, in the pool home.
func (f *Fleet) known(info Info, home string) (*Worker, error) {
	w, _, ok := f.Worker(info.ID)
	if ok && w.Generation == info.Generation {
		return w, nil
	}
	f.Remove(info.ID) // does nothing when there is none
	if w, err := f.Add(info); err == nil {
		return w, nil
	}
	info.Pool, info.Capabilities = home, nil
	w, err := f.Add(info)
	if err != nil {
		if w, _, ok := f.Worker(info.ID); ok && w.Generation == info.Generation {
			return w, nil // another request added it meanwhile
		}
	}
	return w, err
}
