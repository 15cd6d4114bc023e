package driver_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"understudy/driver"
)

func TestBackoffDoublesUpToItsMaxAndStartsAgainAfterReset(t *testing.T) {
	const reset = -1 // in place of a call to Next
	for _, tc := range []struct {
		name      string
		base, max time.Duration
		calls     int
		resetAt   int // Reset is called before this call; reset: never
		want      []time.Duration
	}{
		{"doubles", 1, 60, 4, reset, []time.Duration{1, 2, 4, 8}},
		{"stops at max", 1, 5, 5, reset, []time.Duration{1, 2, 4, 5, 5}},
		{"max reached exactly", 2, 8, 4, reset, []time.Duration{2, 4, 8, 8}},
		{"drop, long health, drop", 1, 60, 5, 3, []time.Duration{1, 2, 4, 1, 2}},
		{"max below base is base", 10, 3, 3, reset, []time.Duration{10, 10, 10}},
		{"zero value waits for nothing", 0, 0, 2, reset, []time.Duration{0, 0}},
		{"never overflows", math.MaxInt64/2 + 1, math.MaxInt64, 3, reset,
			[]time.Duration{math.MaxInt64/2 + 1, math.MaxInt64, math.MaxInt64}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := driver.Backoff{Base: tc.base, Max: tc.max}
			var got []time.Duration
			for i := range tc.calls {
				if i == tc.resetAt {
					b.Reset()
				}
				got = append(got, b.Next())
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("waits are %v, want %v", got, tc.want)
			}
		})
	}
}
