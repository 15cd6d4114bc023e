package balancer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// flights is the set of requests between arrival and last byte, upgraded connections included.
type flights struct {
	draining atomic.Bool

	mu      sync.Mutex
	aborted bool
	first   *exchange     // they are linked through themselves, so that coming and going allocates nothing
	empty   chan struct{} // closed when the set becomes empty; nil: nobody waits
}

// flight is an exchange's place in the set, guarded by flights.mu.
type flight struct{ prev, next *exchange }

// add reports false when everything is being ended.
func (f *flights) add(x *exchange) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	x.flight = flight{next: f.first}
	if f.first != nil {
		f.first.flight.prev = x
	}
	f.first = x
	return !f.aborted
}

func (f *flights) remove(x *exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, after := x.flight.prev, x.flight.next
	if before == nil {
		f.first = after
	} else {
		before.flight.next = after
	}
	if after != nil {
		after.flight.prev = before
	}
	if f.first == nil && f.empty != nil {
		close(f.empty)
		f.empty = nil
	}
}

func (f *flights) drain() { f.draining.Store(true) }

// abort cancels all. Those that answer 503 get a moment to write it, also to a client that does not read.
func (f *flights) abort() {
	f.drain()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.aborted = true
	for x := f.first; x != nil; x = x.flight.next {
		x.cutShort(errDraining)
		_ = x.rc.SetWriteDeadline(time.Now().Add(abortGrace / 2))
	}
}

// wait returns nil once the set is empty, or ctx's cause.
func (f *flights) wait(ctx context.Context) error {
	for {
		f.mu.Lock()
		if f.first == nil {
			f.mu.Unlock()
			return nil
		}
		if f.empty == nil {
			f.empty = make(chan struct{})
		}
		empty := f.empty
		f.mu.Unlock()
		select {
		case <-empty:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
