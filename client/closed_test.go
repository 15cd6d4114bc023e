package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func mustNotDial(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		t.Error("a connection was made")
		return nil, errors.New("no")
	}
}

// arithmeticWorker does what the worker in this binary does, in 10 ms, as one of three workers by turns.
func arithmeticWorker(busiest *atomic.Int32) http.HandlerFunc {
	var n, busy atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		now := busy.Add(1)
		defer busy.Add(-1)
		for seen := busiest.Load(); now > seen && !busiest.CompareAndSwap(seen, now); seen = busiest.Load() {
		}
		var task struct{ A, B int }
		if err := json.NewDecoder(r.Body).Decode(&task); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		pause(r.Context(), 10*time.Millisecond)
		res := task.A + task.B
		if r.URL.Path == "/mult" {
			res = task.A * task.B
		}
		w.Header().Set("X-Understudy-Worker", fmt.Sprintf("w%d", n.Add(1)%3))
		w.Header().Set("X-Understudy-Start", "warm")
		w.Header().Set("Server-Timing", "queue;dur=2, service;dur=8")
		fmt.Fprintf(w, `{"res":%d}`, res)
	}
}

func TestCallersSendBackToBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busiest atomic.Int32
		m := serve(t, arithmeticWorker(&busiest))
		report, err := Run(t.Context(), Options{N: 300, Concurrency: 4, Mix: Mix{{"mult", 2}, {"add", 1}}, Dial: m.dial}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Count != 300 || report.Errors != 0 || report.DurationS != 0.75 || report.Rate != 400 || busiest.Load() != 4 {
			t.Errorf("%d requests, %d errors, %v s, %v/s, %d at once; %v", report.Count, report.Errors, report.DurationS, report.Rate,
				busiest.Load(), report.ErrorSamples)
		}
		if report.Latency.P50 != 10 || report.Latency.Max != 10 || report.Queue.P99 != 2 || report.Service.Mean != 8 {
			t.Errorf("%+v %+v %+v", report.Latency, report.Queue, report.Service)
		}
		mult, add := report.Capabilities["mult"], report.Capabilities["add"]
		if mult.Count+add.Count != 300 || mult.Count < 160 || add.Count < 60 || mult.Service.P50 != 8 {
			t.Errorf("%+v %+v", mult, add)
		}
		if report.Spread != (Spread{3, 100, 0}) || report.Workers["w1"].Count != 100 || report.Starts.Warm != 300 {
			t.Errorf("%+v %+v %+v", report.Spread, report.Workers, report.Starts)
		}
		if report.ScheduleError != (Lateness{}) || !report.KeptUp {
			t.Errorf("a closed loop has no schedule to miss: %+v", report.ScheduleError)
		}
	})
}

func TestAClosedLoopEndsWithItsDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := serve(t, func(w http.ResponseWriter, r *http.Request) { pause(r.Context(), 300*time.Millisecond) })
		report, err := Run(t.Context(), Options{Duration: time.Second, Mix: Mix{{"x", 1}}, Dial: m.dial}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Count != 4 || report.Errors != 0 || report.DurationS != 1.2 || report.Interrupted {
			t.Errorf("%+v", report) // what was in flight at the end has its answer
		}
	})
}

func TestAClosedLoopCanBeInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := serve(t, func(w http.ResponseWriter, r *http.Request) { pause(r.Context(), time.Hour) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		report, err := Run(ctx, Options{N: 1000, Concurrency: 3, Mix: Mix{{"x", 1}}, Grace: time.Second, Dial: m.dial}, nil)
		if err != nil || report.Count != 3 || report.ErrorsByCause[Interrupted] != 3 || !report.Interrupted || report.DurationS != 2 {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

func TestAWrongResultIsAnErrorOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"res":-1}`) })
		report, err := Run(t.Context(), Options{N: 10, Dial: m.dial}, nil)
		if err != nil || report.Errors != 10 || report.ErrorsByCause[WrongResult] != 10 || report.Statuses[200] != 10 {
			t.Errorf("%+v, %v", report, err)
		}
		report, err = Run(t.Context(), Options{N: 10, Unverified: true, Dial: m.dial}, nil)
		if err != nil || report.Errors != 0 {
			t.Errorf("unverified: %+v, %v", report, err)
		}
	})
}

func TestCallersDoNotSpinWhenTheTargetGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		reached := false
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			if reached {
				return m.dial(ctx, network, address)
			}
			reached = true // the first look finds somebody, who is gone at once
			m.Close()
			ours, theirs := net.Pipe()
			theirs.Close()
			return ours, nil
		}
		report, err := Run(t.Context(), Options{Duration: 995 * time.Millisecond, Dial: dial}, nil)
		if err != nil || report.ErrorsByCause[Connect] != 100 || report.Count != 100 {
			t.Errorf("%+v, %v", report, err)
		}
		if report.Latency != (Latency{}) {
			t.Errorf("refusals count as latency: %+v", report.Latency)
		}
	})
}

func TestProgressIsToldEverySecondAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c collector
		var busiest atomic.Int32
		m := serve(t, arithmeticWorker(&busiest))
		if _, err := Run(t.Context(), Options{N: 500, Concurrency: 2, Dial: m.dial}, &c); err != nil { // takes 2.5 s
			t.Fatal(err)
		}
		if len(c.progress) != 3 || len(c.results) != 500 {
			t.Fatalf("%d snapshots, %d results", len(c.progress), len(c.results))
		}
		for i, p := range c.progress {
			if last := i == 2; p.Final != last || !last && p.Elapsed != time.Duration(i+1)*time.Second {
				t.Errorf("snapshot %d: %+v", i, p)
			}
		}
		second, final := c.progress[1], c.progress[2]
		if second.Done < 396 || second.Done > 400 || second.N != 500 || second.Workers != 3 || second.P50 != 10*time.Millisecond ||
			second.Rate < 197 || second.Rate > 200 || second.Errors != 0 || second.InFlight > 2 {
			t.Errorf("%+v", second)
		}
		if final.Done != 500 || final.Sent != 500 || final.InFlight != 0 || final.Share() != 1 || final.Left() != 0 {
			t.Errorf("%+v", final)
		}
	})
}
