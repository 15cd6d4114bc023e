package policy

import (
	"math"
	"time"
)

const (
	// enough answers to trust what they say alone; with fewer, pseudoSamples of what was last known are blended in.
	enough        = 20
	pseudoSamples = 5
	recentPseudo  = 3 // the same for the law of the last 5 s, always

	// A surge of slow tasks: the law of the last 5 s is looked at too when its mean is so much greater than that of 60 s.
	slowerBy = 1.2
	// shortest keeps divisions by a service time sound, in seconds.
	shortest = unit
)

// law is how long a task takes, as the share G(x) of tasks that take longer than x (formula 1, Kaplan and Meier). Tasks still in service
// count as "at least this long", so that a surge of slow requests shows before any of them is done. Beyond the longest answer lies
// an exponential tail of that length.
type law struct {
	survival [cells + 1]float64 // G at the lower edge of each cell, up to last
	area     [cells + 1]float64 // the integral of G from 0 to there, in seconds
	at       [cells]float64     // where in each cell its answers are, on average, in seconds
	last     int                // the edge behind the longest answer
	end      float64            // where that is, in seconds
	mean     float64            // S: the whole integral
	variance float64            // squared coefficient of variation
}

// sample is what a law is made from, per cell.
type sample struct {
	done [cells]float64 // answers
	sum  [cells]float64 // of their times in seconds, so that no cell shifts the mean
	busy [cells]float64 // tasks in service, by their age
	n    float64        // all of both
	top  int            // the greatest cell that has an answer
}

func (s *sample) answered(x, n float64) {
	cell, _ := cellOf(x)
	s.done[cell] += n
	s.sum[cell] += n * min(x, longest)
	s.n += n
	if n > 0 {
		s.top = max(s.top, cell)
	}
}

func (s *sample) inService(age, n float64) {
	cell, _ := cellOf(age)
	s.busy[cell] += n
	s.n += n
}

// estimate makes the law: G(i+1) = G(i) * (1 - d/(r - z/2)) with d answers and z tasks in service in cell i, and r of both there or beyond.
func (l *law) estimate(s *sample) {
	g, area, risk, from := 1.0, 0.0, s.n, 0.0
	moment := 0.0 // the integral of x * G, half the second moment
	for i := range s.top + 1 {
		to, next := edgeOf(i+1), g
		at, d, z := to, s.done[i], s.busy[i]
		if d > 0 {
			next = g * max(0, 1-d/(risk-z/2))
			at = s.sum[i] / d
		}
		l.survival[i], l.area[i], l.at[i] = g, area, at
		risk -= d + z
		drop := g - next
		area += next*(to-from) + drop*(at-from)
		moment += (next*(to*to-from*from) + drop*(at*at-from*from)) / 2
		g, from = next, to
	}
	l.last, l.end = s.top+1, from
	l.survival[l.last], l.area[l.last] = g, area
	l.mean = max(area+g*from, shortest)
	moment += 2 * g * from * from
	l.variance = max(0, 2*moment/(l.mean*l.mean)-1)
}

// survives is G(x): the share of tasks that take longer than x seconds.
func (l *law) survives(x float64) float64 {
	if x >= l.end {
		return l.survival[l.last] * math.Exp(1-x/l.end)
	}
	i, into := cellOf(x)
	return l.survival[i] + into*(l.survival[i+1]-l.survival[i])
}

// until is I(x): the integral of G from 0 to x seconds, the mean time that a task occupies a slot within its first x seconds.
func (l *law) until(x float64) float64 {
	if x >= l.end {
		return l.area[l.last] + l.survival[l.last]*l.end*(1-math.Exp(1-x/l.end))
	}
	i, into := cellOf(x)
	return l.area[i] + into*(l.area[i+1]-l.area[i])
}

// late is m(w): the chance that a wait of w seconds, and only that, makes a request miss the target.
func (l *law) late(wait, target float64) float64 {
	if wait >= target {
		return 1 - l.survives(target)
	}
	return max(0, l.survives(target-wait)-l.survives(target))
}

// quantile is the time in seconds that the share q of tasks does not exceed.
func (l *law) quantile(q float64) float64 {
	for i := range l.last {
		if l.survival[i+1] <= 1-q {
			return edgeOf(i + 1)
		}
	}
	return l.end * (1 + math.Log(l.survival[l.last]/(1-q)))
}

// learn makes the laws of this decision from the last 60 and 5 s, and remembers what later ones may have to fall back on. Service that is slow
// because the host has no CPU to spare is taken at the speed of before: such tasks occupy more slots without being more work.
func (v *view) learn() {
	v.scale = 1
	v.estimate(&v.long, v.in.Service, v.assumedMean(), v.pseudo())
	measured := v.long.mean
	v.rememberMean(measured)
	if !v.hostCalm() && measured > v.calmMean() {
		v.scale = v.calmMean() / measured
		v.estimate(&v.long, v.in.Service, v.calmMean()/v.scale, v.pseudo())
	}
	if v.answers < enough {
		v.long.variance = 1 // that of the exponential law
	}
	v.estimate(&v.short, v.in.Recent, v.long.mean/v.scale, recentPseudo)
	v.slower = v.short.mean > slowerBy*v.long.mean && !v.failing()
	v.slowed = v.hostSaturated() && max(measured, v.short.mean/v.scale) > slowedBy*v.calmMean()
}

// estimate makes one law. While most requests fail, neither fast errors nor tasks that hang tell anything about service, and what was known
// before stands.
func (v *view) estimate(l *law, answers []Bucket, assumed, pseudo float64) {
	var s sample
	if pseudo > 0 || v.failing() {
		s.answered(assumed*v.scale, max(pseudo, recentPseudo))
	}
	if !v.failing() {
		for _, b := range answers {
			s.answered(b.middle()*v.scale, float64(count(b.N)))
		}
		for _, g := range v.tasks() {
			s.inService(g.age*v.scale, g.n)
		}
	}
	l.estimate(&s)
}

// pseudo is how many samples of what was last known go with the answers of 60 s.
func (v *view) pseudo() float64 {
	if v.answers < enough {
		return pseudoSamples
	}
	return 0
}

// assumedMean is the last S that rested on enough answers, or half the target.
func (v *view) assumedMean() float64 {
	if v.mem.good > 0 {
		return v.mem.good
	}
	return v.target / 2
}

// calmMean is the last S from before the host was out of CPU, or half the target.
func (v *view) calmMean() float64 {
	if v.mem.calm > 0 {
		return v.mem.calm
	}
	return v.target / 2
}

func (v *view) rememberMean(mean float64) {
	if v.answers < enough || v.failing() {
		return
	}
	v.mem.good = mean
	if v.hostCalm() {
		v.mem.calm = mean
	}
}

// failing: most requests end in a worker's failure. Then nothing is learned and nothing is removed.
func (v *view) failing() bool {
	return v.in.Latency.Requests >= 5 && v.in.Latency.Failed*2 > v.in.Latency.Requests
}

// middle is the service time, in seconds, that stands for all in the bucket.
func (b Bucket) middle() float64 {
	return max(0, float64(b.Lower)/2+float64(b.Upper)/2) / float64(time.Second)
}
