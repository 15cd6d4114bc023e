package reference

import "math"

// erlang is the M/M/c queue, grown one server at a time: blocking is Erlang B, by the recursion
// B(0) = 1, B(c) = a*B(c-1) / (c + a*B(c-1)), which stays exact where the factorials of the textbook overflow.
type erlang struct {
	load     float64 // a
	servers  int     // c
	blocking float64
}

func newErlang(load float64) erlang { return erlang{load: load, blocking: 1} }

func (e *erlang) addServer() {
	e.servers++
	offered := e.load * e.blocking
	e.blocking = offered / (float64(e.servers) + offered)
}

// waits is Erlang C: the share of arrivals that find every server busy. It is 1 when the servers do not keep up.
func (e *erlang) waits() float64 {
	c := float64(e.servers)
	if c <= e.load {
		return 1
	}
	return e.blocking / (1 - e.load/c*(1-e.blocking))
}

// missed is the share of requests that would miss the target because they waited, and only because of that:
//
//	C(c,a) * mean over service times s of [ s <= T ? exp(-(c-a)/S * 2/(1+cv2) * (T-s)) : 0 ]
//
// The exponent is that of M/M/c, P(wait > t) = C * exp(-(c-a)/S * t), divided by (ca2+cv2)/2 for service that is not exponential
// (Allen-Cunneen, with ca2 = 1 for Poisson arrivals).
func (e *erlang) missed(s *service, target float64) float64 {
	drain := max(0, float64(e.servers)-e.load) / s.mean * 2 / (1 + s.variance)
	return e.waits() * s.lateAfter(drain, target)
}

// lateAfter is the share of requests that meet the target by their service alone and yet are late, if all wait, and waits are exponential
// with the given rate per second.
func (s *service) lateAfter(drain, target float64) float64 {
	if s.weight == 0 {
		return 0
	}
	var sum float64
	for _, b := range s.buckets {
		if x := middle(b) * s.scale; x <= target {
			sum += float64(count(b.N)) * math.Exp(-drain*(target-x))
		}
	}
	if s.assumed <= target {
		sum += s.pseudo * math.Exp(-drain*(target-s.assumed))
	}
	return sum / s.weight
}

// queueShare is the part of the error budget that the model lets waiting have. Misses it did not foresee have the rest.
const queueShare = 0.2

// modelNeed is the least number of slots above the load at which no more than eps miss by waiting; 0 without any load.
func (v *view) modelNeed(l *load) int {
	if l.erlang == 0 {
		return 0
	}
	eps, limit := queueShare*v.budget, v.limit()
	if l.erlang >= float64(limit) {
		return limit
	}
	e := newErlang(l.erlang)
	for e.servers < limit {
		e.addServer()
		// waits bounds missed from above and costs nothing.
		if float64(e.servers) > l.erlang && (e.waits() <= eps || e.missed(&l.service, v.target) <= eps) {
			break
		}
	}
	return e.servers
}

// predict returns the shares that would miss by waiting with one worker less, so many, and one more; -1 where it is not known, because
// nothing has been answered yet or there cannot be fewer.
func (v *view) predict(l *load, workers int) [3]float64 {
	out := [3]float64{-1, -1, -1}
	if l.service.answers == 0 {
		return out
	}
	for i := range out {
		n := workers - 1 + i
		if n >= 0 {
			out[i] = missedWith(l, n*v.cfg.Concurrency+v.in.Others, v.target)
		}
	}
	return out
}

// missedWith is the share that would miss by waiting with so many slots.
func missedWith(l *load, slots int, target float64) float64 {
	if l.erlang == 0 {
		return 0
	}
	e := newErlang(l.erlang)
	if float64(slots) <= l.erlang { // they do not keep up: everyone waits too long in the end
		return e.missed(&l.service, target)
	}
	for range slots {
		e.addServer()
	}
	return e.missed(&l.service, target)
}
