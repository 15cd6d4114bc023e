package policy

import "time"

// patience is how long a request may wait at most while the pool cannot grow and its queue keeps standing; 0: as configured. A full queue served first
// in, first out answers everybody too late; those who could still be in time are answered in time when the others are told so at once.
//
// The queue stands once it has not been empty for max(T, 2D), which a start would have repaired, and stands no more when it has been empty for T:
// with the short wait in force it is empty now and then.
func (v *view) patience(d *Decision) time.Duration {
	m := &v.mem
	if v.in.Queue > 0 {
		if !m.queued {
			m.queued, m.queuedSince = true, v.now
		}
		m.queueSeen = v.now
	} else if v.now-m.queueSeen >= max(v.cfg.Target, queueGone) {
		m.queued = false
	}
	stands := m.queued && (v.now-m.queuedSince).Seconds() >= max(v.target, 2*v.startTime())
	if !stands || !v.stuck(d) || v.readySlots() == 0 { // where nobody is served, nobody is late because of others
		return 0
	}
	wait := max(v.target-v.long.quantile(0.95), v.long.mean/2)
	return time.Duration(min(wait, longest) * float64(time.Second))
}

// queueGone bounds from below how long a queue must have been empty: a decision sees it only now and then.
const queueGone = time.Second

// stuck: no worker more can be had now.
func (v *view) stuck(d *Decision) bool {
	return v.ready()+len(v.in.Begun) >= v.cfg.Max || d.Clamp == clampHost || d.Backoff > 0
}
