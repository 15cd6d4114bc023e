package reference

import "time"

const (
	removeEvery = time.Second
	trimKeep    = 0.8 // share of the error budget from which on nothing is removed
)

// removable is how many idle workers may go now, 1 at most: there is one too many, nobody waits, few missed because of waiting, requests do
// not fail, and the last one went a second ago. What is starting counts, so that its arrival does not have to be waited for.
func (v *view) removable(target int) int {
	l := v.in.Latency
	switch {
	case v.ready()+len(v.in.Begun) <= target,
		v.in.Idle+v.in.Spare == 0,
		v.in.Queue > 0,
		float64(l.Missed) > trimKeep*v.budget*float64(l.N),
		v.failing(),
		v.now-v.mem.removed < removeEvery:
		return 0
	}
	v.mem.removed = v.now
	return 1
}
