package reference

import (
	"time"

	"understudy/scaler/policy"
)

// load is how much work comes, and what is known about one piece of it.
type load struct {
	service service
	erlang  float64       // a: the mean number of slots the work occupies
	slow    float64       // a by the slow window alone
	rate    float64       // arrivals per second over the slow window
	busier  bool          // a comes from the tasks seen in service, which were more than rate x S
	surging bool          // a comes from a short window
	window  policy.Window // that one
	calmed  bool          // a rests on the service time of before the host was out of CPU, which was less than what is measured
	slowed  bool          // the host is out of CPU now, and service is slow because of it, as far as one can tell
}

// offered returns the load by Little's law: a = arrivals per second x mean service time, or the mean number of tasks in service
// when that is more, or what a surge brings.
func (v *view) offered() load {
	l := load{service: v.serviceTimes()}
	measured := l.service.mean
	if !v.hostCalm() {
		l.service.mean = min(measured, v.calmMean())
		l.service.scale = l.service.mean / measured
		l.calmed = l.service.scale < 1
	}
	l.slowed = v.hostSaturated() && max(measured, v.recentMean()) > slowedBy*v.calmMean()
	width := v.in.Slow.Width.Seconds()
	if width > 0 {
		l.rate = float64(v.in.Slow.Arrivals) / width
		l.slow = slotsOf(v.in.Slow.Arrivals, width, l.service.mean)
	}
	// Tasks that take longer because the CPU is short occupy more slots without being more work.
	if v.in.MeanBusy > l.slow && !l.calmed {
		l.slow, l.busier = v.in.MeanBusy, true
	}
	l.erlang = l.slow
	v.surge(&l)
	return l
}

// slotsOf is how many slots so many arrivals in so many seconds keep occupied. One arrival never needs more than one slot, however long
// its work outlasts the window.
func slotsOf(arrivals int, width, mean float64) float64 {
	return float64(arrivals) * mean / max(width, mean)
}

const (
	// enough answers to trust what they say alone; with fewer, pseudoSamples of what was last known are blended in.
	enough        = 20
	pseudoSamples = 5
	// shortest keeps divisions by a service time sound, in seconds.
	shortest = 1e-6
)

// service is the law of service times: what was measured, and pseudo-samples where that is too little.
type service struct {
	mean     float64 // S in seconds, unfinished tasks included
	variance float64 // squared coefficient of variation; 1, that of the exponential law, while there are not enough answers
	answers  int
	buckets  []policy.Bucket
	assumed  float64 // the value of the pseudo-samples, in seconds
	pseudo   float64 // how many there are
	weight   float64 // of all samples
	scale    float64 // what the measured times are taken by: less than 1 when they are those of a host without CPU
}

// serviceTimes measures S as time in service per answer, which, unlike the mean of the answers, sees the tasks that do not end.
func (v *view) serviceTimes() service {
	s := service{buckets: v.in.Service, assumed: v.assumedMean(), scale: 1}
	answers, sum, squares := moments(s.buckets)
	s.answers = answers
	n := float64(answers)
	s.variance = 1
	if s.answers >= enough && sum > 0 {
		s.variance = max(0, squares*n/(sum*sum)-1)
	}
	if s.answers < enough {
		s.pseudo = pseudoSamples
	}
	s.weight = n + s.pseudo
	s.mean = max(shortest, v.meanService(&s))
	v.rememberMean(&s)
	return s
}

// moments are the number of answers, the sum of their times in seconds, and of the squares of those.
func moments(buckets []policy.Bucket) (answers int, sum, squares float64) {
	for _, b := range buckets {
		x, n := middle(b), count(b.N)
		answers += n
		sum += float64(n) * x
		squares += float64(n) * x * x
	}
	return answers, sum, squares
}

// recentMean is the mean of the last 5 s, 0 when too few were answered to tell.
func (v *view) recentMean() float64 {
	answers, sum, _ := moments(v.in.Recent)
	if answers < pseudoSamples {
		return 0
	}
	return sum / float64(answers)
}

// meanService is S = busy time / answers. While most requests fail, fast errors or hanging ones would tell nothing about service, and what
// was known before stands; the busy time of fewer failures is small, and S by that much too great.
func (v *view) meanService(s *service) float64 {
	if v.failing() {
		return s.assumed
	}
	return (v.in.BusyTime.Seconds() + s.pseudo*s.assumed) / (float64(s.answers) + s.pseudo)
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

func (v *view) rememberMean(s *service) {
	if s.answers < enough || v.failing() {
		return
	}
	v.mem.good = s.mean
	if v.hostCalm() {
		v.mem.calm = s.mean
	}
}

// failing: most requests end in a worker's failure. Then nothing is learned and nothing is removed.
func (v *view) failing() bool {
	return v.in.Latency.Requests >= 5 && v.in.Latency.Failed*2 > v.in.Latency.Requests
}

// quantile is the service time, in seconds, that the share q of the answers does not exceed; what is assumed without answers.
func (s *service) quantile(q float64) float64 {
	rank := ceil(q * float64(s.answers))
	for _, b := range s.buckets {
		if rank -= count(b.N); rank <= 0 && b.N > 0 {
			return middle(b)
		}
	}
	return s.assumed
}

// middle is the service time, in seconds, that stands for all in the bucket.
func middle(b policy.Bucket) float64 {
	return max(0, float64(b.Lower)/2+float64(b.Upper)/2) / float64(time.Second)
}
