package fleet

import (
	"slices"
	"time"
)

// A fresh worker that takes several tasks at a time does not get them all at once: it may still have to fill caches, open connections or
// compile. It begins with a tenth of its concurrency (Envoy's default for slow start), and each answer opens one more slot beside the one
// it frees: as many again with every round of answers, as TCP's slow start does. A worker that is quick is at its full concurrency after a
// few service times; one whose tasks are long gets the rest by time, evenly over its pool's Ramp (as HAProxy's slowstart).
//
// No timer runs: whoever uses the fleet lets the workers grow whose time has come, and Measure is called often enough.
const (
	rampShare = 10
	rampEvery = 50 * time.Millisecond
)

// warmUp begins the ramp of a worker that was just made ready.
func (f *Fleet) warmUp(w *Worker) {
	if !w.Warm && w.Origin != Adopted {
		f.warmAgain(w)
	}
}

// warmAgain lets a worker begin small, whatever it had before.
func (f *Fleet) warmAgain(w *Worker) {
	if w.full() == 1 || w.pool.Ramp <= 0 {
		return
	}
	w.ramp, w.ramped = (w.full()-1)/rampShare+1, rampWaits
	if !slices.Contains(f.ramping, w) {
		f.ramping = append(f.ramping, w)
	}
	f.rampedAt = -rampEvery // the next who comes looks at it
	f.relimit(w, min(w.allowed, w.ramp))
}

// rampWaits is the beginning of a ramp whose worker has not been in rotation yet: a spare gets no warmer.
const rampWaits = -1

// grown opens one more slot after an answer. The caller offers the worker.
func (w *Worker) grown() {
	if w.ramp >= w.full() {
		return
	}
	w.ramp++
	w.setLimit(min(w.allowed, w.ramp))
}

// grow opens the slots whose time has come.
func (f *Fleet) grow(now time.Duration) {
	if len(f.ramping) == 0 || now-f.rampedAt < rampEvery {
		return
	}
	f.rampedAt = now
	for _, w := range f.ramping {
		if w.ramped == rampWaits && w.state == Active {
			w.ramped = now
		}
		w.ramp = max(w.ramp, w.rampedBy(now))
		f.relimit(w, min(w.allowed, w.ramp))
	}
	f.ramping = slices.DeleteFunc(f.ramping, func(w *Worker) bool { return w.ramp >= w.full() })
}

// rampedBy is how many slots a worker has by time alone.
func (w *Worker) rampedBy(now time.Duration) int32 {
	switch full := w.full(); {
	case w.pool.Ramp <= 0:
		return full
	case w.ramped == rampWaits:
		return 0
	default:
		return int32(min(float64(now-w.ramped)/float64(w.pool.Ramp), 1) * float64(full))
	}
}
