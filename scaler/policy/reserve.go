package policy

import "time"

const (
	reserveMost  = 8
	reserveEvery = 4 * time.Second // between two workers added
	keepFirst    = time.Minute     // of calm before one is taken back
	keepMost     = 2 * time.Minute // the same where breaches come back

	// A breach this long after the one before is the same trouble coming back.
	comesBackAfter, comesBackBefore = 15 * time.Second, 5 * time.Minute
)

// reserve is the workers kept beyond the usual ones because requests measurably missed the target by waiting (formula 6): one more for each
// breach that is seen while nothing starts, one less after each minute of calm, or two where surges come back. It knows nothing of why the
// rules were wrong, which is its use.
func (v *view) reserve(usual int) int {
	m := &v.mem
	switch {
	case v.breach():
		v.breached()
		m.calmSince = v.now
		if v.mayReserve(usual) {
			m.reserve++
			m.reserved = v.now
		}
	case v.missed() > v.budget/2:
		m.calmSince = v.now
	case m.reserve > 0 && v.now-m.calmSince >= m.keep:
		m.reserve--
		m.calmSince = v.now
	}
	if v.hostSaturated() {
		return 0
	}
	return m.reserve
}

// breached notes a breach, and whether it is the one before coming back.
func (v *view) breached() {
	m := &v.mem
	switch since := v.now - m.breached; {
	case !m.everBreached || since > comesBackBefore:
		m.keep = keepFirst
	case since >= comesBackAfter:
		m.keep = min(2*m.keep, keepMost)
	}
	m.breached, m.everBreached = v.now, true
}

// breach: enough answers say that waiting alone has used up the whole error budget.
func (v *view) breach() bool {
	return v.in.Latency.N >= enough && v.missed() > v.budget && !v.failing()
}

// mayReserve holds back where one more worker cannot be had or what was done last has not had its effect.
func (v *view) mayReserve(usual int) bool {
	return v.mem.reserve < reserveMost && v.starting() == 0 && v.now-v.mem.reserved >= reserveEvery &&
		usual+v.mem.reserve < v.cfg.Max && !v.hostSaturated()
}

// missed is the share of the answers of the last 10 s that missed the target because they waited.
func (v *view) missed() float64 { return share(v.in.Latency.Missed, v.in.Latency.N) }

// slowAlone is the share of the answers of the last 10 s that missed the target by their service alone.
func slowAlone(l Latency) float64 { return share(max(0, l.Over-l.Missed), l.N) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
