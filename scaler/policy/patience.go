package policy

import "time"

// patience is how long a request may wait at most while the pool cannot grow and everybody in its queue comes too late; 0: as configured. A full
// queue served first in, first out answers everybody too late; those who could still be in time are answered in time when the others are told so
// at once. Callers that wait for their answers make a queue too, one that is never empty and never long: it is left alone.
func (v *view) patience(d *Decision) time.Duration {
	m := &v.mem
	v.noteQueue()
	stands := m.queued && (v.now-m.queuedSince).Seconds() >= max(v.target, 2*v.startTime()) // a start would have repaired it
	late := m.late && (v.now-m.lateSince).Seconds() >= v.tooLong()
	m.short = (m.short || stands && late) && m.queued && v.stuck(d) && v.readySlots() > 0 // where nobody is served, nobody is late because of others
	if !m.short {
		return 0
	}
	wait := max(v.target-v.long.quantile(0.95), v.long.mean/2)
	return time.Duration(min(wait, longest) * float64(time.Second))
}

// noteQueue sees since when requests wait, but for moments, and since when who is next has waited for too long. A start under way may still
// change that. With a short wait in force nobody waits for so long: it ends when the queue has been empty for T.
func (v *view) noteQueue() {
	m := &v.mem
	if v.in.Queue > 0 {
		if !m.queued {
			m.queued, m.queuedSince = true, v.now
		}
		m.queueSeen = v.now
	} else if v.now-m.queueSeen >= max(v.cfg.Target, queueGone) {
		m.queued = false
	}
	late := v.in.Queue > 0 && len(v.in.Begun) == 0 && v.queue()[0].age >= v.tooLong()
	if late && !m.late {
		m.lateSince = v.now
	}
	m.late = late
}

// tooLong is a wait after which nobody is in time, in seconds. Where one task takes as long as the target it is that of two tasks, because with
// twice as many callers as workers each waits for one.
func (v *view) tooLong() float64 { return max(v.target, 2*v.long.mean) }

// queueGone bounds from below how long a queue must have been empty: a decision sees it only now and then.
const queueGone = time.Second

// stuck: no worker more can be had now.
func (v *view) stuck(d *Decision) bool {
	return v.ready()+len(v.in.Begun) >= v.cfg.Max || d.Clamp == clampHost || d.Backoff > 0
}
