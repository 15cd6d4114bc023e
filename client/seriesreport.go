package client

import "time"

// Series is how a run went over time, in slices of equal width: 0.25 s for up to 10 s, 0.5 s for up to 20 s, then 1 s, and twice that
// as often as it takes to need no more than 120.
type Series struct {
	SliceS float64 `json:"slice_s"` // width of a slice in seconds
	Slices []Slice `json:"slices"`
}

// Slice is one stretch of the time of a run. Count, Errors, Measured and the latencies are of the requests that should have left in
// it, so that a stall shows where it began; rates, InFlight and Workers are of what happened in it. Percentiles are off by at most 1 %.
type Slice struct {
	At       float64 `json:"at_s"` // its beginning, from the start of the run
	Count    int     `json:"count"`
	Errors   int     `json:"errors"`
	Measured int     `json:"measured"` // requests with a latency; without any the four below are 0
	P50      float64 `json:"p50_ms"`
	P95      float64 `json:"p95_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`

	IntendedRate float64 `json:"intended_rate"` // requests a second that the load called for
	SentRate     float64 `json:"sent_rate"`     // and that were sent
	Rate         float64 `json:"rate"`          // answers a second
	InFlight     float64 `json:"in_flight"`     // on average
	Workers      int     `json:"workers"`       // that answered
}

const (
	usualSlice = time.Second // narrower ones only where there would be few
	fewSlices  = 40
)

// report is what was recorded so far. It may make the slices wider.
func (s *series) report() Series {
	for s.width < usualSlice && len(s.slices) > fewSlices {
		s.halve()
	}
	out := Series{SliceS: s.width.Seconds(), Slices: make([]Slice, len(s.slices))}
	inFlight := 0 // at the beginning of the slice
	for i := range s.slices {
		a := &s.slices[i]
		out.Slices[i] = Slice{
			At: (time.Duration(i) * s.width).Seconds(), Count: a.count, Errors: a.errors, Measured: a.latency.n,
			P50: milliseconds(a.latency.at(50)), P95: milliseconds(a.latency.at(95)), P99: milliseconds(a.latency.at(99)),
			Max:          milliseconds(a.latency.max),
			IntendedRate: perSecond(a.count, s.width), SentRate: perSecond(a.sent, s.width), Rate: perSecond(a.answers, s.width),
			InFlight: round3(float64(inFlight) + a.flight.Seconds()/s.width.Seconds()),
			Workers:  a.workers.len(),
		}
		inFlight += a.sent - a.done
	}
	return out
}
