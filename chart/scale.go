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

// Times are ticks at round moments of a stretch of time: two to six of them, the first at its beginning. length must be more than 0.
func Times(length time.Duration) []Tick {
	step := roundStep(length)
	ticks := []Tick{}
	for at := time.Duration(0); at <= length; at += step {
		text := Clock(at)
		if step < time.Second {
			text = fmt.Sprintf("%g s", at.Seconds())
		}
		ticks = append(ticks, Tick{float64(at) / float64(length), text})
	}
	return ticks
}

// roundStep is the shortest of these that fits into length five times at most; beyond ten days whole days.
func roundStep(length time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, step := range []time.Duration{
		time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, day, 2 * day,
	} {
		if length <= 5*step {
			return step
		}
	}
	return (length/5 + day - 1) / day * day
}

// Clock writes 1:05 or 1:00:05.
func Clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
