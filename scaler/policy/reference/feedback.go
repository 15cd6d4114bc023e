package reference

import "time"

const (
	boostMax   = 8
	boostEvery = 2 * time.Second  // between two workers added
	boostCalm  = 30 * time.Second // of calm before one is taken back
)

// feedback returns the workers to add because requests measurably missed the target by waiting: one more for each breach that is seen
// while nothing is starting, and one less after each 30 s with less than half the budget missed. It knows nothing of why the model was
// wrong, which is its use.
func (v *view) feedback(workers int) int {
	m := v.mem
	switch {
	case v.breach():
		m.calmSince = v.now
		if v.mayBoost(workers) {
			m.boost++
			m.boosted = v.now
		}
	case v.missed() > v.budget/2:
		m.calmSince = v.now
	case m.boost > 0 && v.now-m.calmSince >= boostCalm:
		m.boost--
		m.calmSince = v.now
	}
	if v.hostSaturated() {
		return 0
	}
	return m.boost
}

// breach: enough answers say that waiting alone has used up the whole error budget.
func (v *view) breach() bool {
	return v.in.Latency.N >= enough && v.missed() > v.budget && !v.failing()
}

// mayBoost holds back where one more worker cannot be had or what was done last has not had its effect.
func (v *view) mayBoost(workers int) bool {
	return v.mem.boost < boostMax && v.starting() == 0 && v.now-v.mem.boosted >= boostEvery &&
		workers+v.mem.boost < v.cfg.Max && !v.hostSaturated()
}

// missed is the share of the answers of the last 10 s that missed the target because they waited.
func (v *view) missed() float64 { return share(v.in.Latency.Missed, v.in.Latency.N) }

// slowAlone is the share of the answers of the last 10 s that missed the target by their service alone.
func (v *view) slowAlone() float64 {
	return share(max(0, v.in.Latency.Over-v.in.Latency.Missed), v.in.Latency.N)
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
