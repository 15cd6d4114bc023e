package fleet

import (
	"context"
	"time"
)

// Waiter is a request that stands in a queue. It ends in one of two ways: Granted yields, or the caller calls Leave.
type Waiter struct {
	fleet  *Fleet
	waiter *waiter
}

// Claim is Acquire for a caller that cannot block, such as a simulation: it returns a lease, or else a place in the queue, or an error of
// Acquire's. A caller that waits this way sees to its own deadline, and to Measure being called now and then: nobody else brings back workers
// that paused because they said they were busy.
func (f *Fleet) Claim(req Request) (Lease, *Waiter, error) {
	lease, w, err := f.claim(req)
	if err != nil || w == nil {
		return lease, nil, err
	}
	return Lease{}, &Waiter{f, w}, nil
}

// Wait blocks until the request has a worker, its time is over, or ctx ends: the rest of an Acquire. Nothing else of the Waiter may be used then.
func (w *Waiter) Wait(ctx context.Context) (Lease, error) { return w.fleet.wait(ctx, w.waiter) }

// Granted yields the lease when a worker is free, once. It is closed without one when nobody can ever serve the request.
func (w *Waiter) Granted() <-chan Lease { return w.waiter.granted }

// Home names the pool the request counts in.
func (w *Waiter) Home() string { return w.waiter.home.Name }

// Deadline is when the request has waited as long as its pool allows, on the fleet's clock. SetQueueWait moves it.
func (w *Waiter) Deadline() time.Duration {
	w.fleet.mu.Lock()
	defer w.fleet.mu.Unlock()
	return w.waiter.deadline()
}

// Leave gives the place in the queue up and returns ErrQueueTimeout. A lease that was granted in the same moment and not yet received is
// returned in its stead, without an error, and must be released.
func (w *Waiter) Leave() (Lease, error) { return w.fleet.leave(w.waiter, ErrQueueTimeout) }
