package reference

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestServiceTimeIsBusyTimeOverAnswers(t *testing.T) {
	tests := []struct {
		name   string
		change func(*policy.Config, *policy.Snapshot)
		good   float64 // remembered from before, in seconds
		want   float64
	}{
		{"enough answers", func(_ *policy.Config, in *policy.Snapshot) {
			in.BusyTime, in.Service = 3*time.Second, exactly(time.Second, 20)
		}, 9, 0.15},
		{"tasks that do not end make it grow", func(_ *policy.Config, in *policy.Snapshot) {
			in.BusyTime, in.Service = time.Minute, exactly(time.Second, 20)
		}, 0, 3},
		{"few answers: five of what was last known are blended in", func(_ *policy.Config, in *policy.Snapshot) {
			in.BusyTime, in.Service = time.Second, exactly(time.Second, 5)
		}, 0.2, (1 + 5*0.2) / 10},
		{"nothing known: half the target", func(_ *policy.Config, in *policy.Snapshot) { in.BusyTime, in.Service = 0, nil }, 0, 0.15},
		{"nothing answered and much in service", func(_ *policy.Config, in *policy.Snapshot) { in.BusyTime, in.Service = time.Minute, nil }, 0, (60 + 5*0.15) / 5},
		{"while most fail what was known stands", func(_ *policy.Config, in *policy.Snapshot) {
			in.BusyTime, in.Service = time.Minute, exactly(time.Second, 30)
			in.Latency = policy.Latency{N: 2, Failed: 3, Requests: 5}
		}, 0.2, 0.2},
		{"never nothing", func(_ *policy.Config, in *policy.Snapshot) { in.BusyTime, in.Service = 0, exactly(0, 20) }, 0, shortest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := looking(tt.change)
			v.mem.good = tt.good
			s := v.serviceTimes()
			near(t, "the mean service time", s.mean, tt.want, 1e-9)
		})
	}
}

func TestVarianceIsMeasuredOnceThereAreEnoughAnswers(t *testing.T) {
	v := looking(func(_ *policy.Config, in *policy.Snapshot) {
		in.Service = []policy.Bucket{{Lower: 100 * time.Millisecond, Upper: 100 * time.Millisecond, N: 30}, {Lower: 300 * time.Millisecond, Upper: 300 * time.Millisecond, N: 30}}
	})
	near(t, "the variance of 0.1 and 0.3 s", v.serviceTimes().variance, 0.25, 1e-9) // 0.01 / 0.04
	v.in.Service = exactly(time.Second, 19)
	near(t, "the variance of few answers", v.serviceTimes().variance, 1, 0)
}

func TestAMeanThatRestsOnEnoughAnswersIsRemembered(t *testing.T) {
	v := looking(nil)
	v.serviceTimes()
	near(t, "the remembered mean", v.mem.good, 0.1, 1e-9)
	near(t, "the remembered calm mean", v.mem.calm, 0.1, 1e-9)
	v.in.BusyTime, v.in.Service = time.Minute, exactly(time.Second, 19)
	v.serviceTimes()
	near(t, "the mean remembered beside few answers", v.mem.good, 0.1, 1e-9)
	v.in.Service, v.in.Latency = exactly(time.Second, 60), policy.Latency{N: 1, Failed: 9, Requests: 10}
	v.serviceTimes()
	near(t, "the mean remembered beside failures", v.mem.good, 0.1, 1e-9)
}

func TestOfferedLoadIsArrivalsTimesServiceOrTheTasksSeen(t *testing.T) {
	tests := []struct {
		name   string
		change func(*policy.Config, *policy.Snapshot)
		want   float64
		busier bool
	}{
		{"Little's law", func(_ *policy.Config, in *policy.Snapshot) { in.MeanBusy = 0 }, 1, false},
		{"more tasks in service than that", func(_ *policy.Config, in *policy.Snapshot) { in.MeanBusy = 4 }, 4, true},
		{"one arrival never needs more than a slot, however long it takes", func(_ *policy.Config, in *policy.Snapshot) {
			in.Slow, in.MeanBusy = policy.Window{Width: time.Second, Arrivals: 3}, 0
			in.BusyTime = 100 * time.Minute // 10 s each
		}, 3, false},
		{"a process that has not run at all", func(_ *policy.Config, in *policy.Snapshot) { in.Slow, in.MeanBusy = policy.Window{}, 0 }, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := looking(tt.change).offered()
			near(t, "the load", l.erlang, tt.want, 1e-9)
			if l.busier != tt.busier || l.surging {
				t.Errorf("busier %v, surging %v, want %v and false", l.busier, l.surging, tt.busier)
			}
		})
	}
}

func TestAQuantileOfServiceTimesIsTheNearestRank(t *testing.T) {
	s := service{assumed: 7, answers: 20, buckets: []policy.Bucket{{Lower: time.Second, Upper: time.Second, N: 18}, {Lower: 2 * time.Second, Upper: 2 * time.Second, N: 1}, {Lower: 3 * time.Second, Upper: 3 * time.Second, N: 1}}}
	for q, want := range map[float64]float64{0: 1, 0.5: 1, 0.9: 1, 0.91: 2, 0.95: 2, 0.96: 3, 1: 3} {
		near(t, "the quantile", s.quantile(q), want, 0)
	}
	near(t, "the quantile of nothing", (&service{assumed: 7}).quantile(0.95), 7, 0)
}

func TestNothingIsLearnedWhileMostFail(t *testing.T) {
	v := looking(func(_ *policy.Config, in *policy.Snapshot) {
		in.Latency = policy.Latency{N: 20, Failed: 30, Requests: 50}
	})
	v.serviceTimes()
	if v.mem.good != 0 || v.mem.calm != 0 {
		t.Errorf("%v s and %v s on calm days were learned from a pool in which most requests fail", v.mem.good, v.mem.calm)
	}
}
