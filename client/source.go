package client

import (
	"fmt"
	"io"
	"sync"
	"time"

	"understudy/trace"
)

// source yields the requests of a run in the order they shall leave, and io.EOF after the last. Not safe for concurrent use, except
// backToBack.
type source interface {
	next() (task, error)
	close() error
}

// plan is how much load there will be, as far as it is known before it starts. It is what progress is measured against.
type plan struct {
	requests int           // 0: only time ends it
	lasts    time.Duration // 0: only the number of requests ends it
	words    string        // the load in words, for the report
}

// newSource is the schedule o asks for. o has its defaults and is valid.
func newSource(o Options) (source, plan, error) {
	switch {
	case o.Trace != "":
		return newReplay(o)
	case o.Rate != 0:
		s, p := newPaced(o)
		return s, p, nil
	}
	words := fmt.Sprintf("closed loop, %d callers back to back", o.Concurrency)
	if o.Concurrency == 1 {
		words = "closed loop, one caller, back to back"
	}
	return &backToBack{maker: newMaker(o), n: o.N}, plan{o.N, o.Duration, words}, nil
}

// paced follows a Pacer.
type paced struct {
	maker *maker
	pacer Pacer
	n     int           // 0: no bound
	total time.Duration // 0: no bound
	sent  int
}

func newPaced(o Options) (*paced, plan) {
	stretch := o.Duration
	if stretch == 0 {
		stretch = lastsFor(o.Shape, o.Rate, o.N)
	}
	p := &paced{maker: newMaker(o), pacer: NewPacer(o.Shape, o.Rate, stretch), n: o.N, total: o.Duration}
	words := fmt.Sprintf("open loop, %v/s", o.Rate)
	if o.Shape != ShapeConstant {
		words = fmt.Sprintf("open loop, %s to %v/s over %v", o.Shape, o.Rate, stretch)
	}
	return p, plan{o.N, o.Duration, words}
}

// lastsFor is how long a shape must be stretched to hold n requests. Hits of a shape at its end are proportional to its length.
func lastsFor(s Shape, rate float64, n int) time.Duration {
	perSecond := NewPacer(s, rate, time.Second).Hits(time.Second)
	return min(time.Duration(float64(n)/perSecond*float64(time.Second)), maxDuration)
}

func (s *paced) next() (task, error) {
	if s.n != 0 && s.sent >= s.n {
		return task{}, io.EOF
	}
	at, ok := s.pacer.At(s.sent)
	if !ok || s.total != 0 && at >= s.total {
		return task{}, io.EOF
	}
	s.sent++
	return s.maker.make(at, "", unknownMS), nil
}

func (s *paced) close() error { return nil }

// replay follows a trace.
type replay struct {
	maker *maker
	trace *trace.Reader
	speed float64
	n     int
	total time.Duration
	sent  int
}

func newReplay(o Options) (*replay, plan, error) {
	info, err := trace.Check(o.Trace)
	if err != nil {
		return nil, plan{}, err
	}
	tr, err := trace.Open(o.Trace)
	if err != nil {
		return nil, plan{}, err
	}
	requests := info.Rows
	if o.N != 0 {
		requests = min(o.N, requests)
	}
	words := fmt.Sprintf("open loop, trace %s", o.Trace)
	if o.Speed != 1 {
		words += fmt.Sprintf(" %v times as fast", o.Speed)
	}
	lasts := time.Duration(float64(info.Duration) / o.Speed)
	if o.Duration != 0 {
		lasts = min(lasts, o.Duration)
	}
	r := &replay{maker: newMaker(o), trace: tr, speed: o.Speed, n: o.N, total: o.Duration}
	return r, plan{requests, lasts, words}, nil
}

func (s *replay) next() (task, error) {
	if s.n != 0 && s.sent >= s.n {
		return task{}, io.EOF
	}
	a, err := s.trace.Next()
	if err != nil {
		return task{}, err
	}
	at := time.Duration(float64(a.At) / s.speed)
	if s.total != 0 && at >= s.total {
		return task{}, io.EOF
	}
	ms := a.Millis
	if ms != unknownMS {
		ms /= s.speed // times and durations shrink alike, so that the load in busy workers stays the same
	}
	s.sent++
	return s.maker.make(at, a.Capability, ms), nil
}

func (s *replay) close() error { return s.trace.Close() }

// backToBack has no schedule: callers take the next request when they are free. Unlike the others it is safe for concurrent use.
type backToBack struct {
	n int // 0: no bound

	mu    sync.Mutex
	maker *maker // guarded by mu
	sent  int    // guarded by mu
}

// next returns no error but io.EOF.
func (s *backToBack) next() (task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n != 0 && s.sent >= s.n {
		return task{}, io.EOF
	}
	s.sent++
	return s.maker.make(0, "", unknownMS), nil
}

func (s *backToBack) close() error { return nil }
