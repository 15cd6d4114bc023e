package simulate

import (
	"encoding/json"
	"io"
	"math"
	"time"
)

// Report is what came of a load, policy by policy. Its JSON is fixed: programs read it.
type Report struct {
	Trace    string   `json:"trace"` // the file, or the name of the workload
	Requests int      `json:"requests"`
	TargetMS float64  `json:"target_ms"` // of the first pool
	Policies []Result `json:"policies"`

	length time.Duration
	seed   uint64
}

// Result is what came of one policy.
type Result struct {
	Name          string  `json:"name"`
	OverTarget    float64 `json:"over_target"` // share of the requests, 0 to 1: slower than the target, or refused
	Avoidable     float64 `json:"avoidable"`   // of the requests: those of OverTarget whose service alone was within the target
	P50           float64 `json:"p50_ms"`
	P95           float64 `json:"p95_ms"`
	P99           float64 `json:"p99_ms"`
	WorkerSeconds float64 `json:"worker_seconds"` // from the beginning of each start to the removal
	VsOracle      float64 `json:"vs_oracle"`      // WorkerSeconds by those of the oracle
	Starts        int     `json:"starts"`         // those there were at the beginning not counted
	Reversals     int     `json:"reversals"`      // removals that came within 60 s of a start, the first after each
	NoSpareS      float64 `json:"no_spare_s"`     // seconds in which neither a spare nor an idle worker stood ready

	refused int
	most    int
	series  *series
}

func newReport(o Options, outcomes []outcome, oracle *book) *Report {
	r := &Report{
		Trace: o.Load.Name, Requests: oracle.requests, TargetMS: milliseconds(o.Pools[0].Target.Latency), length: o.Load.Length, seed: o.Seed,
	}
	for i, name := range o.Policies {
		r.Policies = append(r.Policies, outcomes[i].book.result(name, oracle))
	}
	return r
}

func (b *book) result(name string, oracle *book) Result {
	share := func(n int) float64 { return rounded(float64(n)/float64(b.requests), 6) }
	return Result{
		Name: name, OverTarget: share(b.over), Avoidable: share(b.avoidable),
		P50: milliseconds(b.latency.at(50)), P95: milliseconds(b.latency.at(95)), P99: milliseconds(b.latency.at(99)),
		WorkerSeconds: rounded(b.workerTime.Seconds(), 3), VsOracle: rounded(ratio(b.workerTime, oracle.workerTime), 4),
		Starts: b.starts, Reversals: b.reversals, NoSpareS: rounded(b.bare.Seconds(), 3),
		refused: b.turnedAway, most: b.most, series: b.series,
	}
}

// ratio is 1 where nothing costs anything: all workers are fixed members.
func ratio(cost, oracle time.Duration) float64 {
	if oracle == 0 {
		return 1
	}
	return float64(cost) / float64(oracle)
}

func rounded(v float64, digits int) float64 {
	unit := math.Pow10(digits)
	return math.Round(v*unit) / unit
}

// milliseconds rounds to whole microseconds.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond).Microseconds()) / 1000
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
