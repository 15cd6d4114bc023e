package simulate

import (
	"slices"
	"sort"
	"time"

	"understudy/config"
)

// perSecond is the second way of the oracle: in each second the fewest workers with which nobody misses because of waiting in this second or the next.
// A second is decided once the arrivals of the one after it are known.
type perSecond struct {
	keep, limit int // workers
	slots       int // of one worker
	setup       time.Duration
	target      time.Duration
	free        bool // its workers cost nothing: they are not started by us
	length      time.Duration

	now     time.Duration       // the second to be decided begins here
	busy    heap[time.Duration] // when tasks in service end
	waiting []request           // arrived or to arrive, in order, not yet begun
	workers int                 // in the second before
	book    *book
}

func newPerSecond(p config.Pool, setup, length time.Duration) *perSecond {
	s := &perSecond{
		keep: max(1, p.Workers.Min), limit: p.Workers.Max, slots: p.Concurrency, setup: setup, target: p.Target.Latency, length: length,
		busy: heap[time.Duration]{before: earlier}, book: newBook(length),
	}
	if !p.Scaled() {
		s.keep, s.limit, s.free = max(1, len(p.Members)), max(1, len(p.Members)), true
	}
	s.workers = s.keep
	return s
}

func (s *perSecond) arrive(req request) {
	for req.at >= s.now+2*time.Second {
		s.second()
	}
	s.book.arrived()
	s.waiting = append(s.waiting, req)
}

func (s *perSecond) end(length time.Duration) *book {
	for s.now < length || len(s.waiting) > 0 {
		s.second()
	}
	for s.busy.len() > 0 { // what is in service after the end
		s.cost(s.now, max(s.now, s.busy.pop()), 1)
	}
	return s.book.close()
}

// second decides on the second that begins now, and lets it pass.
func (s *perSecond) second() {
	best := s.misses(s.limit)
	c := s.keep + sort.Search(s.limit-s.keep, func(i int) bool { return s.misses(s.keep+i) <= best })
	if up := c - max(s.workers, s.present()); up > 0 {
		for range up {
			s.book.started(s.now)
		}
		s.cost(max(0, s.now-s.setup), s.now, up)
	}
	for range s.workers - c {
		s.book.removed(s.now)
	}
	s.pass(c)
	s.workers = c
}

// present is how many workers the tasks in service need.
func (s *perSecond) present() int { return (s.busy.len() + s.slots - 1) / s.slots }

// misses counts those who would miss because they wait, if c workers served all that is known.
func (s *perSecond) misses(c int) (n int) {
	busy := heap[time.Duration]{items: slices.Clone(s.busy.items), before: earlier}
	begin := s.now
	for _, req := range s.waiting {
		begin = max(begin, req.at)
		for busy.len() >= c*s.slots {
			begin = max(begin, busy.pop())
		}
		busy.push(begin + req.service)
		if begin-req.at+req.service > s.target && req.service <= s.target {
			n++
		}
	}
	return n
}

// pass lets the second go by with c workers.
func (s *perSecond) pass(c int) {
	end := s.now + time.Second
	s.overhang(c, end)
	s.book.most = max(s.book.most, c, s.present())
	s.cost(s.now, end, c)
	begin := s.now
	served := 0
	for _, req := range s.waiting {
		if begin = max(begin, req.at); begin >= end {
			break
		}
		for s.busy.len() >= c*s.slots && s.busy.first() < end {
			begin = max(begin, s.busy.pop())
		}
		if s.busy.len() >= c*s.slots {
			break
		}
		s.busy.push(begin + req.service)
		s.book.cost(begin, begin+req.service, 0, 1)
		s.book.answered(begin, begin-req.at+req.service, req.service, s.target)
		served++
	}
	s.waiting = slices.Delete(s.waiting, 0, served)
	s.now = end
	for s.busy.len() > 0 && s.busy.first() <= end {
		s.busy.pop()
	}
}

// overhang pays for those who are still busy though there shall be fewer workers: each leaves when its task ends.
func (s *perSecond) overhang(c int, end time.Duration) {
	extra := s.present() - c
	if extra <= 0 {
		return
	}
	ends := slices.Sorted(slices.Values(s.busy.items))
	for i := range extra {
		s.cost(s.now, min(ends[min(i*s.slots, len(ends)-1)], end), 1)
	}
}

func (s *perSecond) cost(from, to time.Duration, workers int) {
	if !s.free {
		s.book.cost(from, to, workers, 0)
	}
}
