package reference

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestTheSpareGrowsOnlyWhereItMayAndWaitingWasTooLong(t *testing.T) {
	tests := []struct {
		name       string
		change     func(*policy.Config, *policy.Snapshot)
		need, want int
	}{
		{"fixed", func(c *policy.Config, in *policy.Snapshot) { c.SpareMax, in.Queue = 1, 500 }, 9, 1},
		{"fixed at none", func(c *policy.Config, in *policy.Snapshot) { c.Spare, c.SpareMax, in.Queue = 0, 0, 500 }, 9, 0},
		{"nobody waits", func(c *policy.Config, in *policy.Snapshot) { c.SpareMax, in.Queue = 10, 0 }, 9, 1},
		{"those who wait are in time", func(c *policy.Config, in *policy.Snapshot) { c.SpareMax, in.Queue = 10, 7 }, 9, 1},            // 7*0.1/4 < 0.3-0.1
		{"they are late: what was short and one", func(c *policy.Config, in *policy.Snapshot) { c.SpareMax, in.Queue = 10, 9 }, 9, 6}, // 9-4+1
		{"never beyond its max", func(c *policy.Config, in *policy.Snapshot) { c.SpareMax, in.Queue = 3, 9 }, 9, 3},
		{"never under its least", func(c *policy.Config, in *policy.Snapshot) { c.Spare, c.SpareMax, in.Queue = 2, 10, 9 }, 3, 2},
		{"nobody to serve them", func(c *policy.Config, in *policy.Snapshot) { c.SpareMax, in.Queue, in.Active, in.Spare = 10, 1, 0, 0 }, 2, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := looking(tt.change)
			w := working{load: v.offered()}
			if got := v.spareTarget(&w, tt.need); got != tt.want {
				t.Errorf("%d spare, want %d", got, tt.want)
			}
		})
	}
}

func TestAGrownSpareIsKeptForFiveMinutes(t *testing.T) {
	v := looking(func(c *policy.Config, in *policy.Snapshot) { c.SpareMax, in.Queue = 10, 9 })
	w := working{load: v.offered()}
	v.spareTarget(&w, 9)
	v.in.Queue = 0
	for _, tt := range []struct {
		wait time.Duration
		want int
	}{{299 * time.Second, 6}, {12 * time.Second, 1}} {
		v.now += tt.wait
		if got := v.spareTarget(&w, 9); got != tt.want {
			t.Errorf("%v later %d spare, want %d", tt.wait, got, tt.want)
		}
	}
}
