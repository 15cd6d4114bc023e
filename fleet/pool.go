package fleet

import "time"

// pool is one kind of worker, with what was measured about it.
type pool struct {
	PoolConfig
	order   int
	workers []*Worker // all that are not gone, in the order they were added
	spares  []*Worker // ready, out of rotation; the one ready longest first
	serving slotList  // slots on its workers, oldest first
	queued  int       // waiters whose home it is
	gauge   *gauge

	states [Gone + 1]int // workers of ours by state
	room   int           // tasks that its ready workers could take on top of what they have

	unavailable string        // why no worker can be had; empty: workers can be had
	truce       time.Duration // nobody is ejected before this time
	desired     int
	reason      string
}

// tally counts a worker in, or out again, in the state and the group it has.
func (p *pool) tally(w *Worker, by int) {
	p.room += by * w.room()
	if w.state.lives() {
		w.group.workers += by
	}
	if w.Origin.Ours() {
		p.states[w.state] += by
	}
}

// ours counts the workers that take one of the pool's max places.
func (p *pool) ours() int { return p.states[Starting] + p.states[Spare] + p.states[Active] }

func (f *Fleet) pool(name string) *pool {
	for _, p := range f.pools {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// ejected counts the ready workers of a pool, and those of them that are out.
func (p *pool) ejected() (ready, out int) {
	for _, w := range p.workers {
		if w.state == Active || w.state == Spare {
			ready++
			if w.out > 0 {
				out++
			}
		}
	}
	return ready, out
}

// working counts the workers of ours in rotation that can have something to do.
func (p *pool) working() int {
	n := 0
	for _, w := range p.workers {
		if w.working() {
			n++
		}
	}
	return n
}
