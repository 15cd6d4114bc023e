package reference

import (
	"math"
	"testing"
	"time"

	"understudy/scaler/policy"
)

// quiet is the pool most tables start from: three workers and a spare, ten requests a second of exactly 100 ms, nothing amiss.
func quiet() (policy.Config, policy.Snapshot) {
	cfg := policy.Config{Target: 300 * time.Millisecond, Percentile: 95, Min: 1, Max: 20, Spare: 1, SpareMax: 1, Concurrency: 1, Parallel: 4}
	in := policy.Snapshot{
		Now: time.Hour, Active: 3, Spare: 1, Idle: 2, Busy: 1,
		Slow: policy.Window{Width: 30 * time.Second, Arrivals: 300, BatchSquares: 300}, MeanBusy: 1, BusyTime: time.Minute,
		Service:   exactly(100*time.Millisecond, 600),
		Latency:   policy.Latency{N: 100, Requests: 100},
		StartTime: 600 * time.Millisecond, HostCPU: -1,
	}
	return cfg, in
}

// exactly is n answers that took d.
func exactly(d time.Duration, n int) []policy.Bucket {
	return []policy.Bucket{{Lower: d, Upper: d, N: n}}
}

// looking returns the view of a quiet pool after a change, with a memory of its own.
func looking(change func(*policy.Config, *policy.Snapshot)) *view {
	cfg, in := quiet()
	if change != nil {
		change(&cfg, &in)
	}
	v := newView(cfg, &in, &memory{})
	return &v
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
