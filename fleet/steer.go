package fleet

import (
	"slices"
	"time"
)

// Steer labels ready workers of ours so that about active are in rotation: spares are promoted, and idle workers in rotation beyond
// active become spares while there are fewer than spare of those. It touches no busy worker. A spare that sleeps is called.
func (f *Fleet) Steer(pool string, active, spare int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pool(pool)
	if p == nil {
		return
	}
	now := f.since()
	f.resume(now)
	have := p.working() + p.calledOut()
	for ; have < active && len(p.spares) > p.calledOut(); have++ {
		f.enlist(p.nextSpare(), now)
	}
	for ; have > active && len(p.spares)-p.calledOut() < spare; have-- {
		w := p.longestIdle(now)
		if w == nil {
			return
		}
		f.stepBack(w)
	}
}

// Retire picks up to n workers of ours that do nothing, spares beyond spare first, then those idle longest, and drains them. They can
// be stopped at once. One that Limit keeps from its whole concurrency stays: somebody else may have given it something to do.
func (f *Fleet) Retire(pool string, n, spare int, reason string) []*Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pool(pool)
	if p == nil {
		return nil
	}
	var out []*Worker
	for len(out) < n {
		w := p.dispensable(spare, f.since())
		if w == nil {
			break
		}
		f.drain(w, reason)
		out = append(out, w)
	}
	return out
}

// nextSpare is the one to promote: ready longest, unless it may not have any task or is lost; one that sleeps only when no other is left. There is one
// that was not called.
func (p *pool) nextSpare() *Worker {
	var best *Worker
	rank := func(w *Worker) int {
		switch {
		case w.limit == 0 || w.lost:
			return 1
		case w.sleep == awake:
			return 3
		default:
			return 2
		}
	}
	for _, w := range p.spares {
		if !w.called && (best == nil || rank(w) > rank(best)) {
			best = w
		}
	}
	return best
}

// dispensable finds the next worker to retire, or nil.
func (p *pool) dispensable(spare int, now time.Duration) *Worker {
	if len(p.spares)-p.calledOut() > spare {
		for _, w := range slices.Backward(p.spares) {
			if !w.withheld() && !w.called && (w.sleep == awake || w.sleep == asleep) {
				return w
			}
		}
	}
	return p.longestIdle(now)
}

// longestIdle finds the worker of ours in rotation that has had nothing to do for the longest time. One that said it was busy has, and one
// that Limit keeps from its whole concurrency may have.
func (p *pool) longestIdle(now time.Duration) *Worker {
	var found *Worker
	for _, w := range p.workers {
		if w.inflight == 0 && w.free(now) && w.Origin.Ours() && !w.withheld() && (found == nil || w.last < found.last) {
			found = w
		}
	}
	return found
}
