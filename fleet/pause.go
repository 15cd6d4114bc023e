package fleet

import (
	"slices"
	"time"
)

// A worker that said it was busy, because somebody else gave it work, is not asked again for a while: 50 ms, twice as long each time
// in a row, at most 1 s; or until it has answered another task of ours. No goroutine waits for the end of the pause. Whoever uses the
// fleet brings back the workers whose pause is over, and of those who wait at least the head of each queue has set its timer to it.
const (
	pauseBase = 50 * time.Millisecond
	pauseMax  = time.Second
)

// rests is until when the worker is not asked: it is paused or ejected.
func (w *Worker) rests() time.Duration { return max(w.paused, w.out) }

// pause begins a worker's pause.
func (f *Fleet) pause(w *Worker, now time.Duration) {
	w.paused = now + min(pauseBase<<min(w.busies, 8), pauseMax)
	w.busies++
	if w.state == Active {
		f.rest(w)
	}
}

// rest sees to it that somebody asks the worker again when its time has come.
func (f *Fleet) rest(w *Worker) {
	if !slices.Contains(f.paused, w) {
		f.paused = append(f.paused, w)
	}
	for _, r := range w.group.routes {
		r.queue.nudge()
	}
}

// resume lets workers whose pause is over be asked again, and fresh ones have more.
func (f *Fleet) resume(now time.Duration) {
	f.grow(now)
	if len(f.paused) == 0 {
		return
	}
	kept := f.paused[:0]
	var back []*Worker
	for _, w := range f.paused {
		if w.rests() > now {
			kept = append(kept, w)
		} else {
			back = append(back, w)
		}
	}
	clear(f.paused[len(kept):])
	f.paused = kept
	for _, w := range back {
		if w.out > 0 {
			w.comeBack(now)
			f.warmAgain(w)
		}
		if !w.queued { // else an answer to another task has brought it back already
			w.group.offer(w, now)
		}
		f.feed(w.group, now)
	}
}

// nextWake is how long to sleep: until its deadline, or until a worker that said it was busy may be asked again.
func (f *Fleet) nextWake(w *waiter) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.since()
	until := w.deadline()
	for _, p := range f.paused {
		until = min(until, p.rests())
	}
	return max(until-now, 0)
}

// wake brings paused workers back and reports whether the waiter's time is over.
func (f *Fleet) wake(w *waiter) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.since()
	f.resume(now)
	return now >= w.deadline()
}
