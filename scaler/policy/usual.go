package policy

import (
	"math"
	"time"
)

// queueShare is the part of the error budget that waiting may have. Misses that nobody foresaw have the rest.
const queueShare = 0.2

// repairMargin is what it takes, beside a start and a slow task, to see that a guess was wrong.
const repairMargin = 250 * time.Millisecond

// eps is the share of requests that may miss by waiting in the eyes of every rule: 0.01 when 5 percent may miss.
func (v *view) eps() float64 { return queueShare * v.budget }

// offered is a, the load in erlang: arrivals x S by Little's law, or the tasks seen in service when those are more. Tasks that take longer because
// the CPU is short occupy more slots without being more work.
func (v *view) offered() float64 {
	a := v.forecast.slow * v.long.mean
	if v.scale == 1 && v.in.MeanBusy > a {
		return v.in.MeanBusy
	}
	return a
}

// usual is the least number of workers at which, at the slow rate, no more than eps of the requests miss by the waits that chance brings
// (formula 5): what the look-ahead, being a fluid, cannot see. It may lean on the spare where a start is quick enough to repair a wrong guess.
func (v *view) usual(w *working) int {
	w.erlang = v.offered()
	if w.erlang == 0 {
		return 0
	}
	if v.cfg.Spare > 0 && v.target >= v.startTime()+repairMargin.Seconds()+v.long.quantile(0.95) {
		w.lean = v.cfg.Concurrency
	}
	limit := v.cfg.Max*v.cfg.Concurrency + v.in.Others + 1
	if w.erlang >= float64(limit) {
		return v.workersFor(limit)
	}
	e := newErlang(w.erlang)
	for float64(e.servers) <= w.erlang {
		e.addServer()
	}
	for l := newLateness(&v.long, v.target, &e); e.servers < limit; l.addServer(&e) {
		if e.waits()*l.share() <= v.eps() { // all waits bound it from above
			break
		}
	}
	return v.workersFor(e.servers - w.lean)
}

// plenty of servers: so few arrivals, one in so many, find all of them busy that more make no difference that could be seen.
const plenty = 1e15

// missedAround is the shares that miss by waiting at the usual rate with one worker less, so many, and one more, and the spare they lean on; -1 where
// there cannot be fewer.
func (v *view) missedAround(workers int, w *working) (shares [3]float64) {
	e := newErlang(w.erlang)
	var l lateness
	for i := range shares {
		n := workers - 1 + i
		slots := n*v.cfg.Concurrency + v.in.Others + w.lean
		switch {
		case n < 0:
			shares[i] = -1
			continue
		case w.erlang == 0:
			continue
		case float64(slots) <= w.erlang: // they do not keep up: everyone waits too long in the end
			shares[i] = 1 - v.long.survives(v.target)
			continue
		}
		for e.servers < slots && e.inverse < plenty {
			if l.made {
				l.addServer(&e)
			} else {
				e.addServer()
			}
		}
		if !l.made {
			l = newLateness(&v.long, v.target, &e)
		}
		shares[i] = e.waits() * l.share()
	}
	return shares
}

// lateness is the share of requests that meet the target by their service alone and yet are late, if all wait:
//
//	mean over service times s of [ s <= T ? exp(-(c-a)/S * 2/(1+cv2) * (T-s)) : 0 ]
//
// The exponent is that of M/M/c, P(wait > t) = C * exp(-(c-a)/S * t), divided by (ca2+cv2)/2 for service that is not exponential
// (Allen-Cunneen, with ca2 = 1 for Poisson arrivals).
type lateness struct {
	late   [cells + 1]float64 // per cell: its share of tasks, and that times the chance to be late
	factor [cells + 1]float64 // what one more server does to that
	n      int
	made   bool
}

func newLateness(l *law, target float64, e *erlang) (out lateness) {
	out.made = true
	drain := 2 / (l.mean * (1 + l.variance)) // per second and server beyond the load
	spare := float64(e.servers) - e.load
	add := func(share, at float64) {
		if share <= 0 {
			return
		}
		slack := max(0, target-at)
		out.factor[out.n] = math.Exp(-drain * slack)
		out.late[out.n] = share * math.Exp(-drain*slack*spare)
		out.n++
	}
	for i := range l.last {
		if edgeOf(i+1) >= target {
			add(l.survival[i]-l.survives(target), min(l.at[i], target))
			return out
		}
		add(l.survival[i]-l.survival[i+1], l.at[i])
	}
	add(l.survival[l.last]-l.survives(target), (l.end+target)/2)
	return out
}

func (l *lateness) share() (sum float64) {
	for _, x := range l.late[:l.n] {
		sum += x
	}
	return sum
}

func (l *lateness) addServer(e *erlang) {
	e.addServer()
	for i, f := range l.factor[:l.n] {
		l.late[i] *= f
	}
}
