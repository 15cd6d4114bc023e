package policy_test

import (
	"math"
	legacy "math/rand"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"understudy/scaler/policy"
)

// arbitrary makes a configuration and a snapshot from a seed: mostly likely figures, at times absurd ones.
func arbitrary(seed uint64) (policy.Config, policy.Snapshot) {
	r := rand.New(rand.NewPCG(seed, 9))
	number := func(most int) int {
		switch r.IntN(40) {
		case 0:
			return -r.IntN(5)
		case 1:
			return math.MaxInt
		case 2:
			return math.MinInt
		}
		return r.IntN(most + 1)
	}
	span := func(most time.Duration) time.Duration {
		switch r.IntN(40) {
		case 0:
			return -time.Second
		case 1:
			return math.MaxInt64
		case 2:
			return 0
		}
		return time.Duration(r.Int64N(int64(most)))
	}
	groupsOf := func() (out []policy.Group) {
		for range r.IntN(40) {
			out = append(out, policy.Group{Age: span(5 * time.Second), N: number(10)})
		}
		return out
	}
	real := func(most float64) float64 {
		if r.IntN(20) == 0 {
			return []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1}[r.IntN(4)]
		}
		return r.Float64() * most
	}
	bucketsOf := func() (out []policy.Bucket) {
		for range r.IntN(60) {
			lower := span(2 * time.Second)
			out = append(out, policy.Bucket{Lower: lower, Upper: lower + span(100*time.Millisecond), N: number(50)})
		}
		return out
	}
	cfg := policy.Config{
		Target: span(2 * time.Second), Percentile: real(100), Min: number(5), Max: number(40), Spare: number(2), SpareMax: number(4),
		Concurrency: 1 + r.IntN(3), Parallel: number(4),
	}
	in := policy.Snapshot{
		Now: span(time.Hour), Active: number(40), Spare: number(2), Asked: number(3), Idle: number(40), Others: number(4), Withheld: number(8),
		Busy: number(40), Queue: number(100), Standing: number(60), MeanBusy: real(30), BusyTime: span(time.Hour),
		Queued: groupsOf(), InService: groupsOf(),
		Slow: policy.Window{Width: span(time.Minute), Arrivals: number(3000)}, Service: bucketsOf(), Recent: bucketsOf(),
		Latency:   policy.Latency{N: number(500), Over: number(100), Missed: number(100), Failed: number(100), Requests: number(600)},
		StartTime: span(3 * time.Second), StartFails: number(5), SinceStartFail: span(time.Minute), HostCPU: real(1.2),
		Begun: make([]time.Duration, r.IntN(5)),
	}
	for range r.IntN(7) {
		in.Windows = append(in.Windows, policy.Window{Width: span(8 * time.Second), Arrivals: number(400), BatchSquares: number(4000)})
	}
	return cfg, in
}

// checkDecision says what is wrong with a decision, whatever it was made from; nothing when it is sound.
func checkDecision(cfg policy.Config, in policy.Snapshot, d policy.Decision) string {
	most := min(max(cfg.Max, 0), 1<<16)
	least := min(max(cfg.Min, 0), most)
	ready := min(max(in.Active, 0), 1<<20) + min(max(in.Spare, 0), 1<<20)
	terms := []string{"idle", "usual", "reserve", "next", "min"}
	clamps := []string{"", "max", "host-saturated", "start-backoff", "failing", "slow-service", "held"}
	switch {
	case d.Need < least || d.Need > most:
		return "the need is out of bounds"
	case d.Active < d.Need || d.Active > most:
		return "the workers to keep are out of bounds"
	case d.Spare < 0 || d.Active+d.Spare > most:
		return "the spare does not fit"
	case d.Pipeline < 0 || d.Pipeline > max(0, most-ready):
		return "starts lead beyond max"
	case d.Remove < 0 || d.Remove > max(1, ready/10):
		return "more than a tenth of the workers to remove"
	case d.Remove > 0 && in.Queue > 0:
		return "a worker to remove while requests wait"
	case d.Backoff < 0 || d.Backoff > time.Minute:
		return "the back-off is out of bounds"
	case d.Backoff > 0 && d.Pipeline > len(in.Begun):
		return "a start within the back-off"
	case d.Wait < 0:
		return "the wait is no duration"
	case !slices.Contains(terms, d.Term) || !slices.Contains(clamps, d.Clamp):
		return "an unknown term or clamp"
	case !(d.Load >= 0) || math.IsInf(d.Load, 0) || d.Mean < 0:
		return "load or service time are not figures"
	}
	for _, m := range d.Misses {
		if m != -1 && !(m >= 0 && m <= 1) {
			return "a prediction is no share"
		}
	}
	reason := d.Sentence()
	if !strings.HasPrefix(reason, d.Term+": ") || strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "the reason does not name its rule, or is not ASCII"
	}
	if strings.Contains(reason, "NaN") || strings.Contains(reason, "Inf") || strings.Contains(reason, "%!") {
		return "the reason holds what is no figure"
	}
	return ""
}

