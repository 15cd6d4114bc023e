package chart

import (
	"fmt"
	"math"
	"time"
)

// RoundUp finds the next 1, 2, 3, 4, 5, 6 or 8 times a power of ten: a value to put at the top of a scale. v must be more than 0.
func RoundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 3, 4, 5, 6, 8} {
		if v <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// Times are five ticks over a stretch of time.
func Times(length time.Duration) []Tick {
	ticks := make([]Tick, 5)
	for i := range ticks {
		ticks[i] = Tick{float64(i) / 4, Clock(length * time.Duration(i) / 4)}
	}
	return ticks
}

// Clock writes 1:05 or 1:00:05.
func Clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
