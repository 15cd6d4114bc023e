package client

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is a distribution of times in milliseconds. Percentiles are off by at most 0.1 % (upwards), Max and Mean are exact.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
}

// histogram collects times from 1 µs to an hour in constant memory (about 190 KiB once it holds anything, 26 KiB where it is coarse).
// What is longer counts as an hour in the percentiles. The zero value is ready. Not safe for concurrent use.
type histogram struct {
	coarse  bool           // percentiles may be off by 1 % rather than 0.1 %
	buckets *hdr.Histogram // in µs; nil until the first record
	sum     float64        // in ns; a float, because a long run of slow answers overflows an int64
	max     time.Duration
	n       int
}

const longestRecorded = time.Hour

func (h *histogram) record(d time.Duration) {
	h.prepare()
	d = max(d, 0)
	// In range by construction, so it cannot fail.
	_ = h.buckets.RecordValue(min(d, longestRecorded).Round(time.Microsecond).Microseconds())
	h.sum += float64(d)
	h.max = max(h.max, d)
	h.n++
}

func (h *histogram) prepare() {
	if h.buckets != nil {
		return
	}
	digits := 3
	if h.coarse {
		digits = 2
	}
	h.buckets = hdr.New(1, longestRecorded.Microseconds(), digits)
}

// add records everything other has.
func (h *histogram) add(other *histogram) {
	if other.n == 0 {
		return
	}
	h.prepare()
	h.buckets.Merge(other.buckets)
	h.sum += other.sum
	h.max = max(h.max, other.max)
	h.n += other.n
}

func (h *histogram) reset() {
	if h.n == 0 {
		return
	}
	h.buckets.Reset()
	*h = histogram{buckets: h.buckets, coarse: h.coarse}
}

// at is the time that p percent of the records do not exceed; 0 when there are none.
func (h *histogram) at(p float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	return min(time.Duration(h.buckets.ValueAtPercentile(p))*time.Microsecond, h.max)
}

func (h *histogram) latency() Latency {
	if h.n == 0 {
		return Latency{}
	}
	ms := func(p float64) float64 { return milliseconds(h.at(p)) }
	return Latency{
		P50: ms(50), P90: ms(90), P95: ms(95), P99: ms(99), P999: ms(99.9),
		Max: milliseconds(h.max), Mean: milliseconds(time.Duration(h.sum / float64(h.n))),
	}
}

// milliseconds rounds to whole microseconds.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond).Microseconds()) / 1000
}
