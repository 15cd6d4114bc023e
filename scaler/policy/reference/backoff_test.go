package reference

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestBackoffDoublesFromOneSecondToSixty(t *testing.T) {
	for fails, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 8: time.Minute, 1 << 20: time.Minute,
	} {
		if got := backoffAfter(fails); got != want {
			t.Errorf("after %d failed starts the back-off is %v, want %v", fails, got, want)
		}
	}
}

func TestWhileStartsFailThereIsOneProbeAtATime(t *testing.T) {
	tests := []struct {
		name    string
		fails   int
		since   time.Duration
		begun   int
		wanted  int
		allowed int
		backoff time.Duration
	}{
		{"none failed", 0, 0, 0, 5, 5, 0},
		{"waiting", 3, time.Second, 0, 5, 0, 3 * time.Second},
		{"waiting, one that had begun goes on", 3, time.Second, 2, 5, 2, 3 * time.Second},
		{"a probe", 3, 4 * time.Second, 0, 5, 1, 0},
		{"the probe runs", 3, 5 * time.Second, 1, 5, 1, 0},
		{"two that had begun go on", 3, 5 * time.Second, 2, 5, 2, 0},
		{"nothing wanted, nothing probed", 3, time.Hour, 0, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := looking(func(_ *policy.Config, in *policy.Snapshot) {
				in.StartFails, in.SinceStartFail, in.Begun = tt.fails, tt.since, make([]time.Duration, tt.begun)
			})
			if got := v.backoff(); got != tt.backoff {
				t.Errorf("back-off %v, want %v", got, tt.backoff)
			}
			if got := v.allowed(tt.wanted, v.backoff()); got != tt.allowed {
				t.Errorf("%d starts allowed, want %d", got, tt.allowed)
			}
		})
	}
}
