package fleet

import "math"

// Limit says that from now on at most n tasks at a time go to this worker, whatever its concurrency; n beyond 0..Concurrency is cut to
// that. Lowering takes nothing away from it: it finishes what it has and gets nothing new until it has fewer than n. Raising feeds those
// who wait at once. It may be called before the worker is ready. A worker limited to 0 stays in its state and gets nothing.
//
// Whoever lowers a limit has a reason the fleet cannot see, such as tasks that another balancer has on the worker. That is why a worker
// that may not have its whole concurrency is never chosen by Retire. Limit reports false when there is no such worker.
func (f *Fleet) Limit(id string, n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	if w == nil {
		return false
	}
	w.allowed = min(max(int32(min(n, w.Concurrency)), 0), w.full())
	f.relimit(w, min(w.allowed, w.ramp))
	return true
}

// relimit puts a limit in force. A worker that remains on offer keeps its turn.
func (f *Fleet) relimit(w *Worker, limit int32) {
	if limit == w.limit {
		return
	}
	w.setLimit(limit)
	now := f.since()
	switch {
	case w.queued && !w.free(now):
		w.group.withdraw(w)
	case w.state == Spare && limit > 0 && w.group.wanted():
		f.enlist(w, now)
	case !w.queued && w.free(now):
		w.group.offer(w, now)
		f.feed(w.group, now)
	}
	if w.called {
		f.muster(w.group)
	}
}

func (w *Worker) setLimit(limit int32) {
	w.pool.tally(w, -1)
	w.limit = limit
	w.pool.tally(w, +1)
}

// room is how many tasks the worker could take on top of what it has.
func (w *Worker) room() int {
	if w.state != Active && w.state != Spare || w.out > 0 || w.lost {
		return 0
	}
	return int(max(w.limit-w.inflight, 0))
}

// full is the worker's concurrency as the fleet counts it.
func (w *Worker) full() int32 { return int32(min(w.Concurrency, math.MaxInt32)) }

// withheld tells whether somebody said that the worker may not have all it could take.
func (w *Worker) withheld() bool { return w.allowed < w.full() }
