package fleet

// Pick names the order in which idle workers get work. With more than one task at a time the workers with the fewest tasks in
// flight come first, and the order holds among equals.
type Pick string

const (
	RoundRobin Pick = "round-robin" // whoever has been idle longest: each gets its turn. O(1)
	MostRecent Pick = "most-recent" // whoever became idle last: the surplus stays cold. O(1)
	Fastest    Pick = "fastest"     // the lowest moving average of service time, for unequal workers. O(log n)
	LeastBusy  Pick = "least-busy"  // whoever has spent the least time serving. O(log n)
)

// idleSet holds the workers of one group that have the same number of tasks in flight. Removal is lazy: an entry whose ticket is no
// longer its worker's is skipped, so that taking a worker out of the middle costs nothing and the memory walked stays in a row.
type idleSet interface {
	push(*Worker)
	// pop yields the next worker other than not, or nil.
	pop(not *Worker) *Worker
	size() int // entries, valid or not
	compact()  // drop entries that are no longer valid
}

func newIdleSet(p Pick) idleSet {
	switch p {
	case MostRecent:
		return &ring{newestFirst: true}
	case Fastest:
		return &ranked{key: func(w *Worker) float64 { return w.pace }}
	case LeastBusy:
		return &ranked{key: func(w *Worker) float64 { return w.spent.Seconds() }}
	default:
		return &ring{}
	}
}

type entry struct {
	w      *Worker
	ticket uint32
}

func (e entry) valid() bool { return e.w.queued && e.w.ticket == e.ticket }

// ring is a growable queue (round-robin) or stack (most-recent) of entries.
type ring struct {
	buf         []entry // length a power of two
	head, n     int
	newestFirst bool
}

func (r *ring) size() int { return r.n }

func (r *ring) at(i int) *entry { return &r.buf[(r.head+i)&(len(r.buf)-1)] }

func (r *ring) push(w *Worker) {
	if r.n == len(r.buf) {
		r.grow()
	}
	if r.newestFirst {
		r.head = (r.head - 1) & (len(r.buf) - 1)
		r.n++
		*r.at(0) = entry{w, w.ticket}
		return
	}
	*r.at(r.n) = entry{w, w.ticket}
	r.n++
}

func (r *ring) grow() {
	next := make([]entry, max(16, 2*len(r.buf)))
	for i := range r.n {
		next[i] = *r.at(i)
	}
	r.buf, r.head = next, 0
}

func (r *ring) pop(not *Worker) *Worker {
	var kept entry
	var found *Worker
	for r.n > 0 && found == nil {
		e := *r.at(0)
		*r.at(0) = entry{}
		r.head = (r.head + 1) & (len(r.buf) - 1)
		r.n--
		switch {
		case !e.valid():
		case e.w == not:
			kept = e
		default:
			found = e.w
		}
	}
	if kept.w != nil { // back to the front: it keeps its turn
		r.head = (r.head - 1) & (len(r.buf) - 1)
		r.n++
		*r.at(0) = kept
	}
	return found
}

func (r *ring) compact() {
	live := 0
	for i := range r.n {
		if e := *r.at(i); e.valid() {
			*r.at(live) = e
			live++
		}
	}
	for i := live; i < r.n; i++ {
		*r.at(i) = entry{}
	}
	r.n = live
}

// ranked is a heap by a key read when the worker becomes idle, which is the only time it changes. It is written out because
// container/heap allocates for every entry that goes in or out.
type ranked struct {
	entries []rankedEntry
	key     func(*Worker) float64
	seq     uint64
}

type rankedEntry struct {
	entry
	key float64
	seq uint64 // among equals the one idle longest
}

func (r *ranked) size() int { return len(r.entries) }

func (r *ranked) push(w *Worker) {
	r.seq++
	r.add(rankedEntry{entry{w, w.ticket}, r.key(w), r.seq})
}

func (r *ranked) pop(not *Worker) *Worker {
	var kept rankedEntry
	var found *Worker
	for len(r.entries) > 0 && found == nil {
		e := r.removeFirst()
		switch {
		case !e.valid():
		case e.w == not:
			kept = e
		default:
			found = e.w
		}
	}
	if kept.w != nil {
		r.add(kept)
	}
	return found
}

func (r *ranked) compact() {
	live := r.entries[:0]
	for _, e := range r.entries {
		if e.valid() {
			live = append(live, e)
		}
	}
	clear(r.entries[len(live):])
	r.entries = live
	for i := len(live)/2 - 1; i >= 0; i-- {
		r.sink(i)
	}
}

func (r *ranked) before(i, j int) bool {
	a, b := &r.entries[i], &r.entries[j]
	return a.key < b.key || a.key == b.key && a.seq < b.seq
}

func (r *ranked) swap(i, j int) { r.entries[i], r.entries[j] = r.entries[j], r.entries[i] }

func (r *ranked) add(e rankedEntry) {
	r.entries = append(r.entries, e)
	for i := len(r.entries) - 1; i > 0 && r.before(i, (i-1)/2); i = (i - 1) / 2 {
		r.swap(i, (i-1)/2)
	}
}

func (r *ranked) removeFirst() rankedEntry {
	first, last := r.entries[0], len(r.entries)-1
	r.entries[0] = r.entries[last]
	r.entries[last] = rankedEntry{}
	r.entries = r.entries[:last]
	r.sink(0)
	return first
}

// sink moves entry i down until both below it come after it.
func (r *ranked) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(r.entries); child++ {
			if r.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		r.swap(i, least)
		i = least
	}
}
