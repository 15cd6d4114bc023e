package fleet

import "time"

// The workers of a pool can be replaced one by one while it serves. Which are to go only the scaler knows: it says so with a function, which is
// called under the lock and must not call the fleet.

// RetireFirst is Retire, but those to go are retired before any other. While one of them serves and is not idle, nobody else is: its
// replacement would be started once more.
func (f *Fleet) RetireFirst(pool string, n, spare int, reason string, goes func(*Worker) bool) []*Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pool(pool)
	if p == nil {
		return nil
	}
	var out []*Worker
	for len(out) < n {
		w := f.firstOf(p, p.dispensable(spare, f.since()), goes)
		if w == nil {
			break
		}
		f.drain(w, reason)
		out = append(out, w)
	}
	return out
}

// firstOf is who leaves in the stead of w, which could: one of those to go that is idle, nobody when they are all busy, w when there is none.
func (f *Fleet) firstOf(p *pool, w *Worker, goes func(*Worker) bool) *Worker {
	if w == nil || goes(w) || p.spareOf(goes) == nil && p.leastBusy(goes) == nil {
		return w
	}
	now := f.since()
	old := p.unemployed(goes, now)
	if old != nil {
		f.trade(old, w, now)
	}
	return old
}

// trade puts stays where goes is, in rotation or out of it, because goes leaves in its stead.
func (f *Fleet) trade(goes, stays *Worker, now time.Duration) {
	switch {
	case goes.state == Spare && stays.state == Active:
		f.stepBack(stays)
	case goes.state == Active && stays.state == Spare:
		f.enlist(stays, now)
	}
}

func (f *Fleet) stepBack(w *Worker) {
	w.group.withdraw(w)
	w.become(Spare)
	w.spared = f.since()
	w.pool.spares = append(w.pool.spares, w)
}

// unemployed finds one of those to go that does nothing: a spare, or else one in rotation. nil: none.
func (p *pool) unemployed(goes func(*Worker) bool, now time.Duration) *Worker {
	if w := p.spareOf(goes); w != nil {
		return w
	}
	if w := p.leastBusy(goes); w != nil && w.inflight == 0 && w.free(now) {
		return w
	}
	return nil
}

// Replace drains one of those to go, once the pool can do without it: afterwards it still has active workers in rotation and spare beside
// them. One that does nothing is preferred; what is in flight on another ends there, and one that stays is in rotation before it leaves. One that is fresh and
// may not have all its tasks yet, or sleeps, is put into rotation and waited for. It returns nil when none could go.
func (f *Fleet) Replace(pool string, active, spare int, reason string, goes func(*Worker) bool) *Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pool(pool)
	if p == nil {
		return nil
	}
	w := p.ejectedOf(goes)
	if w == nil {
		if p.working()+len(p.spares) <= active+spare {
			return nil
		}
		w = f.replaceable(p, active, spare, goes)
	}
	if w != nil {
		f.drain(w, reason)
	}
	return w
}

// ejectedOf finds one of those to go that gets nothing anyway.
func (p *pool) ejectedOf(goes func(*Worker) bool) *Worker {
	for _, w := range p.workers {
		if w.state == Active && w.out > 0 && w.inflight == 0 && w.Origin.Ours() && goes(w) {
			return w
		}
	}
	return nil
}

// replaceable finds the one to go and sees to it that others stand where it stood.
func (f *Fleet) replaceable(p *pool, active, spare int, goes func(*Worker) bool) *Worker {
	now := f.since()
	stays := func(w *Worker) bool { return !goes(w) }
	idle, busy := p.spareOf(goes), p.leastBusy(goes)
	switch {
	case idle != nil && len(p.spares)-p.calledOut() > spare:
		return idle
	case busy != nil && p.working() > active:
		if p.fresh(stays) {
			return nil
		}
		return busy
	case busy != nil: // there are more spares than needed
		next := p.spareOf(stays)
		if next == nil {
			return nil
		}
		f.enlist(next, now)
		if next.state != Active || p.fresh(stays) {
			return nil
		}
		return busy
	case idle != nil: // the only one left is a spare that is needed: one in rotation takes its place
		if next := p.longestIdle(now); next != nil && stays(next) {
			f.stepBack(next)
			return idle
		}
	}
	return nil
}

// spareOf finds one of these among the spares.
func (p *pool) spareOf(these func(*Worker) bool) *Worker {
	for _, w := range p.spares {
		if these(w) && !w.withheld() && !w.called {
			return w
		}
	}
	return nil
}

// leastBusy finds the one in rotation of these with the least in flight.
func (p *pool) leastBusy(these func(*Worker) bool) *Worker {
	var found *Worker
	for _, w := range p.workers {
		if w.working() && !w.withheld() && these(w) && (found == nil || w.inflight < found.inflight) {
			found = w
		}
	}
	return found
}

// fresh tells whether one of these in rotation may not have all its tasks yet.
func (p *pool) fresh(these func(*Worker) bool) bool {
	for _, w := range p.workers {
		if w.working() && w.ramp < w.full() && these(w) {
			return true
		}
	}
	return false
}

// working: ours, in rotation, and not out of reach or ejected.
func (w *Worker) working() bool {
	return w.state == Active && w.Origin.Ours() && w.out == 0 && !w.lost
}
