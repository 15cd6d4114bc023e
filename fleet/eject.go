package fleet

import (
	"fmt"
	"slices"
	"time"
)

// Eject is when a worker whose requests break is left out for a while.
type Eject struct {
	Failures int           // requests in a row that break on a worker before it is left out; 0: it never is
	Time     time.Duration // how long the first time; n times as long the n-th time
}

// A worker on which requests break one after the other, while it answers its probes, is ejected: it stays in rotation by name and gets
// nothing for a while. Any answer, whatever its status, ends the row. The second time it is out for twice as long, and so on; each Time that
// it serves without being ejected forgives one. When it comes back it ramps like a fresh worker.
//
// Never is more than half of a pool's ready workers out, and never the only one that can do something. When one more would be, the
// trouble is not with single workers: everybody serves again, and nobody is ejected for a Time. A worker of ours that would be out
// for the third time in a row is failed instead, so that it is replaced.
const (
	mostEjections   = 10  // the multiple of Time an ejection lasts at most
	ejectedForGood  = 3   // ejections that a worker of ours does not get
	verdictsPending = 256 // that nobody has taken yet; more are forgotten
)

// Verdict is one judgement about workers whose requests break.
type Verdict struct {
	Worker *Worker
	Row    int           // requests that broke in a row
	Out    time.Duration // for how long it is out; 0: it failed, or everybody serves again
	Failed bool          // it was ejected too often and is to be replaced
	Back   int           // workers of its pool that were out and serve again, because too many would be out
}

// Verdicts yields what was judged since the last call, for the log.
func (f *Fleet) Verdicts() []Verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.verdicts
	f.verdicts = nil
	return out
}

func (f *Fleet) judged(v Verdict) {
	if len(f.verdicts) < verdictsPending {
		f.verdicts = append(f.verdicts, v)
	}
}

// broke books a request that broke on the worker, and ejects it when that was one too many.
func (f *Fleet) broke(w *Worker, now time.Duration) {
	w.row++
	p := w.pool
	if p.Eject.Failures <= 0 || w.row < p.Eject.Failures || w.state != Active || w.out > 0 || f.elsewhere != nil || now < p.truce {
		return
	}
	ready, out := p.ejected()
	switch {
	case 2*(out+1) > ready:
		f.everybody(w, now)
	case f.only(w):
	default:
		f.eject(w, now)
	}
}

func (f *Fleet) eject(w *Worker, now time.Duration) {
	w.forgive(now)
	w.ejections++
	if w.Origin.Ours() && w.ejections >= ejectedForGood {
		f.judged(Verdict{Worker: w, Row: w.row, Failed: true})
		f.fail(w, Breaking, fmt.Sprintf("%d requests in a row broke on it, for the %d. time", w.row, w.ejections))
		return
	}
	lasts := w.pool.Eject.Time * time.Duration(min(w.ejections, mostEjections))
	f.judged(Verdict{Worker: w, Row: w.row, Out: lasts})
	w.setOut(now + lasts)
	f.rest(w) // Release, in which this happens, takes it off the offer
}

// forgive takes back one ejection for each Time that the worker has served since the last.
func (w *Worker) forgive(now time.Duration) {
	if w.ejections > 0 && w.pool.Eject.Time > 0 {
		w.ejections = max(0, w.ejections-int((now-w.back)/w.pool.Eject.Time))
	}
}

// setOut changes until when the worker is ejected; 0: it is not.
func (w *Worker) setOut(until time.Duration) {
	w.pool.tally(w, -1)
	w.out = until
	w.pool.tally(w, +1)
}

// everybody ends all ejections of a pool and begins a truce: w would be one too many.
func (f *Fleet) everybody(w *Worker, now time.Duration) {
	p := w.pool
	back := f.readmit(p, now)
	if back > 0 {
		f.judged(Verdict{Worker: w, Row: w.row, Back: back})
	}
	for _, o := range p.workers {
		o.row = 0
	}
	p.truce = now + p.Eject.Time
}

// readmit ends all ejections of a pool.
func (f *Fleet) readmit(p *pool, now time.Duration) (back int) {
	for _, w := range slices.Clone(f.paused) {
		if w.pool == p && w.out > 0 {
			w.comeBack(now)
			back++
		}
	}
	f.resume(now)
	return back
}

// comeBack lets an ejected worker serve again. The caller offers it.
func (w *Worker) comeBack(now time.Duration) {
	w.setOut(0)
	w.row, w.back = 0, now
}

// relent readmits workers of a pool when those who left make them too many, or the only ones.
func (f *Fleet) relent(p *pool) {
	ready, out := p.ejected()
	if out == 0 {
		return
	}
	if 2*out > ready || slices.ContainsFunc(f.paused, func(w *Worker) bool { return w.pool == p && w.out > 0 && f.only(w) }) {
		f.readmit(p, f.since())
	}
}

// only tells whether there is something that no other ready worker can do.
func (f *Fleet) only(w *Worker) bool {
	return slices.ContainsFunc(w.group.routes, func(r *route) bool {
		for _, o := range f.workers {
			if o != w && (o.state == Active || o.state == Spare) && o.out == 0 && !o.lost && o.limit > 0 && slices.Contains(o.group.routes, r) {
				return false
			}
		}
		return true
	})
}