// reproducibly makes testing/quick, which wants the older kind of random source, try the same inputs each time.
func reproducibly(times int) *quick.Config {
	return &quick.Config{MaxCount: times, Rand: legacy.New(legacy.NewSource(1))}
}

func TestEveryDecisionIsSoundWhateverItIsMadeFrom(t *testing.T) {
	t.Parallel()
	var s policy.State
	check := func(seed uint64) bool {
		cfg, in := arbitrary(seed)
		d, next := policy.Decide(cfg, in, s)
		if seed%7 == 0 {
			next = policy.State{} // at times a pool not seen before
		}
		s = next
		if wrong := checkDecision(cfg, in, d); wrong != "" {
			t.Logf("seed %d: %s\nconfig %+v\nsnapshot %+v\ndecision %+v", seed, wrong, cfg, in, d)
			return false
		}
		return true
	}
	if err := quick.Check(check, reproducibly(1500)); err != nil {
		t.Error(err)
	}
}

func TestTheSameInputGivesTheSameDecisionAndIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	var s policy.State
	for seed := range uint64(200) {
		cfg, in := arbitrary(seed)
		_, copied := arbitrary(seed)
		before := s
		d, next := policy.Decide(cfg, in, s)
		again, nextAgain := policy.Decide(cfg, in, before)
		if d != again || next != nextAgain {
			t.Fatalf("seed %d: two decisions from the same input:\n%+v\n%+v", seed, d, again)
		}
		if s != before || !sameSnapshot(in, copied) {
			t.Fatalf("seed %d: the input was changed", seed)
		}
		s = next
	}
}

// sameSnapshot compares two snapshots of which NaN may be a part.
func sameSnapshot(a, b policy.Snapshot) bool {
	for _, in := range []*policy.Snapshot{&a, &b} {
		for _, x := range []*float64{&in.MeanBusy, &in.HostCPU} {
			if math.IsNaN(*x) {
				*x = -123
			}
		}
	}
	return reflect.DeepEqual(a, b)
}

func TestMoreLoadNeverMeansFewerWorkers(t *testing.T) {
	check := func(seed uint64) bool {
		r := rand.New(rand.NewPCG(seed, 10))
		mean := time.Duration(5+r.IntN(900)) * time.Millisecond
		cfg := findings()
		cfg.Max = 500
		cfg.Percentile = 50 + 49.9*r.Float64()
		cfg.Target = time.Duration(10+r.IntN(3000)) * time.Millisecond
		last := 0
		for _, arrivals := range []int{0, 1, 3, 10, 30, 60, 100, 200, 400, 800, 1000, 2000, 5000, 10_000} {
			d, _ := policy.Decide(cfg, policy.Snapshot{
				Now: time.Hour, Active: 500, HostCPU: -1,
				Slow:     policy.Window{Width: 30 * time.Second, Arrivals: arrivals},
				BusyTime: 1000 * mean,
				Service:  []policy.Bucket{{Lower: mean / 2, Upper: mean / 2, N: 500}, {Lower: mean * 3 / 2, Upper: mean * 3 / 2, N: 500}},
			}, policy.State{})
			if d.Need < last {
				t.Logf("seed %d: %d arrivals need %d, fewer needed %d", seed, arrivals, d.Need, last)
				return false
			}
			last = d.Need
		}
		return true
	}
	if err := quick.Check(check, reproducibly(300)); err != nil {
		t.Error(err)
	}
}

func FuzzDecide(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed, seed*seed, 3)
	}
	f.Fuzz(func(t *testing.T, first, step uint64, rounds int) {
		var s policy.State
		var d policy.Decision
		for i := range uint64(min(max(rounds, 1), 8)) {
			cfg, in := arbitrary(first + i*step)
			d, s = policy.Decide(cfg, in, s)
			if wrong := checkDecision(cfg, in, d); wrong != "" {
				t.Fatalf("%s\nconfig %+v\nsnapshot %+v\ndecision %+v", wrong, cfg, in, d)
			}
		}
	})
}
