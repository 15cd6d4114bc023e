package fleet

import (
	"slices"
	"time"
)

// A spare may sleep: somebody has frozen it, so that it costs no CPU and answers nobody. It stays a spare; a request that finds nobody
// else calls it and waits at its place in the queue until it is awake. The fleet only keeps the book. Whoever puts workers to sleep and
// wakes them, the scaler, takes four steps: Doze, Asleep, Wake, Awake. A spare that is called while it is still being put to sleep is
// woken as soon as that is over, for nobody knows before in which order an engine does the two.
type slumber uint8

const (
	awake  slumber = iota
	dozing         // it is being put to sleep
	asleep
	waking // it is being woken
)

// Doze begins to put to sleep the spares of a pool that have had nothing to do for idle, and yields them. From now on none of them gets
// a request. Each must be told Asleep of later, however putting it to sleep went.
func (f *Fleet) Doze(pool string, idle time.Duration) []*Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pool(pool)
	if p == nil || f.elsewhere != nil {
		return nil
	}
	now := f.since()
	var out []*Worker
	for _, w := range p.spares {
		if w.sleep == awake && !w.lost && w.inflight == 0 && now-max(w.last, w.spared) >= idle && w.paused <= now && !w.withheld() && !w.group.wanted() {
			w.naps++
			f.setSleep(w, dozing)
			out = append(out, w)
		}
	}
	return out
}

// Asleep says that a worker that Doze yielded sleeps now, or may. When it was called meanwhile, it is among Called from now on.
func (f *Fleet) Asleep(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := f.workers[id]; w != nil && w.sleep == dozing {
		f.setSleep(w, asleep)
		if w.called {
			f.pokeCalls()
		}
	}
}

// Calls receives a value as soon as there is somebody among Called.
func (f *Fleet) Calls() <-chan struct{} { return f.calls }

// Called yields the workers that sleep and are to be woken, because a request waits for them or they are needed in rotation.
func (f *Fleet) Called() []*Worker {
	return f.sleeping(func(w *Worker) bool { return w.called })
}

// Sleeping yields the workers of a pool that sleep and that nobody wakes yet.
func (f *Fleet) Sleeping(pool string) []*Worker {
	return f.sleeping(func(w *Worker) bool { return w.pool.Name == pool })
}

func (f *Fleet) sleeping(which func(*Worker) bool) []*Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sleepers == 0 {
		return nil
	}
	var out []*Worker
	for _, p := range f.pools {
		for _, w := range p.spares {
			if w.sleep == asleep && which(w) {
				out = append(out, w)
			}
		}
	}
	return out
}

// Wake begins to wake a worker that sleeps. It reports false when it does not: it left, or somebody wakes it already. Awake must follow,
// or Fail when it cannot be woken.
func (f *Fleet) Wake(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	if w == nil || w.sleep != asleep {
		return false
	}
	f.setSleep(w, waking)
	return true
}

// Awake says that a worker answers again. When it was called it goes into rotation, and who waits is served; else it is a spare as before.
func (f *Fleet) Awake(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	if w == nil || w.sleep == awake {
		return
	}
	now := f.since()
	f.setSleep(w, awake)
	w.spared = now
	if w.called || w.limit > 0 && !w.lost && w.group.wanted() {
		f.unspare(w)
		w.woken = true
		f.activate(w, now)
		w.woken = false
	}
	f.muster(w.group)
}

// Wakeful yields the workers that are ready and answer: all that are in rotation, and the spares that do not sleep.
func (f *Fleet) Wakeful() []*Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*Worker
	for _, p := range f.pools {
		for _, w := range p.workers {
			if (w.state == Active || w.state == Spare) && w.sleep == awake {
				out = append(out, w)
			}
		}
	}
	return out
}

// Naps tells how often a worker was put to sleep, and whether it is awake: whoever asks it something asks this before and after, for an answer
// that did not come proves nothing about one that slept.
func (f *Fleet) Naps(w *Worker) (n uint32, isAwake bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return w.naps, w.sleep == awake
}

// setSleep keeps count of the workers that are not awake, so that a fleet without any never looks for them.
func (f *Fleet) setSleep(w *Worker, s slumber) {
	if w.sleep != awake {
		f.sleepers--
	}
	if s != awake {
		f.sleepers++
	}
	w.sleep = s
}

func (f *Fleet) pokeCalls() {
	select {
	case f.calls <- struct{}{}:
	default:
	}
}

// call wants a sleeper in rotation.
func (f *Fleet) call(w *Worker) {
	w.called = true
	if w.sleep == asleep {
		f.pokeCalls()
	}
}

// enlist puts a spare into rotation: at once, or when it has been woken for it.
func (f *Fleet) enlist(w *Worker, now time.Duration) {
	if w.sleep != awake {
		f.call(w)
		return
	}
	f.unspare(w)
	f.activate(w, now)
}

// summon calls a sleeper for a request that is about to wait, unless enough are coming. It reports whether enough are then.
func (f *Fleet) summon(r *route, home *pool, not *Worker) bool {
	if f.sleepers == 0 {
		return false
	}
	return r.provided(1) || f.callOne(r, home, not) && r.provided(1)
}

// callOne calls a sleeper that can do it: one of the home pool, else of another.
func (f *Fleet) callOne(r *route, home *pool, not *Worker) bool {
	w := home.sleeper(r, not)
	for i := 0; w == nil && i < len(r.pools); i++ {
		w = r.pools[i].sleeper(r, not)
	}
	if w == nil {
		return false
	}
	f.call(w)
	return true
}

// muster calls as many sleepers as those who wait for a group need: its workers turned out to be fewer than was thought.
func (f *Fleet) muster(g *group) {
	if f.sleepers == 0 {
		return
	}
	for _, r := range g.routes {
		for head := r.queue.head; head != nil && !r.provided(0) && f.callOne(r, head.home, head.req.Not); {
		}
	}
}

// sleeper finds a sleeper of the pool that can do it and was not called.
func (p *pool) sleeper(r *route, not *Worker) *Worker {
	for _, w := range p.spares {
		if w.sleep != awake && !w.called && w.able(r, not) {
			return w
		}
	}
	return nil
}

// able tells whether a spare may be given this request.
func (w *Worker) able(r *route, not *Worker) bool {
	return w != not && w.limit > 0 && !w.lost && slices.Contains(w.group.routes, r)
}

// provided tells whether the sleepers that were called can take all who wait for this route, and more beside them. Whoever else those
// workers will serve is counted with them.
func (r *route) provided(more int) bool {
	coming, shared := 0, []*route{r}
	for _, p := range r.pools {
		for _, w := range p.spares {
			if !w.called || !slices.Contains(w.group.routes, r) {
				continue
			}
			coming += int(w.limit)
			for _, other := range w.group.routes {
				if !slices.Contains(shared, other) {
					shared = append(shared, other)
				}
			}
		}
	}
	waiting := more
	for _, s := range shared {
		waiting += s.queue.n
	}
	return waiting <= coming
}

// calledOut counts the spares on their way into rotation.
func (p *pool) calledOut() int {
	n := 0
	for _, w := range p.spares {
		if w.called {
			n++
		}
	}
	return n
}
