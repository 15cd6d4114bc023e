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
	set     map[*exchange]struct{}
	empty   chan struct{} // closed when the set becomes empty; nil: nobody waits
}

// add reports false when everything is being ended.
func (f *flights) add(x *exchange) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.set == nil {
		f.set = map[*exchange]struct{}{}
	}
	f.set[x] = struct{}{}
	return !f.aborted
}

func (f *flights) remove(x *exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.set, x)
	if len(f.set) == 0 && f.empty != nil {
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
	for x := range f.set {
		x.cancel(errDraining)
		_ = x.rc.SetWriteDeadline(time.Now().Add(abortGrace / 2))
	}
}

// wait returns nil once the set is empty, or ctx's cause.
func (f *flights) wait(ctx context.Context) error {
	for {
		f.mu.Lock()
		if len(f.set) == 0 {
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
