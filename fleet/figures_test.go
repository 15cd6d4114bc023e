//go:build figures

package fleet

import (
	"fmt"
	"slices"
	"testing"
)

// Claiming among 10 000 workers costs at most twice what it costs among 10. Run it with `make figures`: it measures time.
func TestFigureClaimsCostHardlyMoreWithTheNumberOfWorkers(t *testing.T) {
	cost := map[int][]float64{}
	for range 5 { // interleaved, so that a disturbance hits all
		for _, n := range crowds() {
			r := testing.Benchmark(func(b *testing.B) { benchIdle(b, n, nil) })
			cost[n] = append(cost[n], float64(r.T)/float64(r.N))
		}
	}
	least := func(n int) float64 { return slices.Min(cost[n]) } // a disturbance only ever adds
	for _, n := range crowds() {
		fmt.Printf("figure: %6d workers: %4.0f ns for Acquire and Release, %.2f x that of 10\n", n, least(n), least(n)/least(10))
	}
	if ratio := least(10_000) / least(10); ratio > 2 {
		t.Errorf("10 000 workers cost %.2f x 10, allowed 2", ratio)
	}
}
