package policy

import "time"

// clearly more tasks are seen in service than arrivals explain.
const clearly = 1.05

// tell keeps the figures a decision rests on, and predicts what it would be with one worker less and one more.
func (v *view) tell(d *Decision) {
	w := &d.work
	d.Load = w.erlang
	d.Mean = time.Duration(v.long.mean * float64(time.Second))
	w.cfg, w.target, w.budget, w.keep = v.cfg, v.target, v.budget, v.mem.keep
	w.slow, w.peak, w.rate = v.in.Slow, v.forecast.peak, v.forecast.slow
	w.others, w.latency, w.startFails, w.hostCPU = v.in.Others, v.in.Latency, v.in.StartFails, v.in.HostCPU
	w.busier = w.erlang > clearly*w.rate*v.long.mean
	w.calmed = v.scale < 1
	if d.Term == termUsual {
		w.shares = v.missedAround(w.usual, w)
	}
	d.Misses = v.predict(d)
}

// predict returns the shares that would miss by waiting with Need-1, Need and Need+1 workers, in the eyes of the rule that won; -1 where it is not
// known: there cannot be fewer, or nothing has been answered yet that the usual rate could be judged by.
func (v *view) predict(d *Decision) [3]float64 {
	w := &d.work
	switch {
	case d.Term == termNext:
		return v.foresee(d.Need, w)
	case v.answers == 0:
		return [3]float64{-1, -1, -1}
	case d.Term == termUsual && d.Need == w.usual:
		return w.shares
	}
	return v.missedAround(d.Need, w)
}

// foresee plays the look-ahead around a number of workers, and around what it asked for.
func (v *view) foresee(need int, w *working) (shares [3]float64) {
	o, l := &v.ahead, &v.long
	if v.aheadShort {
		l = &v.short
	}
	w.n, w.horizon = o.n, o.step*steps
	w.fewer, w.with = o.play(l, w.next-1), o.play(l, w.next)
	for i := range shares {
		switch n := need - 1 + i; {
		case n < 0:
			shares[i] = -1
		case n == w.next-1:
			shares[i] = min(1, w.fewer.missed/o.n)
		case n == w.next:
			shares[i] = min(1, w.with.missed/o.n)
		default:
			shares[i] = min(1, o.play(l, n).missed/o.n)
		}
	}
	return shares
}
