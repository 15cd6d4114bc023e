package policy

import (
	"testing"
	"time"
)

func TestAShortWindowIsExpectedToLastOnlyWhenSignificantlyAboveTheSlowOne(t *testing.T) {
	const half, two = 500 * time.Millisecond, 2 * time.Second
	tests := []struct {
		name    string
		windows []Window
		now     float64 // the quiet pool has 10/s
		later   float64 // 1.5 s from now
	}{
		{"no window", nil, 10, 10},
		{"three arrivals", []Window{{half / 50, 3, 0}}, 10, 10},
		{"what chance brings", []Window{{half, 17, 17}}, 10, 10},          // (17-12.4)/0.5 = 9.3
		{"significant", []Window{{half, 18, 18}}, 36, 10},                 // (18-12.7)/0.5 = 10.5, until 1 s
		{"a longer window lasts longer", []Window{{two, 40, 40}}, 20, 20}, // (40-19)/2 = 10.5, until 4 s
		{"clumps are no rate", []Window{{two, 40, 400}}, 10, 10},          // (40-60)/2
		{"an unknown variance is that of singles", []Window{{two, 40, 0}}, 20, 20},
		{"the greatest at each time", []Window{{half, 50, 50}, {two, 100, 100}}, 100, 50},
		{"in whichever order", []Window{{two, 100, 100}, {half, 50, 50}}, 100, 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := looking(func(_ *Config, in *Snapshot) { in.Windows = tt.windows }).expect()
			near(t, "the rate now", f.at(0.1), tt.now, 1e-9)
			near(t, "the rate in 1.5 s", f.at(1.5), tt.later, 1e-9)
			near(t, "the rate in a minute", f.at(60), 10, 1e-9)
			if (f.peak.Arrivals > 0) != (tt.now > 10) {
				t.Errorf("the window that stands out is %+v", f.peak)
			}
		})
	}
}

func TestTheWindowThatStandsOutIsTheOneOfTheGreatestRate(t *testing.T) {
	f := looking(func(_ *Config, in *Snapshot) {
		in.Windows = []Window{{time.Second, 60, 60}, {2 * time.Second, 200, 200}, {4 * time.Second, 200, 200}}
	}).expect()
	if f.peak.Width != 2*time.Second {
		t.Errorf("it is %+v", f.peak)
	}
}
