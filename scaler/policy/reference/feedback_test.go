package reference

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

// missing is a pool in which that many of the last 100 answers missed because they waited.
func missing(n int) func(*policy.Config, *policy.Snapshot) {
	return func(_ *policy.Config, in *policy.Snapshot) {
		in.Latency = policy.Latency{N: 100, Over: n, Missed: n, Requests: 100}
	}
}

func TestABreachAddsOneWorker(t *testing.T) {
	tests := []struct {
		name   string
		change func(*policy.Config, *policy.Snapshot)
		want   int
	}{
		{"more than the budget", missing(6), 1},
		{"just the budget", missing(5), 0},
		{"too few answers to tell", func(_ *policy.Config, in *policy.Snapshot) {
			in.Latency = policy.Latency{N: 19, Over: 19, Missed: 19, Requests: 19}
		}, 0},
		{"slow by service alone", func(_ *policy.Config, in *policy.Snapshot) {
			in.Latency = policy.Latency{N: 100, Over: 100, Requests: 100}
		}, 0},
		{"most requests fail", func(_ *policy.Config, in *policy.Snapshot) {
			in.Latency = policy.Latency{N: 100, Over: 50, Missed: 50, Failed: 101, Requests: 201}
		}, 0},
		{"one is starting", func(c *policy.Config, in *policy.Snapshot) { missing(50)(c, in); in.Begun = []time.Duration{0} }, 0},
		{"one is asked for", func(c *policy.Config, in *policy.Snapshot) { missing(50)(c, in); in.Asked = 1 }, 0},
		{"the pool is at its max", func(c *policy.Config, in *policy.Snapshot) { missing(50)(c, in); c.Max = 3 }, 0},
		{"the host has no CPU", func(c *policy.Config, in *policy.Snapshot) { missing(50)(c, in); in.HostCPU = 0.9 }, 0},
		{"a stricter promise", func(c *policy.Config, in *policy.Snapshot) { missing(2)(c, in); c.Percentile = 99 }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := looking(tt.change).feedback(3); got != tt.want {
				t.Errorf("feedback adds %d, want %d", got, tt.want)
			}
		})
	}
}

// after lets feedback look again later, with another share missed.
func after(v *view, d time.Duration, missed int) int {
	v.now += d
	v.in.Latency.Over, v.in.Latency.Missed = missed, missed
	return v.feedback(3)
}

func TestBreachesAddUpEveryTwoSecondsAndCalmTakesThemBackEveryThirty(t *testing.T) {
	v := looking(missing(50))
	steps := []struct {
		name   string
		wait   time.Duration
		missed int
		want   int
	}{
		{"the first breach", 0, 50, 1},
		{"too soon", 1999 * time.Millisecond, 50, 1},
		{"again", time.Millisecond, 50, 2},
		{"not a breach, not calm", time.Minute, 4, 2},
		{"calm begins", 0, 2, 2},
		{"not calm for long enough", 29 * time.Second, 2, 2},
		{"calm for 30 s", time.Second, 2, 1},
		{"the next takes another 30 s", 29 * time.Second, 0, 1},
		{"interrupted", 500 * time.Millisecond, 3, 1},
		{"from there on", 29 * time.Second, 0, 1},
		{"calm for 30 s again", time.Second, 0, 0},
		{"there is no less than none", time.Hour, 0, 0},
	}
	for _, s := range steps {
		if got := after(v, s.wait, s.missed); got != s.want {
			t.Fatalf("%s: feedback adds %d, want %d", s.name, got, s.want)
		}
	}
}

func TestFeedbackAddsNoMoreThanEight(t *testing.T) {
	v, got := looking(missing(50)), 0
	for range 30 {
		got = after(v, 2*time.Second, 50)
	}
	if got != 8 {
		t.Errorf("feedback adds %d, want 8", got)
	}
}

func TestWhatFeedbackAddedIsLeftOutWhileTheHostHasNoCPU(t *testing.T) {
	v := looking(missing(50))
	v.feedback(3)
	v.in.HostCPU = 1
	if got := after(v, time.Second, 0); got != 0 {
		t.Errorf("feedback adds %d, want none", got)
	}
	v.in.HostCPU = 0.5
	if got := after(v, time.Second, 0); got != 1 {
		t.Errorf("feedback adds %d afterwards, want the 1 it had", got)
	}
}
