package policy

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
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
