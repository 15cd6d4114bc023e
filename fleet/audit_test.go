package fleet

import (
	"fmt"
	"slices"
	"testing"
)

// audit recounts everything the fleet keeps a count of, from scratch, and checks what must hold between two calls: nobody waits for
// whom a free worker is there, nothing is offered twice, nothing is lost.
func audit(t testing.TB, f *Fleet) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	a := auditor{f: f, inflight: map[*Worker]int{}, waiting: map[*pool]int{}}
	a.leases()
	a.queues()
	for _, p := range f.pools {
		a.pool(p)
	}
	a.workers()
	for _, g := range f.groups {
		a.group(g)
	}
	a.paused()
	for _, bad := range a.found {
		t.Error("audit: " + bad)
	}
}

type auditor struct {
	f        *Fleet
	inflight map[*Worker]int // by the leases there are
	waiting  map[*pool]int   // by the queues
	found    []string
}

func (a *auditor) check(ok bool, format string, args ...any) {
	if !ok {
		a.found = append(a.found, fmt.Sprintf(format, args...))
	}
}

// leases walks the slots in use and those that are free.
func (a *auditor) leases() {
	seen := map[*slot]bool{}
	walk := func(l *slotList, visit func(*slot)) {
		n := 0
		var last *slot
		for s := l.head; s != nil; last, s = s, s.next {
			a.check(!seen[s], "a slot is in two lists")
			a.check(s.prev == last, "a list of slots is torn")
			seen[s] = true
			visit(s)
			n++
		}
		a.check(l.tail == last && l.n == n, "a list of %d slots says it has %d", n, l.n)
	}
	for _, p := range a.f.pools {
		walk(&p.serving, func(s *slot) {
			a.check(s.worker != nil && s.worker.pool == p, "a slot of pool %s has worker %v", p.Name, s.worker)
			a.inflight[s.worker]++
		})
	}
	walk(&a.f.slots, func(s *slot) { a.check(s.worker == nil, "a free slot still has worker %v", s.worker) })
	for w, n := range a.inflight {
		a.check(int(w.inflight) == n, "worker %s counts %d in flight and has %d leases", w, w.inflight, n)
		a.check(n <= w.Concurrency, "worker %s has %d leases and takes %d", w, n, w.Concurrency)
	}
}

// queues checks order, links and that nobody waits in vain.
func (a *auditor) queues() {
	for name, r := range a.f.routes {
		n := 0
		var last *waiter
		for w := r.queue.head; w != nil; last, w = w, w.next {
			a.check(w.prev == last && w.queued && w.route == r, "the queue of %s is torn", name)
			a.check(last == nil || last.seq < w.seq, "the queue of %s is not in the order of arrival", name)
			a.check(r.hope(), "somebody waits for %s without hope", name)
			a.waiting[w.home]++
			a.inVain(w)
			n++
		}
		a.check(r.queue.tail == last && r.queue.n == n, "the queue of %s has %d and says %d", name, n, r.queue.n)
	}
}

// inVain: a worker that could begin now must not sit beside a request that may go to it.
func (a *auditor) inVain(wt *waiter) {
	for _, w := range a.f.workers {
		able := slices.Contains(w.group.routes, wt.route) && w != wt.req.Not && w.limit > 0
		a.check(!able || !w.queued, "a request waits for %s though %s is free", wt.route.capability, w)
		ready := able && w.state == Spare && w.paused == 0 && slices.Contains(wt.route.pools, w.pool)
		a.check(!ready || w.sleep != awake, "a request waits for %s though %s is a spare", wt.route.capability, w)
		a.check(!ready || w.sleep == awake || w.called || a.comes(wt), "a request waits for %s though %s sleeps, and nobody comes", wt.route.capability, w)
	}
}

// comes tells whether a sleeper was called that can serve the waiter.
func (a *auditor) comes(wt *waiter) bool {
	for _, w := range a.f.workers {
		if w.called && slices.Contains(w.group.routes, wt.route) {
			return true
		}
	}
	return false
}

func (a *auditor) pool(p *pool) {
	var states [Gone + 1]int
	room := 0
	var spare []*Worker
	ready, out := p.ejected()
	a.check(2*out <= ready, "pool %s has %d of %d ready workers out", p.Name, out, ready)
	for _, w := range p.workers {
		a.check(a.f.workers[w.ID] == w && w.pool == p && w.state != Gone, "pool %s lists %s, which it does not have", p.Name, w)
		if w.Origin.Ours() {
			states[w.state]++
		}
		if (w.state == Active || w.state == Spare) && w.out == 0 {
			room += max(int(w.limit-w.inflight), 0)
		}
		if w.state == Spare {
			spare = append(spare, w)
		}
	}
	states[Gone] = p.states[Gone] // grows for ever
	a.check(states == p.states, "pool %s has %v workers by state and says %v", p.Name, states, p.states)
	a.check(room == p.room, "pool %s has room for %d and says %d", p.Name, room, p.room)
	a.check(p.queued == a.waiting[p], "pool %s has %d waiting and says %d", p.Name, a.waiting[p], p.queued)
	a.check(len(spare) == len(p.spares), "pool %s has %d spares and lists %d", p.Name, len(spare), len(p.spares))
	for _, w := range spare {
		a.check(slices.Contains(p.spares, w), "pool %s does not list its spare %s", p.Name, w)
	}
}

