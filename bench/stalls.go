package main

import (
	"math"
	"slices"
	"time"
)

// stalls is when a server answers nothing: for so long at the beginning of each period.
type stalls struct {
	lasts, every time.Duration
}

// left is how long a request that arrives at t has to wait.
func (s stalls) left(t time.Duration) time.Duration { return max(s.lasts-t%s.every, 0) }

// quantile is what the share q (above 0, at most 1) of a load has to wait at most, by nearest rank: perSecond requests a second, evenly for
// d, the first one at the beginning of a stall. It is arithmetic over the schedule, so no load generator has a part in it.
//
// Over whole periods it hardly depends on where in the period the load begins: the waits are the same in another order, to within one
// interval between requests.
func (s stalls) quantile(q, perSecond float64, d time.Duration) time.Duration {
	var waits []time.Duration
	for n := 0; ; n++ {
		at := time.Duration(float64(n) / perSecond * float64(time.Second))
		if at >= d {
			break
		}
		waits = append(waits, s.left(at))
	}
	slices.Sort(waits)
	return waits[int(math.Ceil(q*float64(len(waits))))-1]
}
