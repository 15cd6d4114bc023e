package fleet

import (
	"fmt"
	"slices"
	"time"
)

// Add puts a worker into the fleet in state starting. Ours count against their pool's max from now on. A registered worker without a
// pool gets as its home, among the pools with one of its capabilities, the one that can do least. The error says which field is wrong.
func (f *Fleet) Add(info Info) (*Worker, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info.ID == "" {
		return nil, fmt.Errorf("a worker needs an id")
	}
	if _, ok := f.workers[info.ID]; ok {
		return nil, fmt.Errorf("there is a worker %q already", info.ID)
	}
	capabilities, home, err := f.place(info)
	if err != nil {
		return nil, err
	}
	info.Pool = home.Name
	if info.Concurrency < 1 {
		info.Concurrency = home.Concurrency
	}
	w := &Worker{Info: info, pool: home, state: Starting, began: f.since()}
	w.allowed = w.full()
	w.limit, w.ramp = w.allowed, w.allowed
	w.group = f.group(capabilities, home)
	f.workers[w.ID] = w
	home.workers = append(home.workers, w)
	home.tally(w, +1)
	return w, nil
}

// place finds what a worker can do and whose it is.
func (f *Fleet) place(info Info) (capabilities []string, home *pool, err error) {
	if info.Pool != "" {
		if home = f.pool(info.Pool); home == nil {
			return nil, nil, fmt.Errorf("there is no pool %q", info.Pool)
		}
	}
	switch {
	case home == nil && info.Origin != Registered:
		return nil, nil, fmt.Errorf("worker %q needs a pool: only one that registers can do without", info.ID)
	case len(info.Capabilities) > 0:
		capabilities = slices.DeleteFunc(slices.Clone(info.Capabilities), func(c string) bool { return f.routes[c] == nil })
	case info.Origin == Registered:
		capabilities = f.Capabilities()
	default:
		capabilities = home.Capabilities
	}
	if len(capabilities) == 0 {
		return nil, nil, fmt.Errorf("no pool has any of the capabilities %q; there are %q", info.Capabilities, f.Capabilities())
	}
	if home != nil {
		return capabilities, home, nil
	}
	for _, c := range capabilities {
		p := f.routes[c].pools[0]
		if home == nil || len(p.Capabilities) < len(home.Capabilities) ||
			len(p.Capabilities) == len(home.Capabilities) && p.order < home.order {
			home = p
		}
	}
	return capabilities, home, nil
}

// Ready says that a starting worker may serve from now on: at once when requests wait for it or its pool has too few in rotation, else
// as a spare. It reports false when the worker is no longer starting.
func (f *Fleet) Ready(id, address string, active int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	if w == nil || w.state != Starting {
		return false
	}
	now := f.since()
	w.readyAt, w.last = now, now
	if address != "" {
		w.Address = address
	}
	f.warmUp(w)
	if !w.Origin.Ours() || w.pool.working() < active || w.group.wanted() {
		f.activate(w, now)
	} else {
		w.become(Spare)
		w.spared = now
		w.pool.spares = append(w.pool.spares, w)
	}
	return true
}

// Phases are what the parts of a worker's start took: until it existed, from then until it was started, and until it first answered as it should.
type Phases struct{ Create, Start, Ready time.Duration }

// SetPhases notes how a worker's start went, for those who look.
func (f *Fleet) SetPhases(id string, p Phases) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := f.workers[id]; w != nil {
		w.phases = p
	}
}

func (f *Fleet) activate(w *Worker, now time.Duration) {
	w.become(Active)
	w.group.offer(w, now)
	f.feed(w.group, now)
}

// Drain takes a worker out of rotation. The channel is closed once nothing is in flight on it.
func (f *Fleet) Drain(id, reason string) (<-chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	if w == nil {
		return nil, unknown(id)
	}
	if w.state == Draining {
		return w.idle, nil
	}
	if !w.state.canBecome(Draining) {
		return nil, fmt.Errorf("worker %q is %s", id, w.state)
	}
	f.drain(w, reason)
	f.poke()
	return w.idle, nil
}

func (f *Fleet) drain(w *Worker, reason string) {
	f.bench(w)
	w.become(Draining)
	w.reason = reason
	w.idle = make(chan struct{})
	w.settle(false)
	f.relent(w.pool)
	f.dismiss()
}

// Leaving tells whether the worker is or was being removed on purpose: it was drained, whatever has become of it since. What breaks on it
// breaks because of that.
func (f *Fleet) Leaving(w *Worker) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return w.idle != nil
}

// Cause is what took a worker out that still runs.
type Cause string

const (
	Silent   Cause = "hung"     // it gives no answer, or not the right one
	Stranger Cause = "identity" // somebody else answers in its place
	Breaking Cause = "broken"   // it breaks its requests, again and again
)

// Fail takes a worker out of rotation because it broke; what is in flight on it goes on if it can. It reports false when the worker has failed or left already.
func (f *Fleet) Fail(id, reason string) bool { return f.FailBy(id, Silent, reason) }

// FailBy is Fail with a word about what was found, for those who count.
func (f *Fleet) FailBy(id string, cause Cause, reason string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	if w == nil || !w.state.canBecome(Failed) {
		return false
	}
	f.fail(w, cause, reason)
	return true
}

// Failure tells why a worker failed; empty when it has not.
func (f *Fleet) Failure(w *Worker) (cause Cause, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w.cause == "" {
		return "", ""
	}
	return w.cause, w.reason
}

func (f *Fleet) fail(w *Worker, cause Cause, reason string) {
	f.bench(w)
	w.become(Failed)
	w.cause, w.reason = cause, reason
	f.relent(w.pool)
	f.dismiss()
	f.poke()
}

// Remove forgets a worker. Leases that are still out end harmlessly.
func (f *Fleet) Remove(id string) {
	f.mu.Lock()
	w := f.workers[id]
	if w == nil {
		f.mu.Unlock()
		return
	}
	f.bench(w)
	w.become(Gone)
	w.settle(true)
	delete(f.workers, id)
	w.pool.workers = slices.DeleteFunc(w.pool.workers, func(o *Worker) bool { return o == w })
	f.relent(w.pool)
	f.dismiss()
	f.mu.Unlock()
	for _, fn := range f.onGone {
		fn(w)
	}
}

// bench takes a worker out of whatever offers it work.
func (f *Fleet) bench(w *Worker) {
	w.group.withdraw(w)
	called := w.called
	f.unspare(w)
	f.setSleep(w, awake) // who leaves is nobody to be woken
	if called {
		f.muster(w.group)
	}
	f.ramping = slices.DeleteFunc(f.ramping, func(r *Worker) bool { return r == w })
	f.paused = slices.DeleteFunc(f.paused, func(p *Worker) bool { return p == w })
}

func (f *Fleet) unspare(w *Worker) {
	w.pool.spares = slices.DeleteFunc(w.pool.spares, func(s *Worker) bool { return s == w })
	w.called = false
}
