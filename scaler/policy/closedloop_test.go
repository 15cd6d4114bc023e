package policy_test

import (
	"fmt"
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestConstantLoadComesToRest(t *testing.T) {
	t.Parallel()
	for _, perSecond := range []float64{0, 0.5, 10, 50} {
		t.Run(fmt.Sprintf("%v per second", perSecond), func(t *testing.T) {
			s := newSim(conditions{cfg: findings(), adopted: 2, even: true, start: 600 * time.Millisecond})
			s.load(workload{length: 12 * time.Minute, rate: steadily(perSecond)})
			s.until(7 * time.Minute) // what the beginning made the reserve grow has been taken back
			before := s.out
			s.until(12 * time.Minute)
			if moves := s.out.starts - before.starts + s.out.removals - before.removals; moves > 0 {
				t.Errorf("%d workers were started or removed in five minutes of constant load", moves)
			}
			if s.out.over > before.over {
				t.Errorf("%d requests were late", s.out.over-before.over)
			}
		})
	}
}

func TestNoStartLeadsBeyondMax(t *testing.T) {
	t.Parallel()
	for _, most := range []int{0, 1, 2, 8} {
		for _, w := range workloads() {
			cfg := findings()
			cfg.Max, cfg.Min, cfg.Spare, cfg.SpareMax = most, min(1, most), 1, 3
			w.length = 75 * time.Second // the spike comes after 60
			o := newSim(conditions{cfg: cfg, seed: 7, failStart: 0.2}).run(w)
			if o.most > most {
				t.Errorf("%s with max %d: %d workers at a time", w.name, most, o.most)
			}
			if most > 0 && o.starts == 0 {
				t.Errorf("%s with max %d: nothing was started", w.name, most)
			}
		}
	}
}

// The findings give 9 starts and no removal for a pool of one worker and a spare that meets 1 and 8 erlang in turns of 5 s for 10 minutes.
// Only the load is played here, and everything asked for is there at the next decision, so that nobody is ever late.
func TestLoadThatFlipsIsServedByTheSameWorkers(t *testing.T) {
	cfg := findings()
	in := policy.Snapshot{
		Active: 1, Spare: 1, Idle: 1, HostCPU: -1, Slow: policy.Window{Width: 30 * time.Second},
		BusyTime: time.Minute, Service: []policy.Bucket{{Lower: 100 * time.Millisecond, Upper: 100 * time.Millisecond, N: 600}},
	}
	var s policy.State
	var d policy.Decision
	starts, removals := 0, 0
	for ; in.Now < 10*time.Minute; in.Now += tick {
		erlang := 1
		if in.Now/(5*time.Second)%2 == 1 {
			erlang = 8
		}
		in.Slow.Arrivals = 300 * erlang
		d, s = policy.Decide(cfg, in, s)
		starts += d.Pipeline
		removals += d.Remove
		in.Active = d.Active
	}
	if starts != 9 || removals != 0 {
		t.Errorf("%d starts and %d removals, want 9 and none (%s)", starts, removals, d.Sentence())
	}
}

// CPU-bound work whose service time grows as (busy workers per core)^1.1: without the host-CPU rule every measure of load grows with
// the number of workers, up to max.
func TestAPoolDoesNotRunAwayOnAFullHost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cores, perSecond float64
		most             int
	}{{2, 10, 9}, {2, 20, 12}, {2, 30, 12}, {4, 20, 9}, {4, 30, 12}, {4, 50, 22}}
	for _, tt := range tests {
		rate := func(t float64) float64 {
			switch {
			case t < 60:
				return tt.perSecond / 3
			case t < 120:
				return tt.perSecond
			}
			return 5
		}
		o := newSim(conditions{cfg: findings(), seed: 1, adopted: 2, cores: tt.cores}).run(workload{length: 4 * time.Minute, rate: rate})
		t.Logf("%v cores, %v/s for a minute: %d workers at most, %.1f on average, %.0f %% late", tt.cores, tt.perSecond, o.most, o.workers(), o.overShare())
		if o.most > tt.most {
			t.Errorf("%v cores, %v/s: %d workers at a time, want at most %d of %d", tt.cores, tt.perSecond, o.most, tt.most, findings().Max)
		}
	}
}

func TestAGrowingSpareBuysFewerLateRequestsWithMoreWorkers(t *testing.T) {
	t.Parallel()
	spike := workloads()[3]
	spike.length = 6 * time.Minute
	fixed := newSim(conditions{cfg: findings(), seed: 1, adopted: 2}).run(spike)
	cfg := findings()
	cfg.SpareMax = 10
	grown := newSim(conditions{cfg: cfg, seed: 1, adopted: 2}).run(spike)
	t.Logf("%s: one spare %.2f %% late with %.1f workers, up to ten %.2f %% with %.1f", spike.name,
		fixed.overShare(), fixed.workers(), grown.overShare(), grown.workers())
	if grown.overShare() >= fixed.overShare() || grown.workers() <= fixed.workers() {
		t.Error("the spare that may grow changed nothing for the better")
	}
}

// At the max, and with 12 % more work than all workers can do, plain first in, first out answers nobody in time.
func TestAnOverloadedPoolAnswersWhomItCanInTime(t *testing.T) {
	t.Parallel()
	cfg := findings()
	cfg.Max = 8
	for _, tt := range []struct{ perSecond, possible, least float64 }{{70, 1, 0.9}, {90, 0.89, 0.8}, {120, 0.67, 0.58}, {200, 0.4, 0.34}} {
		o := newSim(conditions{cfg: cfg, seed: 3, adopted: 8}).run(workload{length: 2 * time.Minute, rate: steadily(tt.perSecond)})
		inTime := 1 - o.overShare()/100
		t.Logf("%v/s: %.1f %% in time of the %.0f %% that 8 workers can do, %.1f %% refused", tt.perSecond, 100*inTime, 100*tt.possible,
			100*float64(o.refused)/float64(o.requests))
		if inTime < tt.least {
			t.Errorf("%v/s: %.1f %% in time, want at least %.0f %%", tt.perSecond, 100*inTime, 100*tt.least)
		}
	}
}
