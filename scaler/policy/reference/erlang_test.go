package reference

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"understudy/scaler/policy"
)

func TestErlangCAgreesWithKnownValues(t *testing.T) {
	tests := []struct {
		load    float64
		servers int
		want    float64
	}{
		{0.5, 1, 0.5},        // M/M/1: the load itself
		{1, 2, 1.0 / 3},      // by hand
		{2, 3, 4.0 / 9},      // by hand
		{5, 6, 0.587516},     // by the sums of the textbook, in fractions
		{8, 10, 0.409180},    // the same
		{10, 12, 0.449388},   // the same
		{100, 110, 0.237008}, // the same
		{1, 1, 1}, {7, 3, 1}, // do not keep up
		{0, 1, 0}, {0, 10, 0}, // nobody comes
	}
	for _, tt := range tests {
		e := newErlang(tt.load)
		for range tt.servers {
			e.addServer()
		}
		if got := e.waits(); math.Abs(got-tt.want) > 2e-6 {
			t.Errorf("Erlang C of %v erlang on %d servers is %.6f, want %.6f", tt.load, tt.servers, got, tt.want)
		}
	}
}

func TestErlangCAgreesWithItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		servers := 1 + r.IntN(120)
		load := r.Float64() * float64(servers)
		e := newErlang(load)
		for range servers {
			e.addServer()
		}
		want, _ := definition(load, servers).Float64()
		if got := e.waits(); math.Abs(got-want) > 1e-9 {
			t.Fatalf("Erlang C of %v erlang on %d servers is %v, want %v", load, servers, got, want)
		}
	}
}

// definition is Erlang C as the textbook has it, a^c/c! * c/(c-a) / (sum of a^k/k! for k<c + the same), in 300 bits.
func definition(load float64, servers int) *big.Float {
	number := func(x float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(x) }
	a, c := number(load), number(float64(servers))
	term, sum := number(1), number(0)
	for k := 1; k <= servers; k++ {
		sum.Add(sum, term)
		term.Mul(term, a)
		term.Quo(term, number(float64(k)))
	}
	term.Mul(term, c)
	term.Quo(term, new(big.Float).Sub(c, a))
	return term.Quo(term, sum.Add(sum, term))
}

// serving is a service law of n answers each of the given times.
func serving(n int, times ...time.Duration) *service {
	s := &service{variance: 1, scale: 1, weight: float64(n * len(times)), answers: n * len(times)}
	for _, d := range times {
		s.buckets = append(s.buckets, policy.Bucket{Lower: d, Upper: d, N: n})
		s.mean += d.Seconds() / float64(len(times))
	}
	return s
}

func TestMissesByWaitingFollowTheFormula(t *testing.T) {
	const target = 0.3
	tests := []struct {
		name    string
		load    float64
		servers int
		service *service
		want    float64
	}{
		// C(2,1) = 1/3, drain (2-1)/0.1 = 10/s, 0.2 s to spare
		{"exponential", 1, 2, serving(100, 100*time.Millisecond), math.Exp(-2) / 3},
		{"service twice the target never misses by waiting", 1, 2, serving(100, 600*time.Millisecond), 0},
		{"service as long as the target misses by any wait", 1, 2, serving(100, 300*time.Millisecond), 1.0 / 3},
		// S = 0.2: drain 5/s; half has 0.2 s to spare, half takes the target itself
		{"a mixture", 1, 2, serving(50, 100*time.Millisecond, 300*time.Millisecond), (math.Exp(-1) + 1) / 6},
		{"servers that do not keep up make all miss that could", 3, 2, serving(50, 100*time.Millisecond, 600*time.Millisecond), 0.5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newErlang(tt.load)
			for range tt.servers {
				e.addServer()
			}
			near(t, "the share missed", e.missed(tt.service, target), tt.want, 1e-9)
		})
	}
}

