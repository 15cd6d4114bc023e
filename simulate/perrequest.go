package simulate

import (
	"time"

	"understudy/scaler/policy"
)

// perRequest starts a worker for every request that finds none, at once, and removes one that has not been needed for 30 s, as functions as a service do.
// A worker has not been needed when at no time in those 30 s so many were busy: with the most recently used served first that is the one that idled.
type perRequest struct {
	busy   [idleSlots]int // the most in each slot of time
	newest int64
	queued int
}

const (
	idleSlot  = 500 * time.Millisecond
	idleSlots = 60
)

// Watch asks for a decision when one more request waits.
func (p *perRequest) Watch(now time.Duration, busy, queue int) bool {
	p.note(now, busy)
	more := queue > p.queued
	p.queued = queue
	return more
}

func (p *perRequest) note(now time.Duration, busy int) {
	for slot := int64(now / idleSlot); p.newest < slot; {
		p.newest = max(p.newest+1, slot-idleSlots+1)
		p.busy[p.newest%idleSlots] = busy
	}
	at := &p.busy[p.newest%idleSlots]
	*at = max(*at, busy)
}

func (p *perRequest) Decide(cfg policy.Config, in policy.Snapshot) policy.Decision {
	p.note(in.Now, in.Busy)
	needed := 0
	for _, n := range p.busy {
		needed = max(needed, n)
	}
	needed = min(max(needed, cfg.Min, 1), cfg.Max-cfg.Spare)
	d := exactly(needed, cfg.Spare, in)
	d.Pipeline = max(0, min(in.Busy+in.Queue+cfg.Spare, cfg.Max)-in.Active-in.Spare)
	return d
}
