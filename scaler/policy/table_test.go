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
// mean workers), within wide bands: lengths and seeds are not theirs. The oracle's workers are those of the findings too. Run it with -v to see the table.
func TestTable(t *testing.T) {
	t.Parallel()
	expected := []struct{ over, workers, oracle, mayOver, fewest, most float64 }{
		{0.76, 8.26, 6.96, 1.2, 7.0, 9.2},
		{0.82, 6.00, 4.18, 1.4, 5.0, 7.0},
		{0.77, 9.00, 7.13, 1.2, 8.0, 10.0},
		{3.55, 10.28, 3.20, 6.0, 7.0, 12.0},
		{0.75, 6.67, 4.85, 1.2, 5.5, 7.5},
		{1.87, 7.33, 2.57, 2.2, 6.0, 8.5},
		{0.80, 2.17, 1.00, 2.0, 2.0, 2.6},
		{1.45, 6.79, 3.07, 2.2, 5.0, 8.0},
	}
	const seeds = 1
	t.Logf("%-20s %18s %18s %8s %8s %10s", "workload", "over % (findings)", "workers (findings)", "starts", "removals", "p99 ms")
	var over, workers, starts float64
	for i, w := range workloads() {
		var all outcome
		for seed := range uint64(seeds) {
			all.add(newSim(conditions{cfg: findings(), seed: seed + 1, adopted: 2}).run(w))
		}
		want := expected[i]
		over += all.overShare() / 8
		workers += all.workers() / want.oracle / 8
		starts += float64(all.starts) / seeds / 8
		t.Logf("%-20s %9.2f   (%4.1f) %9.2f   (%4.1f) %8.1f %8.1f %10d", w.name, all.overShare(), want.over, all.workers(), want.workers,
			float64(all.starts)/seeds, float64(all.removals)/seeds, all.p99().Milliseconds())
		if all.overShare() > want.mayOver || all.workers() < want.fewest || all.workers() > want.most {
			t.Errorf("%s: %.2f %% over with %.2f workers, want at most %.1f %% with %.1f to %.1f", w.name, all.overShare(), all.workers(), want.mayOver, want.fewest, want.most)
		}
	}
	t.Logf("mean %.2f %% over the target at %.2f x the workers of the oracle, %.1f starts", over, workers, starts)
	if over > 1.45 || workers > 2.05 || starts > 30 {
		t.Error("want at most 1.45 %, 2.05 x and 30 starts")
	}
}

func (o *outcome) add(other outcome) {
	o.requests += other.requests
	o.over += other.over
	o.starts += other.starts
	o.removals += other.removals
	o.workerTime += other.workerTime
	o.length += other.length
	o.latencies = append(o.latencies, other.latencies...)
}
