package client

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

func TestASliceHasWhatWasDueInItAndWhatHappenedInIt(t *testing.T) {
	r := newRecorder()
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	ok := func(due, sent, ended int, worker string) {
		r.record(Result{Capability: "x", Intended: ms(due), Actual: ms(sent), Latency: ms(ended - due), Status: 200, Worker: worker, Queue: -1, Service: -1})
	}
	ok(0, 0, 100, "a")     // all in the first slice
	ok(200, 300, 400, "b") // due in the first, sent and answered in the second
	ok(240, 240, 600, "a") // in flight through all of the second
	r.record(Result{Capability: "x", Intended: ms(450), Actual: ms(460), Latency: ms(10), Cause: Overload, Queue: -1, Service: -1})
	r.record(Result{Capability: "x", Intended: ms(500), Actual: ms(500), Latency: ms(200), Cause: Timeout, Queue: -1, Service: -1})

	got := r.report(Options{}, plan{}, false).Series
	want := []Slice{
		{At: 0, Count: 3, Measured: 3, P50: 200.703, P95: 360, P99: 360, Max: 360, IntendedRate: 12, SentRate: 8, Rate: 4, InFlight: (100 + 10) / 250.0, Workers: 1},
		{At: 0.25, Count: 1, Errors: 1, IntendedRate: 4, SentRate: 4, Rate: 4, InFlight: (100 + 250) / 250.0, Workers: 1},
		{At: 0.5, Count: 1, Errors: 1, Measured: 1, P50: 200, P95: 200, P99: 200, Max: 200, IntendedRate: 4, SentRate: 4, Rate: 4, InFlight: (100 + 200) / 250.0, Workers: 1},
	}
	if got.SliceS != 0.25 || len(got.Slices) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got.Slices[i] != want[i] {
			t.Errorf("slice %d\n%+v, want\n%+v", i, got.Slices[i], want[i])
		}
	}
}

// someRun is a run of about the given length whose requests overlap, fail and arrive late.
func someRun(seed uint64, n int, lasts time.Duration) []Result {
	random := rand.New(rand.NewPCG(seed, 1))
	results := make([]Result, n)
	for i := range results {
		x := Result{Capability: "x", Intended: time.Duration(random.Int64N(int64(lasts))), Status: 200, Queue: -1, Service: -1}
		x.Worker = fmt.Sprintf("w%d", random.IntN(100))
		late := time.Duration(random.Int64N(int64(lasts / 50)))
		x.Actual = x.Intended + late
		x.Latency = late + time.Duration(random.Int64N(int64(lasts/10)))
		switch random.IntN(10) {
		case 0:
			x.Status, x.Cause, x.Worker = 0, Reset, ""
		case 1:
			x.Status, x.Cause, x.Worker, x.Latency = 0, Overload, "", late
		}
		results[i] = x
	}
	return results
}

// TestSlicesThatBecameOneAreAsIfTheyHadAlwaysBeen: whatever the order of the results and however often slices were joined.
func TestSlicesThatBecameOneAreAsIfTheyHadAlwaysBeen(t *testing.T) {
	for seed, lasts := range []time.Duration{5 * time.Second, 17 * time.Second, 29 * time.Second, time.Minute, 61 * time.Minute, 30 * time.Hour} {
		r := newRecorder()
		results := someRun(uint64(seed), 1000, lasts)
		for _, x := range results {
			r.record(x)
		}
		got := r.report(Options{}, plan{}, false).Series
		width := time.Duration(got.SliceS * float64(time.Second))
		if n := len(got.Slices); n > maxSlices || n < fewSlices/2 {
			t.Errorf("%v: %d slices", lasts, n)
		}
		for i, s := range got.Slices {
			from, to := time.Duration(i)*width, time.Duration(i+1)*width
			want := counted(results, from, to)
			want.P50, want.P95, want.P99, want.At = s.P50, s.P95, s.P99, from.Seconds()
			if math.Abs(s.InFlight-want.InFlight) < 0.002 { // rounded
				want.InFlight = s.InFlight
			}
			if s != want {
				t.Fatalf("%v, slice %d\n%+v, want\n%+v", lasts, i, s, want)
			}
		}
	}
}

// counted is what a slice from one moment to another must hold, but for its percentiles.
func counted(results []Result, from, to time.Duration) Slice {
	var s Slice
	var sent, answers int
	var flight time.Duration
	workers := map[string]bool{}
	in := func(t time.Duration) bool { return t >= from && t < to }
	for _, x := range results {
		ended := x.Intended + x.Latency
		if in(x.Intended) {
			s.Count++
			if x.Cause != OK {
				s.Errors++
			}
			if x.Status != 0 {
				s.Measured++
				s.Max = max(s.Max, milliseconds(x.Latency))
			}
		}
		if x.Cause == Overload {
			continue
		}
		if in(x.Actual) {
			sent++
		}
		if in(ended) && x.Status != 0 {
			answers++
			workers[x.Worker] = true
		}
		flight += max(min(ended, to)-max(x.Actual, from), 0)
	}
	s.IntendedRate, s.SentRate, s.Rate = perSecond(s.Count, to-from), perSecond(sent, to-from), perSecond(answers, to-from)
	s.InFlight, s.Workers = round3(flight.Seconds()/(to-from).Seconds()), len(workers)
	return s
}

func TestPercentilesOfASliceAreWithinOnePercent(t *testing.T) {
	r := newRecorder()
	for i := 1; i <= 1000; i++ {
		r.record(answeredBy("w", time.Duration(i)*777*time.Microsecond))
	}
	s := r.report(Options{}, plan{}, false).Series.Slices[0]
	for want, got := range map[float64]float64{500 * 0.777: s.P50, 950 * 0.777: s.P95, 990 * 0.777: s.P99, 777: s.Max} {
		if math.Abs(got-want) > 0.01*want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

func TestTheRecorderNeedsNoMoreMemoryForALongRun(t *testing.T) {
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	r := newRecorder()
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			x := answeredBy("w", time.Duration(i%997)*time.Millisecond)
			x.Intended = time.Duration(i) * 10 * time.Millisecond
			x.Actual = x.Intended
			r.record(x)
		}
	}
	fill(0, 10_000)
	before := held()
	fill(10_000, 60_000)
	if after := held(); after > before+1<<20 {
		t.Errorf("%d KiB after a hundred seconds, %d KiB after ten minutes", before>>10, after>>10)
	}
	if n := len(r.series.slices); n > maxSlices {
		t.Errorf("%d slices", n)
	}
}

func TestARateCountsTheGapsBetweenPosts(t *testing.T) {
	var s span
	if s.rate() != 0 {
		t.Error("nothing has a rate")
	}
	for i := range 11 {
		s.add(time.Duration(i) * 100 * time.Millisecond)
		if i == 0 && s.rate() != 0 {
			t.Error("one alone has a rate")
		}
	}
	if s.rate() != 10 {
		t.Errorf("%v/s", s.rate())
	}
}

func BenchmarkRecordOverTime(b *testing.B) {
	r := newRecorder()
	x := answeredBy("w1", 12*time.Millisecond)
	x.Queue, x.Service = time.Millisecond, 11*time.Millisecond
	b.ReportAllocs()
	for b.Loop() {
		x.Intended += 100 * time.Microsecond
		x.Actual = x.Intended + 10*time.Microsecond
		r.record(x)
	}
}
