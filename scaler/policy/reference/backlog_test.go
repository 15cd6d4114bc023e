package reference

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestBacklogIsProjectedToWhenAStartWouldHelp(t *testing.T) {
	// S = 0.1, T = 0.3, D = 0.6, a = 1 unless said otherwise.
	tests := []struct {
		name   string
		change func(*policy.Config, *policy.Snapshot)
		rest   float64
		slots  int
	}{
		{"nothing waits", func(_ *policy.Config, in *policy.Snapshot) {}, 0, 0},
		{"what four workers clear meanwhile", func(_ *policy.Config, in *policy.Snapshot) { in.Queue = 18 }, 0, 0},     // 18 + 6 - 24
		{"more than they clear", func(_ *policy.Config, in *policy.Snapshot) { in.Queue = 30 }, 12, 3},                 // 1 + 12*0.1/0.6
		{"starting ones count half", func(_ *policy.Config, in *policy.Snapshot) { in.Queue, in.Asked = 30, 2 }, 6, 2}, // one more slot
		{"those begun too", func(_ *policy.Config, in *policy.Snapshot) { in.Queue, in.Begun = 30, make([]time.Duration, 2) }, 6, 2},
		{"slots of others count", func(_ *policy.Config, in *policy.Snapshot) { in.Queue, in.Others = 30, 1 }, 6, 2},
		{"workers of two slots count twice", func(c *policy.Config, in *policy.Snapshot) { in.Queue, in.Active, c.Concurrency = 30, 1, 2 }, 12, 3},
		{"no worker at all", func(_ *policy.Config, in *policy.Snapshot) { in.Queue, in.Active, in.Spare = 6, 0, 0 }, 12, 3},
		{"a start time not measured is 0.8 s", func(_ *policy.Config, in *policy.Snapshot) { in.Queue, in.StartTime = 30, 0 }, 6, 2}, // 30+8-32; 1+6/8
		{"with work much longer than a start, one slot for each that waits", func(_ *policy.Config, in *policy.Snapshot) {
			in.Queue, in.Active, in.Spare, in.Slow.Arrivals, in.MeanBusy, in.Busy = 7, 0, 0, 0, 0, 0
			in.BusyTime = 100 * time.Minute // 10 s each
		}, 7, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := looking(tt.change)
			l := v.offered()
			slots, rest := v.backlog(&l)
			near(t, "what would still wait", rest, tt.rest, 1e-9)
			if slots != tt.slots {
				t.Errorf("%d slots, want %d", slots, tt.slots)
			}
		})
	}
}

func TestWorkThatStaysCountsAsFarAsThereAreSlots(t *testing.T) {
	tests := []struct{ standing, active, others, want int }{{0, 3, 0, 0}, {2, 3, 0, 2}, {9, 3, 0, 4}, {9, 3, 2, 6}, {9, 0, 0, 1}}
	for _, tt := range tests {
		v := looking(func(_ *policy.Config, in *policy.Snapshot) {
			in.Standing, in.Active, in.Others = tt.standing, tt.active, tt.others
		})
		if got := v.standing(); got != tt.want {
			t.Errorf("%d standing, %d active, 1 spare, %d of others: %d slots, want %d", tt.standing, tt.active, tt.others, got, tt.want)
		}
	}
}