func TestSteadierServiceWaitsLess(t *testing.T) {
	random, steady := serving(100, 100*time.Millisecond), serving(100, 100*time.Millisecond)
	steady.variance = 0
	e := newErlang(1)
	e.addServer()
	e.addServer()
	near(t, "the share missed with steady service", e.missed(steady, 0.3), math.Exp(-4)/3, 1e-9)
	if e.missed(steady, 0.3) >= e.missed(random, 0.3) {
		t.Error("steady service misses as much as random service")
	}
}

func TestTheModelTakesTheLeastThatKeepsMissesUnderAFifthOfTheBudget(t *testing.T) {
	for _, arrivals := range []int{1, 30, 300, 1500, 3000, 30_000} {
		v := looking(func(c *policy.Config, in *policy.Snapshot) {
			c.Max = 200
			in.Slow.Arrivals, in.MeanBusy = arrivals, 0
		})
		l := v.offered()
		n := v.modelNeed(&l)
		if float64(n) <= l.erlang {
			t.Errorf("%d arrivals: %d slots for %v erlang", arrivals, n, l.erlang)
		}
		if got := missedWith(&l, n, v.target); got > 0.01 {
			t.Errorf("%d arrivals: %d slots make %v miss, want at most 0.01", arrivals, n, got)
		}
		if fewer := missedWith(&l, n-1, v.target); n > 1 && fewer <= 0.01 {
			t.Errorf("%d arrivals: %d slots would do, they make %v miss", arrivals, n-1, fewer)
		}
	}
}

func TestTheModelNeedsNothingWithoutLoadAndStopsAtTheMost(t *testing.T) {
	v := looking(func(c *policy.Config, in *policy.Snapshot) { in.Slow.Arrivals, in.MeanBusy = 0, 0 })
	if n := v.modelNeed(new(load)); n != 0 {
		t.Errorf("%d slots without load, want none", n)
	}
	for _, erlang := range []float64{20.5, 1e5, 1e18} {
		l := load{erlang: erlang, service: *serving(100, 100*time.Millisecond)}
		if n := v.modelNeed(&l); n != 21 {
			t.Errorf("%v erlang: %d slots, want the 20 there may be and one to show that they do not do", erlang, n)
		}
	}
}

func TestPredictionsAreThoseOfOneFewerAndOneMore(t *testing.T) {
	v := looking(nil)
	l := v.offered()
	got := v.predict(&l, 2)
	for i, slots := range []int{1, 2, 3} {
		near(t, "the prediction", got[i], missedWith(&l, slots, v.target), 0)
	}
	if got[0] <= got[1] || got[1] <= got[2] {
		t.Errorf("predictions %v do not fall with more workers", got)
	}
	if got := v.predict(&l, 0); got[0] != -1 || got[1] == -1 {
		t.Errorf("predictions around no worker are %v, want -1 for fewer and a figure for none", got)
	}
	l.service.answers = 0
	if got := v.predict(&l, 2); got != [3]float64{-1, -1, -1} {
		t.Errorf("predictions without a single answer are %v, want unknown", got)
	}
}

func TestSlotsOfOthersServeTooAndWorkersOfSeveralSlotsAreFewer(t *testing.T) {
	tests := []struct{ slots, others, concurrency, want int }{
		{5, 0, 1, 5}, {5, 2, 1, 3}, {5, 5, 1, 0}, {5, 9, 1, 0}, {5, 0, 2, 3}, {5, 1, 2, 2}, {0, 0, 4, 0}, {9, 1, 4, 2},
	}
	for _, tt := range tests {
		v := looking(func(c *policy.Config, in *policy.Snapshot) { c.Concurrency, in.Others = tt.concurrency, tt.others })
		if got := v.workersFor(tt.slots); got != tt.want {
			t.Errorf("%d slots, %d of others, %d a worker: %d workers, want %d", tt.slots, tt.others, tt.concurrency, got, tt.want)
		}
	}
}
