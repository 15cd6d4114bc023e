package fleet

import "time"

// Lease is one claimed slot on one worker. It is a small value; copies name the same slot, and only the first Release counts.
type Lease struct {
	fleet *Fleet
	slot  *slot
	use   uint64

	home    *pool
	arrived time.Duration
	order   uint64

	// Worker has the slot. Its Info may be read until the lease is released and after.
	Worker *Worker
	// Start says what the request had to wait for.
	Start Start
	// Waited is how long it waited for this slot, from its first arrival.
	Waited time.Duration
}

// Home names the pool the request counts in, which need not be the pool of the worker that serves it.
func (l Lease) Home() string {
	if l.home == nil {
		return ""
	}
	return l.home.Name
}

// slot is the fleet's side of a lease. Slots are used again; use tells a stale lease from the current one.
type slot struct {
	use        uint64
	token      uint64 // its name where it was borrowed; 0: it was not
	lacks      bool   // the worker said that it cannot do the capability
	worker     *Worker
	route      *route
	home       *pool
	arrived    time.Duration
	began      time.Duration
	prev, next *slot
}

// slotList is a list of slots linked through themselves, so that claiming and releasing allocate nothing.
type slotList struct {
	head, tail *slot
	n          int
}

func (l *slotList) add(s *slot) {
	s.prev, s.next = l.tail, nil
	if l.tail == nil {
		l.head = s
	} else {
		l.tail.next = s
	}
	l.tail = s
	l.n++
}

func (l *slotList) remove(s *slot) {
	if s.prev == nil {
		l.head = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		l.tail = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
	l.n--
}

// Kind is how an attempt ended.
type Kind uint8

const (
	Served     Kind = iota // an answer, whatever its status
	Broke                  // the worker failed: no answer, or half of one
	ClientGone             // the client left; says nothing about the worker
	Busy                   // the worker said it is busy and did not begin
	Unused                 // never sent to the worker
	Tunnel                 // an upgraded connection that ended: served, but how long it lasted is no service time
)

// Outcome says how a lease ended.
type Outcome struct {
	Kind Kind
}

// lease books one slot. The caller holds the lock and has taken w out of the idle set.
func (f *Fleet) lease(w *Worker, r *route, home *pool, arrived time.Duration, seq uint64, now time.Duration, start Start) Lease {
	s := f.slots.tail
	if s == nil {
		s = &slot{}
	} else {
		f.slots.remove(s)
	}
	s.worker, s.route, s.home, s.arrived, s.began = w, r, home, arrived, now
	s.token, s.lacks = 0, false
	w.setInflight(w.inflight + 1)
	w.pool.serving.add(s)
	w.pool.gauge.level(now, w.pool)
	if home != w.pool {
		home.gauge.level(now, home)
	}
	w.group.offer(w, now)
	return Lease{
		fleet: f, slot: s, use: s.use, home: home, arrived: arrived, order: seq,
		Worker: w, Start: start, Waited: now - arrived,
	}
}

// Release ends the lease. Only the first call does anything; it reports whether this was it.
func (l Lease) Release(o Outcome) bool {
	f := l.fleet
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := l.slot
	if s.use != l.use {
		return false
	}
	now := f.since()
	f.settle(s, o, now)
	w := s.worker
	if f.elsewhere != nil {
		f.elsewhere.Returned(Return{Token: s.token, Worker: w.ID, Kind: o.Kind, Lacks: s.lacks})
	}
	s.use++
	w.pool.serving.remove(s)
	s.worker, s.route, s.home = nil, nil, nil
	f.slots.add(s)
	w.pool.gauge.level(now, w.pool)

	w.group.withdraw(w)
	w.setInflight(w.inflight - 1)
	if w.inflight == 0 {
		w.last = now
	}
	w.settle(false)
	if w.state == Active {
		w.group.offer(w, now)
		if w.group.wanted() {
			f.feed(w.group, now)
		}
	}
	return true
}

func (w *Worker) setInflight(n int32) {
	before := w.room()
	w.inflight = n
	w.pool.room += w.room() - before
}

// settle books what the outcome tells about the worker and about the latency.
func (f *Fleet) settle(s *slot, o Outcome, now time.Duration) {
	w := s.worker
	switch o.Kind {
	case Served:
		service, total := now-s.began, now-s.arrived
		w.answered(now)
		w.observe(service)
		w.pool.gauge.served(now, service)
		s.home.gauge.answered(now, total, service, s.home.Target)
	case Tunnel:
		w.answered(now)
	case Broke:
		f.broke(w, now)
		s.home.gauge.failed.Add(now, 1)
	case Busy:
		f.pause(w, now)
	}
}

// answered books a sign of health.
func (w *Worker) answered(now time.Duration) {
	w.served++
	w.row = 0
	w.grown()
	w.busies = 0
	w.paused = min(w.paused, now)
}

// Lacks records that the worker of this lease answered that it cannot do this capability: it is not asked for it again. Only workers
// that registered without saying what they can do are believed; it reports whether this one was. The lease is released.
func (l Lease) Lacks() bool {
	f := l.fleet
	if f == nil {
		return false
	}
	f.mu.Lock()
	s := l.slot
	w := s.worker
	believed := s.use == l.use && w.Origin == Registered && len(w.Capabilities) == 0
	if believed {
		s.lacks = true
		f.unlearn(w, s.route)
	}
	f.mu.Unlock()
	l.Release(Outcome{Kind: Unused})
	return believed
}

// unlearn moves a worker into the group of those that can do everything it can but this.
func (f *Fleet) unlearn(w *Worker, r *route) {
	var rest []string
	for _, other := range w.group.routes {
		if other != r {
			rest = append(rest, other.capability)
		}
	}
	w.group.withdraw(w)
	w.pool.tally(w, -1)
	w.group = f.group(rest, w.pool)
	w.pool.tally(w, +1)
	w.group.offer(w, f.since())
	f.dismiss()
}
