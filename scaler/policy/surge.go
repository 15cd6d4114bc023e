package policy

import (
	"math"
	"time"
)

const (
	surgeSigma = 3 // standard deviations of a Poisson count that a short window must be above the slow one
	surgeLeast = 4 // arrivals that a window must hold to say anything

	// Shorter windows take a handful of simultaneous arrivals for a rate.
	surgeShortest = 500 * time.Millisecond
)

// surge lets a short window replace the load when even k - 3*sqrt(k) arrivals in it would be more than the slow window says. The
// window that asks for the most wins.
func (v *view) surge(l *load) {
	for _, w := range v.in.Windows {
		k, width := count(w.Arrivals), w.Width.Seconds()
		if k < surgeLeast || w.Width < surgeShortest {
			continue
		}
		each := slotsOf(1, width, l.service.mean)
		sure := (float64(k) - surgeSigma*math.Sqrt(float64(k))) * each
		if now := float64(k) * each; sure > l.slow && now > l.erlang {
			l.erlang, l.surging, l.window = now, true, w
		}
	}
}
