package client

import (
	"maps"
	"math"
	"time"
)

// Report is what came of a run. Its JSON is `client --format json`; fields are added, never renamed.
//
// Count is every request the load called for that has an outcome, those never sent for client-overload included. Latency counts from
// the intended send and covers every request that got a whole answer, whatever its status, and every one that timed out, with the
// time until it was given up: leaving those out would flatter a server that stalls. Rate is answers a second.
type Report struct {
	Target      string `json:"target"`
	Load        string `json:"load"`      // in words
	OpenLoop    bool   `json:"open_loop"` // requests left on a schedule
	Interrupted bool   `json:"interrupted"`

	Count     int     `json:"count"`
	Errors    int     `json:"errors"`
	DurationS float64 `json:"duration_s"` // from the start to the last outcome
	Rate      float64 `json:"rate"`

	IntendedRate float64 `json:"intended_rate"` // requests a second that the load called for, from its first to its last
	SentRate     float64 `json:"sent_rate"`     // and that were sent

	Latency  Latency `json:"latency_ms"`           // from the intended send
	FromSend Latency `json:"latency_from_send_ms"` // from the actual send
	Queue    Latency `json:"queue_ms"`             // as Server-Timing says; zeros when it does not
	Service  Latency `json:"service_ms"`

	ScheduleError Lateness `json:"schedule_error_ms"` // actual minus intended send: the client's own lateness
	KeptUp        bool     `json:"kept_up"`           // false when the client itself distorted the load

	Capabilities  map[string]CapabilityReport `json:"capabilities"`
	Workers       map[string]WorkerReport     `json:"workers"` // by X-Understudy-Worker
	Spread        Spread                      `json:"spread"`
	Starts        Starts                      `json:"starts"`
	Statuses      map[int]int                 `json:"statuses"`
	ErrorsByCause map[Cause]int               `json:"errors_by_cause"` // every cause, also those that did not occur
	ErrorSamples  map[Cause]string            `json:"error_samples"`   // the first of each cause that did

	Assertions []Outcome `json:"assertions"`        // as Check found them; empty before
	Histogram  []Bar     `json:"latency_histogram"` // of Latency
	Series     Series    `json:"series"`

	limits []float64 // percentiles of the whole run were asserted to be below these, in milliseconds
}

// Lateness is how late the client was with its own schedule, in milliseconds.
type Lateness struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// CapabilityReport is the part of a report that concerns one capability.
type CapabilityReport struct {
	Count   int     `json:"count"`
	Errors  int     `json:"errors"`
	Rate    float64 `json:"rate"` // answers a second
	Latency Latency `json:"latency_ms"`
	Queue   Latency `json:"queue_ms"`
	Service Latency `json:"service_ms"`
}

// WorkerReport is how many answers one worker gave.
type WorkerReport struct {
	Count int `json:"count"`
}

// Spread is how evenly answers were spread over workers. StdDev is that of the population.
type Spread struct {
	Workers int     `json:"workers"`
	Mean    float64 `json:"mean"`
	StdDev  float64 `json:"stddev"`
}

// Starts is how the worker of an answer had come to be there: warm (it was active), spare (promoted for this request) or cold.
type Starts struct {
	Warm  int `json:"warm"`
	Spare int `json:"spare"`
	Cold  int `json:"cold"`
}

// keptUpMS is the p99 of its own lateness up to which the client counts as having kept up. Timers are good to about 1 ms.
const keptUpMS = 10

// report is what was recorded so far.
func (r *recorder) report(o Options, p plan, interrupted bool) *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &Report{
		Target: o.Target, Load: p.words, OpenLoop: o.OpenLoop(), Interrupted: interrupted,
		Count: r.count, Errors: r.errors, Rate: perSecond(r.answers, r.ended), DurationS: round3(r.ended.Seconds()),
		Latency: r.latency.latency(), FromSend: r.fromSend.latency(), Queue: r.queue.latency(), Service: r.service.latency(),
		ScheduleError: Lateness{P50: milliseconds(r.late.at(50)), P99: milliseconds(r.late.at(99))},
		Capabilities:  map[string]CapabilityReport{}, Workers: map[string]WorkerReport{},
		Starts: r.starts, Statuses: maps.Clone(r.statuses),
		ErrorsByCause: map[Cause]int{}, ErrorSamples: maps.Clone(r.samples),
		Assertions:   []Outcome{},
		IntendedRate: r.intended.rate(), SentRate: r.sent.rate(), Histogram: r.latency.bars(), Series: r.series.report(),
	}
	for name, c := range r.capabilities {
		out.Capabilities[name] = CapabilityReport{
			Count: c.count, Errors: c.errors, Rate: perSecond(c.answers, r.ended),
			Latency: c.latency.latency(), Queue: c.queue.latency(), Service: c.service.latency(),
		}
	}
	for id, w := range r.workers {
		out.Workers[id] = WorkerReport{Count: w.count}
	}
	out.Spread = spread(out.Workers)
	for _, c := range Causes() {
		out.ErrorsByCause[c] = r.causes[c]
	}
	out.KeptUp = out.ScheduleError.P99 <= keptUpMS && r.causes[Overload] == 0
	return out
}

func spread(workers map[string]WorkerReport) Spread {
	if len(workers) == 0 {
		return Spread{}
	}
	var sum, squares float64
	for _, w := range workers {
		sum += float64(w.Count)
	}
	n := float64(len(workers))
	mean := sum / n
	for _, w := range workers {
		squares += (float64(w.Count) - mean) * (float64(w.Count) - mean)
	}
	return Spread{Workers: len(workers), Mean: round3(mean), StdDev: round3(math.Sqrt(squares / n))}
}

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return round3(float64(n) / d.Seconds())
}

func round3(v float64) float64 { return math.Round(v*1000) / 1000 }
