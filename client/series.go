package client

import "time"

// series is how a run goes on over time, in slices of equal width. When there are more than maxSlices each two become one, so that
// memory does not grow with the length of the run: 3.5 MiB at most. Not safe for concurrent use.
type series struct {
	width  time.Duration
	slices []slice
}

const (
	maxSlices      = 120
	narrowestSlice = 250 * time.Millisecond
)

// slice is what happened in one stretch of time.
type slice struct {
	// Of the requests that should have left in it, whenever their outcome came.
	count, errors int
	latency       histogram

	// Of what happened in it, whenever it should have.
	sent, done, answers int
	workers             workerSet // that answered

	// flight is the time that what was sent in it has been in flight until its end, less the same of what was done in it.
	flight time.Duration
}

func newSeries() series {
	return series{width: narrowestSlice, slices: make([]slice, 0, maxSlices)}
}

// record adds x, which the worker of that number answered; noWorker: nobody is known to have.
func (s *series) record(x *Result, worker int) {
	ended := x.Intended + x.Latency
	s.reach(max(ended, x.Actual))
	due := s.at(x.Intended)
	due.count++
	if x.Cause != OK {
		due.errors++
	}
	if x.measured() {
		due.latency.record(x.Latency)
	}
	if x.Cause == Overload {
		return
	}
	sent, end := s.at(x.Actual), s.endOf(x.Actual)
	sent.sent++
	sent.flight += end - x.Actual
	done, end := s.at(ended), s.endOf(ended)
	done.done++
	done.flight -= end - ended
	if x.Status != 0 {
		done.answers++
		done.workers.add(worker)
	}
}

// reach makes sure that there is a slice for t and all before it.
func (s *series) reach(t time.Duration) {
	for t >= maxSlices*s.width {
		s.halve()
	}
	for len(s.slices) <= int(t/s.width) {
		s.slices = append(s.slices, slice{latency: histogram{coarse: true}})
	}
}

func (s *series) at(t time.Duration) *slice { return &s.slices[t/s.width] }

// endOf is when the slice of t ends.
func (s *series) endOf(t time.Duration) time.Duration { return t - t%s.width + s.width }

// halve makes one slice of each two.
func (s *series) halve() {
	half := s.slices[:0]
	for i := 0; i < len(s.slices); i += 2 {
		a := s.slices[i]
		// What is still in flight at the end of the first is so all through the second.
		a.flight += s.width * time.Duration(a.sent-a.done)
		if i+1 < len(s.slices) {
			a.add(&s.slices[i+1])
		}
		half = append(half, a)
	}
	clear(s.slices[len(half):]) // lets go of their histograms
	s.slices, s.width = half, 2*s.width
}

func (a *slice) add(b *slice) {
	a.count += b.count
	a.errors += b.errors
	a.latency.add(&b.latency)
	a.sent += b.sent
	a.done += b.done
	a.answers += b.answers
	a.workers.addAll(b.workers)
	a.flight += b.flight
}

// span is the first and the last of some moments, and how many there were. The zero value is empty.
type span struct {
	first, last time.Duration
	n           int
}

func (s *span) add(t time.Duration) {
	if s.n == 0 {
		s.first, s.last = t, t
	}
	s.first, s.last = min(s.first, t), max(s.last, t)
	s.n++
}

// rate is how many there were a second: n posts have n-1 gaps. 0 when they were fewer than two.
func (s *span) rate() float64 { return perSecond(s.n-1, s.last-s.first) }
