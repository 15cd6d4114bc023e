package meter

import (
	"math/rand/v2"
	"testing"
	"time"
)

// durations returns lognormal-like service times, so that the buckets touched are those of real work.
func durations(n int) []time.Duration {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = time.Duration(50e6 * (0.2 + r.ExpFloat64()))
	}
	return out
}

func BenchmarkHistogramObserve(b *testing.B) {
	h, v := NewHistogram(61, time.Second), durations(1024)
	b.ReportAllocs()
	var now time.Duration
	for i := 0; b.Loop(); i++ {
		now += 10 * time.Microsecond
		h.Observe(now, v[i&1023])
	}
}

func fullHistogram() (*Histogram, time.Duration) {
	h, now := NewHistogram(61, time.Second), time.Duration(0)
	for _, v := range durations(60_000) {
		now += time.Millisecond
		h.Observe(now, v)
	}
	return h, now
}

func BenchmarkHistogramQuantile(b *testing.B) {
	h, now := fullHistogram()
	b.ReportAllocs()
	for b.Loop() {
		h.Quantile(now, 0.95)
	}
}

func BenchmarkHistogramBuckets(b *testing.B) {
	h, now := fullHistogram()
	var dst []Bucket
	b.ReportAllocs()
	for b.Loop() {
		dst = h.Buckets(now, dst[:0])
	}
}

func BenchmarkHistogramBucketsWithin5s(b *testing.B) {
	h, now := fullHistogram()
	var dst []Bucket
	b.ReportAllocs()
	for b.Loop() {
		dst = h.BucketsWithin(now, 5*time.Second, dst[:0])
	}
}

func BenchmarkCounterAdd(b *testing.B) {
	c := NewCounter(110, 100*time.Millisecond)
	b.ReportAllocs()
	var now time.Duration
	for b.Loop() {
		now += 10 * time.Microsecond
		c.Add(now, 1)
	}
}

func BenchmarkLevelSet(b *testing.B) {
	l := NewLevel(650, 100*time.Millisecond)
	b.ReportAllocs()
	var now time.Duration
	for i := 0; b.Loop(); i++ {
		now += 10 * time.Microsecond
		l.Set(now, i&7)
	}
}

func BenchmarkLevelIntegral60s(b *testing.B) {
	l := NewLevel(650, 100*time.Millisecond)
	l.Set(0, 3)
	b.ReportAllocs()
	for b.Loop() {
		l.Integral(65*time.Second, time.Minute)
	}
}

func BenchmarkArrivalsAdd(b *testing.B) {
	a := NewArrivals()
	b.ReportAllocs()
	var now time.Duration
	for b.Loop() {
		now += 10 * time.Microsecond
		a.Add(now)
	}
}

func BenchmarkArrivalsSixWindowsAndSlow(b *testing.B) {
	a, now := NewArrivals(), time.Duration(0)
	for range 10_000 {
		now += 10 * time.Millisecond
		a.Add(now)
	}
	windows := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 30 * time.Second}
	b.ReportAllocs()
	for b.Loop() {
		for _, w := range windows {
			a.Window(now, w)
		}
	}
}
