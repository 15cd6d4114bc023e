package policy_test

import (
	"cmp"
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// workload is arrivals per second over time, and batches that come on top, all at one instant.
type workload struct {
	name   string
	length time.Duration
	rate   func(t float64) float64 // at t seconds
	most   float64                 // no rate is above that; 0: 400
	batch  int
	every  time.Duration // between batches
}

// times yields the arrivals in order: Poisson at the rate of the moment, or evenly spread.
func (w workload) times(rng *rand.Rand, even bool) iter.Seq[time.Duration] {
	most := cmp.Or(w.most, 400) // arrivals are drawn at that and thinned out
	gap, kept := func() float64 { return rng.ExpFloat64() / most }, func(share float64) bool { return rng.Float64() < share }
	if even {
		owed := 0.0
		gap = func() float64 { return 1.0 / most }
		kept = func(share float64) bool {
			if owed += share; owed < 1 {
				return false
			}
			owed--
			return true
		}
	}
	return func(yield func(time.Duration) bool) {
		t, next := 0.0, w.every
		for {
			t += gap()
			at := time.Duration(t * float64(time.Second))
			for w.batch > 0 && next <= at {
				for range w.batch {
					if next >= w.length || !yield(next) {
						return
					}
				}
				next += w.every
			}
			if at >= w.length {
				return
			}
			if kept(w.rate(t)/most) && !yield(at) {
				return
			}
		}
	}
}

func steadily(rate float64) func(float64) float64 { return func(float64) float64 { return rate } }

// cycle is high for the first on seconds of each period, else low.
func cycle(low, high, on, period float64) func(float64) float64 {
	return func(t float64) float64 {
		if math.Mod(t, period) < on {
			return high
		}
		return low
	}
}

// bursts are 10 s of 40/s after silences of 43, 5, 12 and 20 s: some outlast the hold window.
func bursts(t float64) float64 {
	switch t = math.Mod(t, 120); {
	case t < 10, t >= 15 && t < 25, t >= 37 && t < 47, t >= 67 && t < 77:
		return 40
	}
	return 0
}

// workloads are the eight of the findings. Where those do not give a length, it is chosen so that the load agrees with the oracle's workers.
func workloads() []workload {
	return []workload{
		{name: "steady 50/s", most: 50, length: 15 * time.Minute, rate: steadily(50)},
		{name: "step 5-50-5/s", most: 50, length: 15 * time.Minute, rate: func(t float64) float64 {
			if t >= 225 && t < 675 {
				return 50
			}
			return 5
		}},
		{name: "ramp 5-100-5/s", most: 100, length: 15 * time.Minute, rate: func(t float64) float64 { return 100 - 95*math.Abs(t-450)/450 }},
		{name: "spike 10 to 100/s", most: 100, length: 15 * time.Minute, rate: func(t float64) float64 {
			return cycle(10, 100, 10, 120)(t + 60)
		}},
		{name: "diurnal 5-60/s", most: 60, length: 15 * time.Minute, rate: func(t float64) float64 { return 32.5 - 27.5*math.Cos(2*math.Pi*t/900) }},
		{name: "on/off 40/s", most: 40, length: 15 * time.Minute, rate: bursts},
		{name: "low rate 0.5/s", most: 1, length: 15 * time.Minute, rate: steadily(0.5)},
		{name: "10 at once over 5/s", most: 5, length: 15 * time.Minute, rate: steadily(5), batch: 10, every: 5 * time.Second},
	}
}
