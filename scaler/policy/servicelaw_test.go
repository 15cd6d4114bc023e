package policy

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// lawOf is the law of so many answers at each of the times, and of tasks in service of the given ages.
func lawOf(n float64, answers []float64, ages ...float64) *law {
	var s sample
	for _, x := range answers {
		s.answered(x, n)
	}
	for _, age := range ages {
		s.inService(age, 1)
	}
	l := new(law)
	l.estimate(&s)
	return l
}

func TestALawWithoutUnfinishedTasksIsThatOfTheAnswers(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var times []float64
	var sum, squares float64
	for range 5000 {
		x := 0.1 * math.Exp(0.5*r.NormFloat64()-0.125)
		times = append(times, x)
		sum += x
		squares += x * x
	}
	l := lawOf(1, times)
	mean := sum / 5000
	near(t, "the mean", l.mean, mean, 1e-9)
	near(t, "the variance", l.variance, squares/5000/(mean*mean)-1, 0.003)
	for _, x := range []float64{0.01, 0.05, 0.08, 0.1, 0.13, 0.2, 0.4} {
		longer, area := 0.0, 0.0
		for _, y := range times {
			area += min(x, y) / 5000
			if y > x {
				longer += 1.0 / 5000
			}
		}
		near(t, "the share that takes longer", l.survives(x), longer, 0.015)
		near(t, "the time within", l.until(x), area, 0.002)
	}
	if l.survives(10) != 0 || math.Abs(l.until(10)-l.mean) > 1e-9 {
		t.Errorf("beyond the longest answer remain %v, %v s of %v", l.survives(10), l.until(10), l.mean)
	}
}

func TestTasksInServiceCountAsAtLeastThisLong(t *testing.T) {
	// Half of the tasks are answered after 0.1 s, the others are 1 s old: half take 0.1 s, and of the others it is only known that they take longer.
	l := lawOf(10, []float64{0.1}, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	near(t, "the share that takes longer than 0.2 s", l.survives(0.2), 0.5*math.Exp(1-0.2/l.end), 1e-9)
	near(t, "the mean", l.mean, 0.1+0.5*l.end, 0.005)
	// Those that are younger than any answer say nothing but that they lived so far.
	near(t, "the mean beside young tasks", lawOf(10, []float64{0.1}, 0.01, 0.01).mean, 0.1, 1e-9)
	// A worked case: 1 of 4 answered at 0.1, one 0.2 old, then 1 of the last 2 at 0.4, one 0.8 old.
	l = lawOf(1, []float64{0.1, 0.4}, 0.2, 0.8)
	near(t, "after the first", l.survives(0.15), 0.75, 1e-9)
	near(t, "after the second", l.survives(l.end), 0.375, 1e-9)
}

func TestALawFallsAndItsIntegralGrows(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		var s sample
		s.answered(r.ExpFloat64(), 5)
		for range r.IntN(200) {
			s.answered(0.1*r.ExpFloat64(), float64(r.IntN(9)))
			s.inService(r.ExpFloat64(), float64(r.IntN(3)))
		}
		l := new(law)
		l.estimate(&s)
		g, area := 1.0, 0.0
		for x := 0.0; x < 20; x = x*1.03 + 1e-4 {
			if l.survives(x) > g+1e-9 || l.until(x) < area-1e-9 || l.until(x) > x+1e-9 {
				t.Fatalf("seed %d at %v s: survives %v after %v, integral %v after %v", seed, x, l.survives(x), g, l.until(x), area)
			}
			g, area = l.survives(x), l.until(x)
		}
		near(t, "the whole integral", l.until(1e6), l.mean, 1e-6*l.mean)
	}
}

func TestAWaitMakesThoseMissThatNeedTheTimeItTook(t *testing.T) {
	l := lawOf(1, []float64{0.05, 0.1, 0.15, 0.2, 0.6})
	for wait, want := range map[float64]float64{0: 0, 0.02: 0, 0.13: 0.2, 0.17: 0.4, 0.23: 0.6, 0.27: 0.8, 0.3: 0.8, 9: 0.8} {
		near(t, "the share that misses", l.late(wait, 0.3), want, 0.001)
	}
}

