package reference

import (
	"math"
	"time"
)

const (
	// surgeSigma is how many standard deviations of a Poisson count a short window must be above the slow one. With three, nine arrivals
	// or fewer never say anything.
	surgeSigma = 3

	// surgeShortest: shorter windows take a handful of simultaneous arrivals for a rate.
	surgeShortest = 500 * time.Millisecond
)

// surge lets a short window replace the load when even k - 3*sqrt(k) arrivals in it would be more than the slow window says. The
// window that asks for the most wins.
func (v *view) surge(l *load) {
	for _, w := range v.in.Windows {
		k, width := count(w.Arrivals), w.Width.Seconds()
		if w.Width < surgeShortest {
			continue
		}
		each := slotsOf(1, width, l.service.mean)
		sure := (float64(k) - surgeSigma*math.Sqrt(float64(k))) * each
		if now := float64(k) * each; sure > l.slow && now > l.erlang {
			l.erlang, l.surging, l.window = now, true, w
		}
	}
}
