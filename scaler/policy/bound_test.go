package policy

import (
	"testing"
	"time"
)

func TestTheNeedStaysWithinBounds(t *testing.T) {
	tests := []struct {
		name        string
		min, max    int
		usual, keep int
		need        int
		clamp, term string
	}{
		{"within", 1, 20, 4, 0, 4, "", termUsual},
		{"the reserve adds", 1, 20, 4, 2, 6, "", termUsual},
		{"below min", 3, 20, 1, 0, 3, "", termMin},
		{"room for the spare", 1, 5, 4, 0, 4, "", termUsual},
		{"no room for the spare", 1, 4, 4, 0, 4, clampMax, termUsual},
		{"above max", 1, 4, 9, 0, 4, clampMax, termUsual},
		{"min is max", 4, 4, 0, 0, 4, "", termMin},
		{"max 0", 0, 0, 3, 0, 0, clampMax, termUsual},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := looking(func(c *Config, _ *Snapshot) { c.Min, c.Max = tt.min, tt.max })
			d := Decision{Term: termUsual}
			need, clamp := v.bound(&working{usual: tt.usual, reserve: tt.keep}, &d)
			if need != tt.need || clamp != tt.clamp || d.Term != tt.term {
				t.Errorf("need %d by %s limited by %q, want %d by %s limited by %q", need, d.Term, clamp, tt.need, tt.term, tt.clamp)
			}
		})
	}
}

// served is an answer law of one time, measured while the host has that much CPU, in a pool whose tasks took 100 ms on calm days.
func served(cpu float64, mean time.Duration) *view {
	v := looking(func(_ *Config, in *Snapshot) {
		in.HostCPU, in.Service = cpu, exactly(mean, 600)
		in.InService = []Group{{Age: 50 * time.Millisecond, N: 1}}
	})
	v.mem.calm = 0.1
	v.learn()
	return v
}

func TestAPoolThatSlowsDownOnAFullHostDoesNotGrow(t *testing.T) {
	tests := []struct {
		name   string
		cpu    float64
		mean   time.Duration // measured; 100 ms on calm days
		limit  int
		limits bool
	}{
		{"CPU unknown", -1, time.Second, 0, false},
		{"CPU to spare", 0.89, time.Second, 0, false},
		{"none, and service slow: what is there, without the spare", 0.9, 130 * time.Millisecond, 3, true},
		{"none, but service as quick as ever", 1, 120 * time.Millisecond, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := served(tt.cpu, tt.mean)
			if limit, limited := v.hostLimit(&working{usual: 2}); limit != tt.limit || limited != tt.limits {
				t.Errorf("limit %d, %v, want %d, %v", limit, limited, tt.limit, tt.limits)
			}
		})
	}
}

func TestAFullHostDoesNotKeepAPoolFromWhatItsLoadNeedsOnCalmDays(t *testing.T) {
	v := served(1, 200*time.Millisecond)
	if limit, _ := v.hostLimit(&working{usual: 7}); limit != 7 {
		t.Errorf("limit %d, want the 7 of the usual load", limit)
	}
}

func TestServiceMeasuredOnAFullHostIsNotBelievedForAMinute(t *testing.T) {
	v := looking(nil)
	v.learn() // 100 ms
	for _, tt := range []struct {
		what string
		wait time.Duration
		cpu  float64
		want float64
	}{
		{"on a full host", time.Second, 1, 0.1}, {"59 s later", 59 * time.Second, 0.1, 0.1}, {"a minute later", time.Second, 0.1, 0.2},
	} {
		in := v.in
		in.Now, in.HostCPU, in.Service = v.now+tt.wait, tt.cpu, exactly(200*time.Millisecond, 600)
		mem, cfg := v.mem, v.cfg
		v = new(view)
		v.open(cfg, in, mem)
		v.learn()
		near(t, "the service time "+tt.what, v.long.mean, tt.want, 0.002)
		near(t, "the calm one "+tt.what, v.mem.calm, tt.want, 0.002)
	}
}

func TestTasksInServiceAreNotTheLoadWhileTheHostMakesThemSlow(t *testing.T) {
	v := served(1, 200*time.Millisecond)
	v.in.MeanBusy = 4
	v.forecast = v.expect()
	near(t, "the load", v.offered(), 1, 0.02)
}
