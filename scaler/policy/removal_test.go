package policy

import (
	"testing"
	"time"
)

func TestAnIdleSurplusWorkerGoesOnlyWhenNothingSpeaksAgainstIt(t *testing.T) {
	// The quiet pool has three active workers and a spare.
	tests := []struct {
		name   string
		change func(*Config, *Snapshot)
		target int
		want   int
	}{
		{"one too many", nil, 3, 1},
		{"many too many: still one", nil, 1, 1},
		{"many too many of many: a tenth", func(_ *Config, in *Snapshot) { in.Active, in.Idle = 29, 28 }, 4, 3},
		{"a tenth, but no more than are too many", func(_ *Config, in *Snapshot) { in.Active, in.Idle = 39, 38 }, 38, 2},
		{"a tenth, but no more than are idle", func(_ *Config, in *Snapshot) { in.Active, in.Spare, in.Idle = 40, 1, 1 }, 4, 2},
		{"none too many", nil, 4, 0},
		{"one too many when what starts is ready", func(_ *Config, in *Snapshot) { in.Begun = make([]time.Duration, 1) }, 4, 1},
		{"asked for is not begun", func(_ *Config, in *Snapshot) { in.Asked = 1 }, 4, 0},
		{"someone waits", func(_ *Config, in *Snapshot) { in.Queue = 1 }, 3, 0},
		{"nobody is idle", func(_ *Config, in *Snapshot) { in.Idle, in.Active, in.Spare = 0, 4, 0 }, 3, 0},
		{"only the spare is idle", func(_ *Config, in *Snapshot) { in.Idle = 0 }, 3, 1},
		{"four fifths of the budget missed", missing(4), 3, 1},
		{"more missed", missing(5), 3, 0},
		{"most fail", func(_ *Config, in *Snapshot) { in.Latency.Failed, in.Latency.Requests = 101, 201 }, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := looking(tt.change).removable(tt.target); got != tt.want {
				t.Errorf("%d may go, want %d", got, tt.want)
			}
		})
	}
}

// missing is a pool in which that many of the last 100 answers missed because they waited.
func missing(n int) func(*Config, *Snapshot) {
	return func(_ *Config, in *Snapshot) { in.Latency = Latency{N: 100, Over: n, Missed: n, Requests: 100} }
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
