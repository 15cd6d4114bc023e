package simulate

import (
	"time"

	"understudy/scaler/policy"
)

// naive is what one writes first: every 2 s, one more worker when the mean latency of the last 10 s is over the target, one fewer when it is under half of it.
// It is wrong in two ways worth seeing: latency never falls below the service time, however many workers idle; and while nothing is answered, its mean is 0.
type naive struct {
	want    int
	decided time.Duration
	samples window
}

const (
	naiveWindow = 10 * time.Second
	naiveTick   = 2 * time.Second
)

func (n *naive) Decide(cfg policy.Config, in policy.Snapshot) policy.Decision {
	n.samples.add(in.Now, float64(in.Busy+in.Queue))
	mean := 0.0
	if in.Latency.N > 0 { // Little: time in the system = how many are in it / how many leave it a second
		mean = n.samples.mean(in.Now, naiveWindow) * naiveWindow.Seconds() / float64(in.Latency.N)
	}
	if in.Now-n.decided >= naiveTick {
		n.decided = in.Now
		switch target := cfg.Target.Seconds(); {
		case mean > target:
			n.want++
		case mean < target/2:
			n.want--
		}
	}
	n.want = min(max(n.want, cfg.Min, 1), cfg.Max-cfg.Spare)
	return exactly(n.want, cfg.Spare, in)
}

// window keeps samples of the last minute, one for each decision.
type window struct{ samples []sample }

type sample struct {
	at    time.Duration
	value float64
}

const windowKeeps = 60 * time.Second

func (w *window) add(now time.Duration, v float64) {
	w.samples = append(w.samples, sample{now, v})
	old := 0
	for now-w.samples[old].at > windowKeeps {
		old++
	}
	if old > 64 { // not each time
		w.samples = append(w.samples[:0], w.samples[old:]...)
	}
}

// mean of the samples that are not older than width.
func (w *window) mean(now, width time.Duration) float64 {
	sum, n := 0.0, 0
	for i := len(w.samples) - 1; i >= 0 && now-w.samples[i].at < width; i-- {
		sum += w.samples[i].value
		n++
	}
	return sum / float64(max(n, 1))
}
