package policy

import "math"

const (
	surgeLeast = 4 // arrivals that a window needs to say anything
	surgeSigma = 3 // z: standard deviations by which it must be above the slow rate
	surgeLasts = 2 // phi: a rate seen for w seconds is expected to last phi*w more
	maxSurges  = 8 // windows looked at
)

// On the eight workloads of the findings, over the target / workers x oracle / starts: z 2 gives 1.26 % / 1.93 / 35, z 2.5 gives 1.28 % / 1.90 / 29 and
// z 3 gives 1.30 % / 1.88 / 25, with no more misses on any of the three traces: every other start under steady load is a false alarm less.

// forecast is how many requests a second will come (formula 2): the rate of the slow window, and where short windows are significantly above
// that, theirs for a while.
type forecast struct {
	slow   float64 // lam0: arrivals per second over the slow window
	surges [maxSurges]surge
	n      int
	peak   Window // the window of the highest of them
}

// surge is a rate that is expected until so many seconds from now.
type surge struct{ rate, until float64 }

// expect reads the windows. A window of k arrivals counts when (k - 3*sqrt(V))/w is more than the slow rate, V being the sum of the squares
// of its batches: ten requests at once are one event, not a rate.
func (v *view) expect() (f forecast) {
	if width := v.in.Slow.Width.Seconds(); width > 0 {
		f.slow = float64(v.in.Slow.Arrivals) / width
	}
	highest := 0.0
	for _, w := range v.in.Windows {
		k, width := float64(count(w.Arrivals)), w.Width.Seconds()
		sure := k - surgeSigma*math.Sqrt(max(k, float64(count(w.BatchSquares))))
		if k < surgeLeast || width <= 0 || sure/width <= f.slow || f.n == maxSurges {
			continue
		}
		f.surges[f.n] = surge{k / width, surgeLasts * width}
		f.n++
		if k/width > highest {
			highest, f.peak = k/width, w
		}
	}
	return f
}

// at is lam(t): the rate t seconds from now.
func (f *forecast) at(t float64) float64 {
	rate := f.slow
	for _, s := range f.surges[:f.n] {
		if t <= s.until {
			rate = max(rate, s.rate)
		}
	}
	return rate
}
