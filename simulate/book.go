package simulate

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// reversal is how soon after a start a removal means that one of them was a mistake.
const reversal = 60 * time.Second

// book is what a run comes to. Its size does not depend on the length of the run.
type book struct {
	requests, ended int
	over, avoidable int
	turnedAway      int // of over, those that got no answer
	latency         *histogram
	workerTime      time.Duration // workers x time, from the beginning of each start to the removal
	starts          int
	reversals       int
	bare            time.Duration // until the end of the load
	most            int           // workers at a time
	length          time.Duration // of the load
	series          *series

	up        bool // the last move was a start
	lastStart time.Duration
}

func newBook(length time.Duration) *book {
	return &book{length: length, latency: newHistogram(), series: newSeries(length)}
}

// pass books the time between two moments in which nothing changed.
func (b *book) pass(from, to time.Duration, workers, busy int, bare bool) {
	if to <= from {
		return
	}
	b.cost(from, to, workers, busy)
	b.most = max(b.most, workers)
	if bare && from < b.length {
		b.bare += min(to, b.length) - from
	}
}

// cost books workers, of which so many were busy, between two moments.
func (b *book) cost(from, to time.Duration, workers, busy int) {
	b.workerTime += time.Duration(workers) * (to - from)
	b.series.cover(from, to, workers, busy)
}

// close ends the book.
func (b *book) close() *book {
	b.series.close()
	return b
}

// add takes over what another book has.
func (b *book) add(o *book) {
	b.requests, b.ended, b.over, b.avoidable = b.requests+o.requests, b.ended+o.ended, b.over+o.over, b.avoidable+o.avoidable
	b.turnedAway, b.starts, b.reversals = b.turnedAway+o.turnedAway, b.starts+o.starts, b.reversals+o.reversals
	b.workerTime += o.workerTime
	b.bare = max(b.bare, o.bare)
	b.most += o.most
	b.latency.buckets.Merge(o.latency.buckets)
	b.series.add(o.series)
}

func (b *book) arrived() { b.requests++ }

func (b *book) answered(now, total, service, target time.Duration) {
	b.end(now, total, service, target, total > target)
}

// refused is a request that got no answer: it is over the target whatever it would have taken.
func (b *book) refused(now, waited, service, target time.Duration) {
	b.turnedAway++
	b.end(now, waited, service, target, true)
}

func (b *book) end(now, total, service, target time.Duration, over bool) {
	b.ended++
	b.latency.record(total)
	b.series.answered(now, total, over)
	if !over {
		return
	}
	b.over++
	if service <= target {
		b.avoidable++
	}
}

func (b *book) started(now time.Duration) {
	b.starts++
	b.up, b.lastStart = true, now
}

func (b *book) removed(now time.Duration) {
	if b.up && now-b.lastStart <= reversal {
		b.reversals++
	}
	b.up = false
}

// histogram collects times from 1 µs to two hours, in constant memory.
type histogram struct{ buckets *hdr.Histogram }

const longestRecorded = 2 * time.Hour

// newHistogram makes one that is right within 0.1 %.
func newHistogram() *histogram { return &histogram{hdr.New(1, longestRecorded.Microseconds(), 3)} }

// coarse makes one that is right within 1 %, which no picture shows. It is an eighth as large, and is emptied for each column of a picture.
func coarse() *histogram { return &histogram{hdr.New(1, longestRecorded.Microseconds(), 2)} }

func (h *histogram) record(d time.Duration) {
	// In range by construction, so it cannot fail.
	_ = h.buckets.RecordValue(max(1, min(d, longestRecorded).Round(time.Microsecond).Microseconds()))
}

// at is the time that p percent do not exceed; 0 without any.
func (h *histogram) at(p float64) time.Duration {
	return time.Duration(h.buckets.ValueAtPercentile(p)) * time.Microsecond
}