func TestAQuantileIsWhereTheLawFallsBelow(t *testing.T) {
	l := lawOf(1, []float64{0.05, 0.1, 0.15, 0.2})
	for q, want := range map[float64]float64{0: 0, 0.25: 0.05, 0.5: 0.1, 0.95: 0.2} {
		if got := l.quantile(q); q > 0 && (got < want || got > want*1.13) {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	tail := lawOf(1, []float64{0.1}, 5, 5, 5) // 3/4 of exponential tail from 0.1 s on
	near(t, "a quantile in the tail", tail.survives(tail.quantile(0.95)), 0.05, 1e-9)
}

func TestWithFewAnswersWhatWasKnownIsBlendedIn(t *testing.T) {
	tests := []struct {
		name    string
		answers []Bucket
		good    float64
		want    float64
	}{
		{"enough answers", exactly(time.Second, 20), 0.2, 1},
		{"few answers", exactly(time.Second, 5), 0.2, 0.6},
		{"none", nil, 0.2, 0.2},
		{"nothing known: half the target", nil, 0, 0.15},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := looking(func(_ *Config, in *Snapshot) { in.Service, in.Busy = tt.answers, 0 })
			v.mem.good = tt.good
			v.learn()
			near(t, "the mean", v.long.mean, tt.want, 1e-9)
		})
	}
}

func TestTasksThatDoNotEndMakeServiceLonger(t *testing.T) {
	v := looking(func(_ *Config, in *Snapshot) {
		in.Busy, in.InService = 20, []Group{{Age: 10 * time.Second, N: 20}}
		in.Service = exactly(100*time.Millisecond, 20)
	})
	v.learn()
	if v.long.mean < 0.14 {
		t.Errorf("half of 40 tasks have not ended in 10 s, and the mean is %v", v.long.mean)
	}
}

func TestASlowFiveSecondsAreSeenBesideAQuickMinute(t *testing.T) {
	for _, tt := range []struct {
		recent time.Duration
		slower bool
	}{{100 * time.Millisecond, false}, {110 * time.Millisecond, false}, {150 * time.Millisecond, true}} {
		v := looking(func(_ *Config, in *Snapshot) { in.Recent = exactly(tt.recent, 50) })
		v.learn()
		if v.slower != tt.slower {
			t.Errorf("%v of late beside 100 ms: slower is %v", tt.recent, v.slower)
		}
	}
}

func TestNothingIsLearnedWhileMostFail(t *testing.T) {
	v := looking(func(_ *Config, in *Snapshot) {
		in.Latency = Latency{N: 20, Failed: 30, Requests: 50}
		in.Service, in.Recent = exactly(time.Millisecond, 600), exactly(9*time.Second, 60)
		in.Busy, in.InService = 9, []Group{{Age: time.Minute, N: 9}}
	})
	v.mem.good, v.mem.calm = 0.2, 0.2
	v.learn()
	near(t, "the mean", v.long.mean, 0.2, 1e-9)
	if v.slower || v.mem.good != 0.2 || v.mem.calm != 0.2 {
		t.Errorf("slower %v, remembered %v and %v: learned from a pool in which most requests fail", v.slower, v.mem.good, v.mem.calm)
	}
}

func TestAMeanThatRestsOnEnoughAnswersIsRemembered(t *testing.T) {
	v := looking(nil)
	v.learn()
	near(t, "the remembered mean", v.mem.good, 0.1, 1e-9)
	near(t, "the remembered calm mean", v.mem.calm, 0.1, 1e-9)
	few := looking(func(_ *Config, in *Snapshot) { in.Service = exactly(time.Second, 19) })
	few.mem.good = 0.1
	few.learn()
	near(t, "the mean remembered beside few answers", few.mem.good, 0.1, 0)
}
