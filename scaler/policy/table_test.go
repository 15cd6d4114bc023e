package policy_test

import (
	"testing"
	"time"

	"understudy/scaler/policy"
)

func findings() policy.Config {
	return policy.Config{Target: 300 * time.Millisecond, Percentile: 95, Min: 1, Max: 64, Spare: 1, SpareMax: 1, Concurrency: 1, Parallel: 4}
}

// TestTable plays the eight workloads against the policy and compares with what the findings give for it (over the target in percent,
// mean workers), within wide bands: lengths and seeds are not theirs. Run it with -v to see the table.
func TestTable(t *testing.T) {
	t.Parallel()
	expected := []struct{ over, workers, mayOver, fewest, most float64 }{
		{0.8, 8.0, 1.2, 7.0, 9.0},
		{0.9, 7.0, 2.0, 5.0, 8.0},
		{0.8, 9.1, 1.2, 8.0, 10.0},
		{5.7, 11.7, 7.5, 7.0, 14.0},
		{0.8, 6.7, 1.2, 5.5, 7.7},
		{1.9, 9.5, 3.5, 6.0, 11.0},
		{0.7, 2.2, 2.0, 2.0, 2.6},
		{1.8, 6.5, 3.0, 5.0, 8.0},
	}
	const seeds = 2
	t.Logf("%-20s %18s %18s %8s %8s %10s", "workload", "over % (findings)", "workers (findings)", "starts", "removals", "p99 ms")
	var sum float64
	for i, w := range workloads() {
		var all outcome
		for seed := range uint64(seeds) {
			o := newSim(conditions{cfg: findings(), seed: seed + 1, adopted: 2}).run(w)
			all.requests += o.requests
			all.over += o.over
			all.starts += o.starts
			all.removals += o.removals
			all.workerTime += o.workerTime
			all.length += o.length
			all.latencies = append(all.latencies, o.latencies...)
		}
		over, workers, want := all.overShare(), all.workers(), expected[i]
		sum += over
		t.Logf("%-20s %9.2f   (%4.1f) %9.2f   (%4.1f) %8.1f %8.1f %10d", w.name, over, want.over, workers, want.workers,
			float64(all.starts)/seeds, float64(all.removals)/seeds, all.p99().Milliseconds())
		if over > want.mayOver || workers < want.fewest || workers > want.most {
			t.Errorf("%s: %.2f %% over with %.2f workers, want at most %.1f %% with %.1f to %.1f", w.name, over, workers, want.mayOver, want.fewest, want.most)
		}
	}
	t.Logf("%-20s %9.2f   (%4.1f)", "mean", sum/8, 1.67)
}
