package fleet

import (
	"cmp"
	"slices"
	"time"
)

// waiter is one request that waits for a worker. It is granted a lease or leaves, never both; Fleet.mu decides which.
type waiter struct {
	req     Request
	route   *route
	home    *pool
	arrived time.Duration
	seq     uint64
	granted chan Lease    // capacity 1
	nudged  chan struct{} // capacity 1: look at the clock again

	away     bool // granted was closed because the workers are elsewhere
	admitted bool // it had a place in the queue then

	queued     bool
	prev, next *waiter
}

func newWaiter(req Request, r *route, home *pool, arrived time.Duration, seq uint64) *waiter {
	return &waiter{req: req, route: r, home: home, arrived: arrived, seq: seq, granted: make(chan Lease, 1), nudged: make(chan struct{}, 1)}
}

// queue is a FIFO of waiters with a door at the front for requests that were sent back.
type queue struct {
	head, tail *waiter
	n          int
}

// add keeps the order of arrival: a request that comes back after a busy worker or a failed attempt stands where it stood.
func (q *queue) add(w *waiter) {
	after := q.tail
	for after != nil && after.seq > w.seq {
		after = after.prev
	}
	w.prev = after
	if after == nil {
		w.next, q.head = q.head, w
	} else {
		w.next, after.next = after.next, w
	}
	if w.next == nil {
		q.tail = w
	} else {
		w.next.prev = w
	}
	w.queued = true
	q.n++
	w.home.queued++
}

func (q *queue) remove(w *waiter) {
	if w.prev == nil {
		q.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	q.n--
	w.home.queued--
}

// first yields the oldest waiter that arrived after passed.
func (q *queue) first(passed uint64) *waiter {
	w := q.head
	for w != nil && w.seq <= passed {
		w = w.next
	}
	return w
}

// nudge makes the waiter at the head look at the clock again.
func (q *queue) nudge() {
	if q.head != nil {
		q.head.nudge()
	}
}

func (w *waiter) nudge() {
	select {
	case w.nudged <- struct{}{}:
	default:
	}
}

// atHome counts the waiters whose home is p.
func (q *queue) atHome(p *pool) int {
	n := 0
	for w := q.head; w != nil; w = w.next {
		if w.home == p {
			n++
		}
	}
	return n
}

// Group is N things of about the same age.
type Group struct {
	Age time.Duration
	N   int
}

const maxGroups = 32

// groupAges folds ages, oldest first, into at most 32 groups of equal size; each has the middle age of its members.
func groupAges(ages []time.Duration) []Group {
	slices.SortFunc(ages, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	groups := make([]Group, 0, min(len(ages), maxGroups))
	for i := range min(len(ages), maxGroups) {
		parts := min(len(ages), maxGroups)
		from, to := i*len(ages)/parts, (i+1)*len(ages)/parts
		groups = append(groups, Group{Age: ages[(from+to-1)/2], N: to - from})
	}
	return groups
}
