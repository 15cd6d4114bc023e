package policy

import (
	"testing"
	"time"
)

func TestABreachAddsOneWorker(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config, *Snapshot)
		want   int
	}{
		{"more than the budget", missing(6), 1},
		{"just the budget", missing(5), 0},
		{"too few answers to tell", func(_ *Config, in *Snapshot) { in.Latency = Latency{N: 19, Over: 19, Missed: 19, Requests: 19} }, 0},
		{"slow by service alone", func(_ *Config, in *Snapshot) { in.Latency = Latency{N: 100, Over: 100, Requests: 100} }, 0},
		{"most requests fail", func(_ *Config, in *Snapshot) {
			in.Latency = Latency{N: 100, Over: 50, Missed: 50, Failed: 101, Requests: 201}
		}, 0},
		{"one is starting", func(c *Config, in *Snapshot) { missing(50)(c, in); in.Begun = []time.Duration{0} }, 0},
		{"one is asked for", func(c *Config, in *Snapshot) { missing(50)(c, in); in.Asked = 1 }, 0},
		{"the pool is at its max", func(c *Config, in *Snapshot) { missing(50)(c, in); c.Max = 3 }, 0},
		{"the host has no CPU", func(c *Config, in *Snapshot) { missing(50)(c, in); in.HostCPU = 0.9 }, 0},
		{"a stricter promise", func(c *Config, in *Snapshot) { missing(2)(c, in); c.Percentile = 99 }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := looking(tt.change).reserve(3); got != tt.want {
				t.Errorf("the reserve is %d, want %d", got, tt.want)
			}
		})
	}
}

// after lets the reserve look again later, with another share missed.
func after(v *view, d time.Duration, missed int) int {
	v.now += d
	v.in.Latency.Over, v.in.Latency.Missed = missed, missed
	return v.reserve(3)
}

func TestBreachesAddUpEveryFourSecondsAndCalmTakesThemBackEveryMinute(t *testing.T) {
	v := looking(missing(50))
	steps := []struct {
		name   string
		wait   time.Duration
		missed int
		want   int
	}{
		{"the first breach", 0, 50, 1},
		{"too soon", 3999 * time.Millisecond, 50, 1},
		{"again", time.Millisecond, 50, 2},
		{"not a breach, not calm", 2 * time.Minute, 4, 2},
		{"calm begins", 0, 2, 2},
		{"not calm for long enough", 59 * time.Second, 2, 2},
		{"calm for a minute", time.Second, 2, 1},
		{"the next takes another", 59 * time.Second, 0, 1},
		{"interrupted", 500 * time.Millisecond, 3, 1},
		{"from there on", 59 * time.Second, 0, 1},
		{"calm for a minute again", time.Second, 0, 0},
		{"there is no less than none", time.Hour, 0, 0},
	}
	for _, s := range steps {
		if got := after(v, s.wait, s.missed); got != s.want {
			t.Fatalf("%s: the reserve is %d, want %d", s.name, got, s.want)
		}
	}
}

func TestTroubleThatComesBackIsRememberedForLonger(t *testing.T) {
	v := looking(missing(50))
	v.reserve(3)
	for _, tt := range []struct {
		name string
		wait time.Duration
		keep time.Duration
	}{
		{"the same breach goes on", 14 * time.Second, time.Minute},
		{"it comes back", 15 * time.Second, 2 * time.Minute},
		{"and again", 100 * time.Second, 2 * time.Minute},
		{"after five minutes", 300 * time.Second, 2 * time.Minute},
		{"after longer it is another", 301 * time.Second, time.Minute},
	} {
		if after(v, tt.wait, 50); v.mem.keep != tt.keep {
			t.Errorf("%s: one is kept for %v of calm, want %v", tt.name, v.mem.keep, tt.keep)
		}
	}
}

func TestNoMoreThanEightAreKeptInReserve(t *testing.T) {
	v, got := looking(missing(50)), 0
	for range 30 {
		got = after(v, 4*time.Second, 50)
	}
	if got != 8 {
		t.Errorf("the reserve is %d, want 8", got)
	}
}

func TestTheReserveIsLeftOutWhileTheHostHasNoCPU(t *testing.T) {
	v := looking(missing(50))
	v.reserve(3)
	v.in.HostCPU = 1
	if got := after(v, time.Second, 0); got != 0 {
		t.Errorf("the reserve is %d, want none", got)
	}
	v.in.HostCPU = 0.5
	if got := after(v, time.Second, 0); got != 1 {
		t.Errorf("the reserve is %d afterwards, want the 1 there was", got)
	}
}
