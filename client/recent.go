package client

import "time"

// recent is what happened in the last few ticks: a ring of slots, of which the oldest is forgotten at each tick.
type recent struct {
	slots [recentTicks]recentSlot
	now   int           // the slot being filled
	since time.Duration // elapsed time at the last tick
}

type recentSlot struct {
	answers int
	lasted  time.Duration // 0 while it is being filled
	latency histogram
	workers workerSet
}

const recentTicks = 3

// record adds x, which the worker of that number answered; noWorker: nobody is known to have.
func (r *recent) record(x *Result, worker int) {
	s := &r.slots[r.now]
	if x.Status != 0 {
		s.answers++
		s.workers.add(worker)
	}
	if x.measured() {
		s.latency.record(x.Latency)
	}
}

// fill says what the last ticks were like at p.Elapsed, then begins the next one.
func (r *recent) fill(p *Progress) {
	r.slots[r.now].lasted = p.Elapsed - r.since
	r.since = p.Elapsed

	var all histogram
	var workers workerSet
	var answers int
	var lasted time.Duration
	for i := range r.slots {
		s := &r.slots[i]
		all.add(&s.latency)
		answers += s.answers
		lasted += s.lasted
		workers.addAll(s.workers)
	}
	if lasted > 0 {
		p.Rate = float64(answers) / lasted.Seconds()
	}
	p.P50, p.P95 = all.at(50), all.at(95)
	p.Workers = workers.len()

	r.now = (r.now + 1) % recentTicks
	s := &r.slots[r.now]
	s.answers, s.lasted = 0, 0
	s.latency.reset()
	clear(s.workers)
}
