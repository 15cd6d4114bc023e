package fleet

// A worker that is out of reach while the engine is not known to be there is lost: it stays what it is and gets nothing, until it answers
// again or is failed after all. What is in flight on it goes on if it can.

// Lose gives a ready worker nothing more until Regain. It reports false when the worker is not ready, sleeps, or is lost already.
func (f *Fleet) Lose(id, reason string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	if w == nil || w.lost || w.sleep != awake || w.state != Active && w.state != Spare {
		return false
	}
	w.group.withdraw(w)
	w.setLost(true)
	w.reason = reason
	return true
}

// Regain undoes Lose. It reports false when the worker is not lost.
func (f *Fleet) Regain(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	if w == nil || !w.isLost() {
		return false
	}
	w.setLost(false)
	w.reason = ""
	now := f.since()
	switch {
	case w.state == Spare && w.limit > 0 && w.group.wanted():
		f.unspare(w)
		f.activate(w, now)
	case w.state == Active:
		w.group.offer(w, now)
		f.feed(w.group, now)
	}
	return true
}

// Lost counts the workers that are lost.
func (f *Fleet) Lost() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.workers {
		if w.isLost() {
			n++
		}
	}
	return n
}

// isLost: what is not ready any more is not lost either.
func (w *Worker) isLost() bool { return w.lost && (w.state == Active || w.state == Spare) }

func (w *Worker) setLost(lost bool) {
	w.pool.tally(w, -1)
	w.lost = lost
	w.pool.tally(w, +1)
}
