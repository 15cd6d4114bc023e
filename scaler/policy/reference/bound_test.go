package reference

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestTheNeedStaysWithinBounds(t *testing.T) {
	tests := []struct {
		name        string
		min, max    int
		asked, add  int
		need        int
		clamp, term string
	}{
		{"within", 1, 20, 4, 0, 4, "", termModel},
		{"feedback adds", 1, 20, 4, 2, 6, "", termModel},
		{"below min", 3, 20, 1, 0, 3, "", termMin},
		{"room for the spare", 1, 5, 4, 0, 4, "", termModel},
		{"no room for the spare", 1, 4, 4, 0, 4, clampMax, termModel},
		{"above max", 1, 4, 9, 0, 4, clampMax, termModel},
		{"min is max", 4, 4, 0, 0, 4, "", termMin},
		{"max 0", 0, 0, 3, 0, 0, clampMax, termModel},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := looking(func(c *policy.Config, _ *policy.Snapshot) { c.Min, c.Max = tt.min, tt.max })
			d := policy.Decision{Term: termModel}
			need, clamp := v.bound(&working{asked: tt.asked, boost: tt.add}, &d)
			if need != tt.need || clamp != tt.clamp || d.Term != tt.term {
				t.Errorf("need %d by %s limited by %q, want %d by %s limited by %q", need, d.Term, clamp, tt.need, tt.term, tt.clamp)
			}
		})
	}
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
		{"none, and service slow: what is there, without the spare", 0.9, 126 * time.Millisecond, 3, true},
		{"none, but service as quick as ever", 1, 125 * time.Millisecond, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := looking(func(_ *policy.Config, in *policy.Snapshot) {
				in.HostCPU = tt.cpu
				in.BusyTime = 600 * tt.mean
			})
			v.mem.calm = 0.1
			w := working{load: v.offered()}
			w.model = v.modelNeed(&w.load)
			if limit, limited := v.hostLimit(&w); limit != tt.limit || limited != tt.limits {
				t.Errorf("limit %d, %v, want %d, %v", limit, limited, tt.limit, tt.limits)
			}
		})
	}
}

func TestAFullHostDoesNotKeepAPoolFromWhatItsLoadNeedsOnCalmDays(t *testing.T) {
	v := looking(func(_ *policy.Config, in *policy.Snapshot) {
		in.HostCPU, in.Slow.Arrivals, in.BusyTime = 1, 1500, 1200*time.Second
	})
	v.mem.calm = 0.1
	w := working{load: v.offered()}
	w.model = v.modelNeed(&w.load)
	near(t, "the load at calm service", w.load.erlang, 5, 1e-9)
	if limit, _ := v.hostLimit(&w); limit != w.model || limit <= 5 {
		t.Errorf("limit %d, want the %d of the model", limit, w.model)
	}
}

func TestServiceMeasuredOnAFullHostIsNotBelievedForAMinute(t *testing.T) {
	v := looking(nil)
	v.offered() // learns 100 ms
	at := func(wait time.Duration, cpu float64) float64 {
		in := *v.in
		in.Now, in.HostCPU, in.BusyTime, in.MeanBusy = v.now+wait, cpu, 120*time.Second, 2
		*v = *ptr(newView(v.cfg, &in, v.mem))
		l := v.offered()
		return l.erlang
	}
	near(t, "the load on a full host", at(time.Second, 1), 1, 1e-9)
	near(t, "the load 59 s later", at(59*time.Second, 0.1), 1, 1e-9)
	near(t, "the load a minute later", at(time.Second, 0.1), 2, 1e-9)
	near(t, "the calm mean then", v.mem.calm, 0.2, 1e-9)
}

func ptr[T any](v T) *T { return &v }
