package reference

import "time"

// spareSlot makes the memory for shortfalls 300 s long.
const spareSlot = 10 * time.Second

// spareTarget is how many ready workers to keep beyond the need. Where it may grow, it grows to what would have been short of when
// requests last waited longer than the target leaves them, and keeps that for 300 s.
func (v *view) spareTarget(w *working, need int) int {
	if v.cfg.SpareMax == v.cfg.Spare {
		return v.cfg.Spare
	}
	short := 0
	if v.waitsTooLong(&w.load) {
		short = max(0, need-v.ready()) + 1
	}
	v.mem.shortfalls.note(v.now, spareSlot, short)
	return min(max(v.mem.shortfalls.greatest(), v.cfg.Spare), v.cfg.SpareMax)
}

// waitsTooLong: the queue takes longer to drain than a request of the 95th percentile can wait and be in time.
func (v *view) waitsTooLong(l *load) bool {
	if v.in.Queue == 0 {
		return false
	}
	slots := v.readySlots()
	if slots == 0 {
		return true
	}
	drains := float64(v.in.Queue) * l.service.mean / float64(slots)
	return drains > max(0, v.target-l.service.quantile(0.95))
}
