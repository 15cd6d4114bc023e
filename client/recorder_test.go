package client

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"
)

func answeredBy(worker string, latency time.Duration) Result {
	return Result{Capability: "mult", Latency: latency, Status: 200, Worker: worker, Start: "warm", Queue: -1, Service: -1}
}

func TestTheRecorderKeepsTheFirstSampleOfEachCause(t *testing.T) {
	r := newRecorder()
	for i, c := range []Cause{Reset, Reset, Status, Connect, Reset} {
		r.record(Result{Capability: "x", Cause: c, Detail: fmt.Sprint(c, i), Queue: -1, Service: -1})
	}
	report := r.report(Options{}, plan{}, false)
	for cause, want := range map[Cause]struct {
		n      int
		sample string
	}{Reset: {3, "reset0"}, Status: {1, "status2"}, Connect: {1, "connect3"}, Timeout: {0, ""}} {
		if report.ErrorsByCause[cause] != want.n || report.ErrorSamples[cause] != want.sample {
			t.Errorf("%s: %d, %q", cause, report.ErrorsByCause[cause], report.ErrorSamples[cause])
		}
	}
	if len(report.ErrorsByCause) != len(Causes()) {
		t.Errorf("every cause is to be listed: %v", report.ErrorsByCause)
	}
}

func TestWhatWasNeverSentWasNotLate(t *testing.T) {
	r := newRecorder()
	r.record(answeredBy("w", time.Millisecond))
	r.record(Result{Capability: "x", Actual: time.Second, Latency: time.Second, Cause: Overload, Queue: -1, Service: -1})
	if report := r.report(Options{}, plan{}, false); report.ScheduleError != (Lateness{}) || report.KeptUp || report.Latency.Max != 1 {
		t.Errorf("%+v", report)
	}
}

func TestTheClientAdmitsItsOwnLateness(t *testing.T) {
	r := newRecorder()
	for i := range 100 {
		at := time.Duration(i) * 10 * time.Millisecond
		late := time.Duration(0)
		if i%20 == 0 {
			late = 50 * time.Millisecond
		}
		r.record(Result{Capability: "x", Intended: at, Actual: at + late, Latency: late + 5*time.Millisecond, Status: 200, Queue: -1, Service: -1})
	}
	report := r.report(Options{}, plan{}, false)
	if report.KeptUp || report.ScheduleError.P50 != 0 || math.Abs(report.ScheduleError.P99-50) > 0.1 {
		t.Errorf("kept up %v, %+v", report.KeptUp, report.ScheduleError)
	}
	if report.Latency.Max != 55 || report.FromSend.Max != 5 {
		t.Errorf("from the intended send %v, from the actual %v", report.Latency.Max, report.FromSend.Max)
	}
}

func TestTheNumberOfWorkersRememberedIsBounded(t *testing.T) {
	r := newRecorder()
	for i := range maxWorkers + 500 {
		r.record(answeredBy(fmt.Sprint(i), time.Millisecond))
	}
	r.record(answeredBy("0", time.Millisecond))
	if n := len(r.workers); n != maxWorkers+1 || r.workers[otherWorkers].count != 500 || r.workers["0"].count != 2 {
		t.Errorf("%d workers, %d others", n, r.workers[otherWorkers])
	}
}

func TestTheWindowForgetsWhatIsThreeTicksOld(t *testing.T) {
	r := newRecorder()
	for range 90 {
		r.record(answeredBy("old", time.Second))
	}
	elapsed := time.Duration(0)
	next := func() Progress {
		elapsed += time.Second
		return r.progress(Progress{Elapsed: elapsed})
	}
	if p := next(); p.Rate != 90 || p.P95 != time.Second || p.Workers != 1 {
		t.Errorf("after one tick: %+v", p)
	}
	for range 30 {
		r.record(answeredBy("new", 10*time.Millisecond))
	}
	if p := next(); p.Rate != 60 || p.Workers != 2 || p.P95 != time.Second || p.P50 != time.Second {
		t.Errorf("after two: %+v", p)
	}
	next()
	if p := next(); p.Rate != 10 || p.Workers != 1 || p.P95 > 11*time.Millisecond || p.Done != 120 {
		t.Errorf("after four: %+v", p)
	}
	if next(); next().Rate != 0 {
		t.Error("nothing happened lately, yet there is a rate")
	}
}

func TestTheSpreadIsAPopulationsStandardDeviation(t *testing.T) {
	if got := spread(map[string]WorkerReport{"a": {2}, "b": {4}, "c": {4}, "d": {4}, "e": {5}, "f": {5}, "g": {7}, "h": {9}}); got != (Spread{8, 5, 2}) {
		t.Errorf("%+v", got)
	}
	if got := spread(nil); got != (Spread{}) {
		t.Errorf("%+v", got)
	}
}

func TestTheRecorderTakesResultsFromManyCallers(t *testing.T) {
	r := newRecorder()
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			for range 500 {
				r.record(answeredBy(fmt.Sprint(i), time.Millisecond))
				if i == 0 {
					r.progress(Progress{})
				}
			}
		})
	}
	callers.Wait()
	if report := r.report(Options{}, plan{}, false); report.Count != 4000 || report.Spread != (Spread{8, 500, 0}) {
		t.Errorf("%+v", report)
	}
}

func BenchmarkRecord(b *testing.B) {
	r := newRecorder()
	x := answeredBy("w1", 12*time.Millisecond)
	x.Queue, x.Service = time.Millisecond, 11*time.Millisecond
	b.ReportAllocs()
	for b.Loop() {
		r.record(x)
	}
}

func BenchmarkProgress(b *testing.B) {
	r := newRecorder()
	for b.Loop() {
		for i := range 3 {
			r.record(answeredBy("w1", time.Duration(i)*time.Second))
		}
		r.progress(Progress{})
	}
}
