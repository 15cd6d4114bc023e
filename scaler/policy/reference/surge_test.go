package reference

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestAShortWindowReplacesTheLoadOnlyWhenSignificantlyAboveIt(t *testing.T) {
	const half, two = 500 * time.Millisecond, 2 * time.Second
	tests := []struct {
		name    string
		windows []policy.Window
		want    float64 // the quiet pool's load is 1
	}{
		{"no window", nil, 1},
		{"what chance brings", []policy.Window{{Width: half, Arrivals: 9}}, 1},         // 9-9 = 0
		{"just short of significant", []policy.Window{{Width: half, Arrivals: 17}}, 1}, // (17-12.4)*0.2 = 0.93
		{"just significant", []policy.Window{{Width: half, Arrivals: 18}}, 3.6},        // (18-12.7)*0.2 = 1.05
		{"a longer window needs less", []policy.Window{{Width: two, Arrivals: 40}}, 2}, // (40-19)*0.05 = 1.05
		{"the one that asks for the most wins", []policy.Window{{Width: half, Arrivals: 18}, {Width: two, Arrivals: 100}}, 5},
		{"in whichever order", []policy.Window{{Width: two, Arrivals: 100}, {Width: half, Arrivals: 18}}, 5},
		{"a quarter of a second is too short", []policy.Window{{Width: half / 2, Arrivals: 100}}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := looking(func(_ *policy.Config, in *policy.Snapshot) { in.Windows = tt.windows }).offered()
			near(t, "the load", l.erlang, tt.want, 1e-9)
			if l.surging != (tt.want > 1) {
				t.Errorf("surging is %v", l.surging)
			}
		})
	}
}

func TestNineArrivalsAreNoSurgeHoweverLittleCameBefore(t *testing.T) {
	v := looking(func(_ *policy.Config, in *policy.Snapshot) {
		in.Slow.Arrivals, in.MeanBusy = 0, 0
		in.Windows = []policy.Window{{Width: time.Second, Arrivals: 9}}
	})
	if l := v.offered(); l.surging || l.erlang != 0 {
		t.Errorf("load %v, surging %v, want none", l.erlang, l.surging)
	}
}
