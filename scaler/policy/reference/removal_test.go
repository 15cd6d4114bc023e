package reference

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestAnIdleSurplusWorkerGoesOnlyWhenNothingSpeaksAgainstIt(t *testing.T) {
	// The quiet pool has three active workers and a spare.
	tests := []struct {
		name   string
		change func(*policy.Config, *policy.Snapshot)
		target int
		want   int
	}{
		{"one too many", nil, 3, 1},
		{"many too many: still one", nil, 1, 1},
		{"none too many", nil, 4, 0},
		{"one too many when what starts is ready", func(_ *policy.Config, in *policy.Snapshot) { in.Begun = make([]time.Duration, 1) }, 4, 1},
		{"asked for is not begun", func(_ *policy.Config, in *policy.Snapshot) { in.Asked = 1 }, 4, 0},
		{"someone waits", func(_ *policy.Config, in *policy.Snapshot) { in.Queue = 1 }, 3, 0},
		{"nobody is idle", func(_ *policy.Config, in *policy.Snapshot) { in.Idle, in.Active, in.Spare = 0, 4, 0 }, 3, 0},
		{"only the spare is idle", func(_ *policy.Config, in *policy.Snapshot) { in.Idle = 0 }, 3, 1},
		{"four fifths of the budget missed", missing(4), 3, 1},
		{"more missed", missing(5), 3, 0},
		{"most fail", func(_ *policy.Config, in *policy.Snapshot) { in.Latency.Failed, in.Latency.Requests = 101, 201 }, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := looking(tt.change).removable(tt.target); got != tt.want {
				t.Errorf("%d may go, want %d", got, tt.want)
			}
		})
	}
}

func TestOneWorkerGoesASecond(t *testing.T) {
	v := looking(nil)
	gone := 0
	for range 41 { // 10 s
		gone += v.removable(0)
		v.now += 250 * time.Millisecond
	}
	if gone != 11 {
		t.Errorf("%d went in 10 s, want one at once and one each second", gone)
	}
}