func (a *auditor) workers() {
	listed := 0
	for _, p := range a.f.pools {
		listed += len(p.workers)
	}
	a.check(listed == len(a.f.workers), "%d workers are listed by pools, %d by id", listed, len(a.f.workers))
	sleepers := 0
	for id, w := range a.f.workers {
		if w.sleep != awake {
			sleepers++
		}
		a.check(w.sleep == awake || w.state == Spare && w.inflight == 0, "worker %s sleeps: it is %s with %d in flight", w, w.state, w.inflight)
		a.check(!w.called || w.sleep != awake, "worker %s is called and awake", w)
		a.check(!w.woken, "worker %s is still said to be waking", w)
		a.check(w.ID == id, "worker %s is known as %s", w, id)
		a.check(w.inflight >= 0, "worker %s has %d in flight", w, w.inflight)
		a.check(w.limit >= 0 && w.limit <= w.allowed && int(w.allowed) <= w.Concurrency, "worker %s has limit %d of %d of %d",
			w, w.limit, w.allowed, w.Concurrency)
		a.check(w.limit == min(w.allowed, w.ramp), "worker %s has limit %d and is allowed %d and ramped to %d", w, w.limit, w.allowed, w.ramp)
		a.check(w.ramp == w.full() || slices.Contains(a.f.ramping, w) || w.state > Active, "worker %s ramps and nobody lets it grow", w)
		a.check(w.inflight == 0 || a.inflight[w] > 0, "worker %s counts %d in flight and has no lease", w, w.inflight)
		a.check(!w.queued || w.state == Active && w.inflight < w.limit && w.out == 0, "worker %s is offered: it is %s with %d in flight", w, w.state, w.inflight)
		lost := w.state == Active && w.inflight < w.limit && !w.queued && !slices.Contains(a.f.paused, w)
		a.check(!lost, "worker %s has a free slot and nobody offers it", w)
		a.check(w.out == 0 || w.state > Active || slices.Contains(a.f.paused, w), "worker %s is out and nobody brings it back", w)
		a.check(slices.Contains(a.f.groups, w.group), "worker %s is in a group nobody looks at", w)
	}
	a.check(sleepers == a.f.sleepers, "%d workers sleep, and it says %d", sleepers, a.f.sleepers)
}

// group recounts the living and compares every idle set with who should be in it.
func (a *auditor) group(g *group) {
	living := 0
	offered := map[int]int{}
	for _, w := range a.f.workers {
		if w.group != g {
			continue
		}
		if w.state == Starting || w.state == Spare || w.state == Active {
			living++
		}
		if w.queued {
			offered[int(w.inflight)]++
		}
	}
	a.check(living == g.workers, "group %q has %d living workers and says %d", g.key, living, g.workers)
	for level, set := range g.levels {
		valid := map[*Worker]int{}
		for _, e := range entriesOf(set) {
			if e.valid() {
				valid[e.w]++
				a.check(e.w.group == g && int(e.w.inflight) == level, "worker %s is offered where it does not belong", e.w)
				a.check(valid[e.w] == 1, "worker %s is offered twice", e.w)
			}
		}
		a.check(len(valid) == offered[level] && g.live[level] == len(valid),
			"group %q offers %d at level %d, should offer %d and says %d", g.key, len(valid), level, offered[level], g.live[level])
		a.check(level >= g.low || len(valid) == 0, "group %q does not look below level %d", g.key, g.low)
	}
	for _, r := range g.routes {
		a.check(slices.Contains(r.groups, g), "%s does not know group %q", r.capability, g.key)
		a.check(slices.IsSortedFunc(r.groups, func(x, y *group) int { return len(x.routes) - len(y.routes) }),
			"%s does not ask those who can do least first", r.capability)
	}
}

func entriesOf(set idleSet) []entry {
	var out []entry
	switch s := set.(type) {
	case *ring:
		for i := range s.n {
			out = append(out, *s.at(i))
		}
	case *ranked:
		for _, e := range s.entries {
			out = append(out, e.entry)
		}
	}
	return out
}

func (a *auditor) paused() {
	for i, w := range a.f.ramping {
		a.check(!slices.Contains(a.f.ramping[:i], w), "worker %s ramps twice", w)
		a.check(w.state == Active || w.state == Spare, "worker %s ramps and is %s", w, w.state)
	}
	for i, w := range a.f.paused {
		a.check(!slices.Contains(a.f.paused[:i], w), "worker %s pauses twice", w)
		a.check(w.state == Active || w.state == Spare, "worker %s pauses and is %s", w, w.state)
	}
}
