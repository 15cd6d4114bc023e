package policy

import "time"

const (
	removeEvery = time.Second
	removeShare = 10  // one of so many workers goes at a time
	trimKeep    = 0.8 // share of the error budget from which on nothing is removed
)

// removable is how many idle workers may go now (formula 10): those too many, a tenth of all at most and one at least, when nobody waits, few missed because
// of waiting, requests do not fail, and the last ones went a second ago. What is starting counts, so that its arrival does not have to be waited for.
func (v *view) removable(target int) int {
	l := v.in.Latency
	surplus := min(v.ready()+len(v.in.Begun)-target, v.in.Idle+v.in.Spare)
	switch {
	case surplus <= 0,
		v.in.Queue > 0,
		float64(l.Missed) > trimKeep*v.budget*float64(l.N),
		v.failing(),
		v.now-v.mem.removed < removeEvery:
		return 0
	}
	v.mem.removed = v.now
	return min(surplus, max(1, v.ready()/removeShare))
}
