package reference

// backlog returns the slots that would clear what waits in time, and how many requests would still wait when a worker started now were
// ready: those in the queue and those who come until then (a/S*D), less what the ready workers and, on average, half of the starting
// ones can take in that time. 0 when nothing waits or it resolves itself.
//
// The rest is spread over max(T, S, D): with work much longer than a start this becomes one slot for each waiting task.
func (v *view) backlog(l *load) (slots int, rest float64) {
	if v.in.Queue == 0 {
		return 0, 0
	}
	mean, start := l.service.mean, v.startTime()
	capacity := float64(v.readySlots()) + float64(v.starting()*v.cfg.Concurrency)/2
	rest = float64(v.in.Queue) + (l.erlang-capacity)*start/mean
	if rest < 1e-6 {
		return 0, 0
	}
	return ceil(l.erlang + rest*mean/max(v.target, mean, start)), rest
}

// standing is the work that has been there for the last half second, as far as there are slots for it: a spare that was promoted and is
// still needed counts as active from then on, and so is replaced.
func (v *view) standing() int { return min(v.in.Standing, v.readySlots()) }
