package client

import "time"

// Pacer is the schedule of an open loop as pure arithmetic: no clock, no state. Elapsed time counts from the start of the run.
// Every method may be called concurrently.
type Pacer interface {
	// Rate is the intended rate at that moment, in requests a second.
	Rate(elapsed time.Duration) float64
	// Hits is how many requests the schedule has called for by then: the integral of Rate from 0. It never falls.
	Hits(elapsed time.Duration) float64
	// At is when request n (from 0) leaves: the first nanosecond at which Hits has reached n, so never early, and request 0 leaves
	// at once. False when the schedule never gets there within a year.
	At(n int) (time.Duration, bool)
}

// Constant sends evenly.
//
//	rate(t) = r        hits(t) = r t
type Constant struct {
	PerSecond float64
}

// Rate implements Pacer.
func (p Constant) Rate(time.Duration) float64 { return p.PerSecond }

// Hits implements Pacer.
func (p Constant) Hits(t time.Duration) float64 { return p.PerSecond * since0(t) }

// At implements Pacer.
func (p Constant) At(n int) (time.Duration, bool) { return invert(p, n) }

// longest is where At stops looking.
const longest = 366 * 24 * time.Hour

// invert finds the first nanosecond at which hits has reached n, by halving. Every shape shares it, so that no shape can have an
// inverse that disagrees with its integral; it costs 0.3 to 3 µs a request.
func invert[P interface {
	Hits(time.Duration) float64
}](p P, n int) (time.Duration, bool) {
	if n < 0 {
		return 0, false
	}
	want := float64(n)
	if p.Hits(0) >= want {
		return 0, true
	}
	lo, hi := time.Duration(0), time.Millisecond // hits(lo) < want <= hits(hi)
	for p.Hits(hi) < want {
		if hi >= longest {
			return 0, false
		}
		lo, hi = hi, hi*2
	}
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; p.Hits(mid) < want {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi, true
}

// since0 is t in seconds; a time before the start counts as the start.
func since0(t time.Duration) float64 { return max(t, 0).Seconds() }

// overlap is how many seconds of [from, to) lie before t.
func overlap(t, from, to time.Duration) float64 { return (min(max(t, from), to) - from).Seconds() }
