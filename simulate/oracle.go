package simulate

import (
	"context"
	"errors"
	"io"
	"time"

	"understudy/config"
)

// The oracle knows every arrival and every duration beforehand. It is the cheaper of two ways to let nobody miss the target because of waiting:
//
//   - nobody ever waits: an arrival takes the worker that became free last, and a worker that will idle for longer than a start takes is
//     removed and started anew in time;
//   - each second has the fewest workers with which nobody misses because of waiting in this second or the next.
//
// Starts cost what they cost others. It keeps at least one worker and no spare, and never has more than the pool may. It is a bound to measure
// policies by, not the least possible cost.

// seer is one of the two ways, fed with the arrivals of one pool.
type seer interface {
	arrive(request)
	end(length time.Duration) *book // nil: this way needs more workers than the pool may have
}

// runOracle plays the load pool by pool, both ways.
func runOracle(ctx context.Context, o Options) (*book, error) {
	total := newBook(o.Load.Length)
	owner := homes(o.Pools)
	setup := (o.Start.Min + o.Start.Max) / 2
	for i := range o.Pools {
		p := o.Pools[i]
		both := []seer{newPerSecond(p, setup, o.Load.Length)}
		if p.Concurrency == 1 && p.Scaled() {
			both = append(both, newNoWaiting(p, setup, o.Load.Length))
		}
		if err := feed(ctx, o, func(req request) {
			if owner[req.capability] != i {
				return
			}
			for _, s := range both {
				s.arrive(req)
			}
		}); err != nil {
			return nil, err
		}
		total.add(cheapest(both, o.Load.Length))
	}
	return total, nil
}

func cheapest(ways []seer, length time.Duration) *book {
	var best *book
	for _, s := range ways {
		if b := s.end(length); b != nil && (best == nil || b.avoidable < best.avoidable || b.avoidable == best.avoidable && b.workerTime < best.workerTime) {
			best = b
		}
	}
	return best
}

// homes is the index of the pool in which each capability counts: of those that have it the one with the fewest capabilities.
func homes(pools []config.Pool) map[string]int {
	owner := map[string]int{}
	for i, p := range pools {
		for _, capability := range p.Capabilities {
			if j, ok := owner[capability]; !ok || len(p.Capabilities) < len(pools[j].Capabilities) {
				owner[capability] = i
			}
		}
	}
	return owner
}

func feed(ctx context.Context, o Options, to func(request)) error {
	src, err := o.Load.open(o.Seed)
	if err != nil {
		return err
	}
	defer src.close()
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		req, err := src.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		to(req)
	}
}

// noWaiting is the first way.
type noWaiting struct {
	setup       time.Duration
	keep, limit int
	target      time.Duration
	now         time.Duration
	busy        heap[time.Duration] // when tasks end
	idle        []time.Duration     // when idle workers became so, the last on top
	book        *book
	most        int
}

func earlier(a, b time.Duration) bool { return a < b }

func newNoWaiting(p config.Pool, setup, length time.Duration) *noWaiting {
	keep := max(1, p.Workers.Min)
	return &noWaiting{
		setup: setup, keep: keep, limit: p.Workers.Max, target: p.Target.Latency, busy: heap[time.Duration]{before: earlier},
		idle: make([]time.Duration, keep), book: newBook(length),
	}
}

func (s *noWaiting) arrive(req request) {
	s.settle(req.at)
	s.book.arrived()
	kept := s.busy.len() < s.keep // the pool keeps so many, busy or not
	if n := len(s.idle); n > 0 && (kept || req.at-s.idle[n-1] <= s.setup) {
		s.book.cost(s.idle[n-1], req.at, 1, 0)
		s.idle = s.idle[:n-1]
	} else {
		if n > 0 {
			s.idle = s.idle[:n-1]
		}
		s.book.started(req.at)
		s.book.cost(max(0, req.at-s.setup), req.at, 1, 0)
	}
	s.book.cost(req.at, req.at+req.service, 1, 1)
	s.busy.push(req.at + req.service)
	s.book.most = max(s.book.most, s.busy.len())
	s.book.answered(req.at, req.service, req.service, s.target)
}

// settle moves those whose task has ended to the idle.
func (s *noWaiting) settle(now time.Duration) {
	for s.busy.len() > 0 && s.busy.first() <= now {
		s.idle = append(s.idle, s.busy.pop())
	}
}

func (s *noWaiting) end(length time.Duration) *book {
	if s.book.most > s.limit {
		return nil
	}
	s.settle(1 << 62)
	for i := range s.keep {
		if n := len(s.idle) - 1 - i; n >= 0 && s.idle[n] < length {
			s.book.cost(s.idle[n], length, 1, 0)
		}
	}
	return s.book.close()
}
