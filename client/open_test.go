package client

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy/trace"
)

// collector is an observer that keeps everything.
type collector struct {
	mu       sync.Mutex
	results  []Result
	progress []Progress
}

func (c *collector) Progress(p Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress = append(c.progress, p)
}

func (c *collector) Result(r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.results = append(c.results, r)
}

// stalling answers in 10 ms, except that it answers nothing for the first second of every ten.
func stalling() http.HandlerFunc {
	start := time.Now()
	return func(w http.ResponseWriter, r *http.Request) {
		in := time.Since(start) % (10 * time.Second)
		pause(r.Context(), max(time.Second-in, 0)+10*time.Millisecond)
		io.WriteString(w, "ok")
	}
}

// truth is a percentile that the schedule of 100 requests a second has against stalling when it begins that late into a period, by
// arithmetic and nearest rank.
func truth(percentile int, late, lasts time.Duration) float64 {
	var all []float64
	for at := late; at < late+lasts; at += 10 * time.Millisecond {
		in := at % (10 * time.Second)
		all = append(all, milliseconds(max(time.Second-in, 0)+10*time.Millisecond))
	}
	slices.Sort(all)
	return all[(len(all)*percentile+99)/100-1]
}

// Within 5 % of the truth, wherever in a period the load begins: no request that a stall kept from being sent is forgotten.
func TestAnOpenLoopShowsAStall(t *testing.T) {
	for _, c := range []struct{ late, lasts time.Duration }{
		{0, 20 * time.Second}, {300 * time.Millisecond, 20 * time.Second}, {4 * time.Second, 10 * time.Second}, {9990 * time.Millisecond, 10 * time.Second},
	} {
		t.Run(fmt.Sprintf("%v of load, %v late", c.lasts, c.late), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := serve(t, stalling())
				pause(t.Context(), c.late)
				open, err := Run(t.Context(), Options{Rate: 100, Duration: c.lasts, Mix: Mix{{"x", 1}}, Dial: m.dial}, nil)
				if err != nil {
					t.Fatal(err)
				}
				for percentile, got := range map[int]float64{95: open.Latency.P95, 99: open.Latency.P99} {
					if want := truth(percentile, c.late, c.lasts); math.Abs(got-want) > 0.05*want {
						t.Errorf("p%d %v ms, the schedule says %v ms", percentile, got, want)
					}
				}
				if open.Count != int(c.lasts/(10*time.Millisecond)) || open.Errors != 0 || !open.KeptUp {
					t.Errorf("%d requests, %d errors, kept up %v", open.Count, open.Errors, open.KeptUp)
				}
			})
		})
	}
}

func TestAClosedLoopHidesTheStallsThatAnOpenLoopShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := serve(t, stalling())
		closed, err := Run(t.Context(), Options{Concurrency: 1, Duration: 20 * time.Second, Mix: Mix{{"x", 1}}, Dial: m.dial}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if closed.Latency.P99 > 11 || closed.Latency.Max < 900 {
			t.Errorf("p99 %v ms and max %v ms; the comparison says nothing", closed.Latency.P99, closed.Latency.Max)
		}
	})
}

func TestRequestsLeaveAtTheirTimeWhateverHasComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c collector
		m := serve(t, func(w http.ResponseWriter, r *http.Request) { pause(r.Context(), 20*time.Second) })
		o := Options{Rate: 10, Duration: 5 * time.Second, Shape: ShapeRamp, Dial: m.dial, Unverified: true}
		if _, err := Run(t.Context(), o, &c); err != nil {
			t.Fatal(err)
		}
		pacer := NewPacer(ShapeRamp, 10, 5*time.Second)
		if len(c.results) != 25 {
			t.Fatalf("%d requests", len(c.results))
		}
		slices.SortFunc(c.results, func(a, b Result) int { return int(a.Intended - b.Intended) })
		for n, r := range c.results {
			want, _ := pacer.At(n)
			if r.Intended != want || r.Actual != want || r.Latency != 20*time.Second {
				t.Errorf("request %d: intended %v, sent %v, took %v; want %v", n, r.Intended, r.Actual, r.Latency, want)
			}
		}
	})
}

func TestATraceIsReplayedWithItsKindsAndDurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var seen []string
		start := time.Now()
		m := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, time.Since(start).String()+" "+r.Method+" "+r.URL.Path+" "+string(body))
		})
		path := write(t, "t,duration_ms,kind\n0.5,18,timer\n1,200,ctx 4k\n3,40,timer\n")
		report, err := Run(t.Context(), Options{Trace: path, Speed: 2, Target: "http://x/base/", Dial: m.dial}, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			`250ms POST /base/timer {"ms":9}`, `500ms POST /base/ctx-4k {"ms":100}`, `1.5s POST /base/timer {"ms":20}`,
		}
		if !slices.Equal(seen, want) {
			t.Errorf("the server saw %q, want %q", seen, want)
		}
		if report.Count != 3 || report.Capabilities["timer"].Count != 2 || report.Capabilities["ctx-4k"].Count != 1 {
			t.Errorf("%+v", report.Capabilities)
		}
	})
}

func TestTooManyInFlightIsTheClientsOwnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := serve(t, func(w http.ResponseWriter, r *http.Request) { pause(r.Context(), 10*time.Second) })
		o := Options{Rate: 10, Duration: 2 * time.Second, MaxInFlight: 5, Mix: Mix{{"x", 1}}, Dial: m.dial}
		report, err := Run(t.Context(), o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Count != 20 || report.Errors != 15 || report.ErrorsByCause[Overload] != 15 || report.KeptUp {
			t.Errorf("%+v", report)
		}
		if s := report.ErrorSamples[Overload]; !strings.Contains(s, "5 requests were in flight") {
			t.Errorf("the sample says %q", s)
		}
		if report.Latency.P50 < 9_990 || report.Statuses[200] != 5 {
			t.Errorf("requests that were never sent count as latency or answers: %+v", report)
		}
	})
}

func TestARequestThatTakesTooLongTimesOutAndCountsAsLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := serve(t, func(w http.ResponseWriter, r *http.Request) { pause(r.Context(), time.Minute) })
		o := Options{Rate: 10, N: 4, Timeout: 2 * time.Second, Mix: Mix{{"x", 1}}, Dial: m.dial}
		report, err := Run(t.Context(), o, nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.ErrorsByCause[Timeout] != 4 || report.Latency.Max != 2000 || report.Interrupted || report.Rate != 0 {
			t.Errorf("%+v", report)
		}
	})
}

func TestWhenTheRunIsToldToEndItWaitsForTheGraceAndReports(t *testing.T) {
	for _, c := range []struct {
		name        string
		takes       time.Duration
		ends        time.Duration
		interrupted int
	}{
		{"answers within the grace", 2 * time.Second, 3900 * time.Millisecond, 0},
		{"answers too late", time.Minute, 5 * time.Second, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := serve(t, func(w http.ResponseWriter, r *http.Request) { pause(r.Context(), c.takes) })
				ctx, cancel := context.WithTimeout(t.Context(), 1950*time.Millisecond)
				defer cancel()
				start := time.Now()
				o := Options{Rate: 10, Duration: time.Minute, Grace: 3050 * time.Millisecond, Mix: Mix{{"x", 1}}, Dial: m.dial}
				report, err := Run(ctx, o, nil)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took != c.ends {
					t.Errorf("it ended after %v, want %v", took, c.ends)
				}
				if !report.Interrupted || report.Count != 20 || report.ErrorsByCause[Interrupted] != c.interrupted || report.Errors != c.interrupted {
					t.Errorf("%+v", report)
				}
				if c.interrupted > 0 && report.Latency != (Latency{}) {
					t.Errorf("what was given up counts as latency: %+v", report.Latency)
				}
			})
		})
	}
}

func TestATraceThatChangesWhileItIsPlayedIsAnErrorWithAReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := serve(t, func(http.ResponseWriter, *http.Request) {})
		l := newLoad(t.Context(), Options{Timeout: time.Second, Grace: time.Second, MaxInFlight: 10}, plan{}, mustSender(t, Options{Dial: m.dial}), nil)
		defer l.cancel(nil)
		defer l.sender.close()
		tr, err := trace.NewReader("x.csv", strings.NewReader("t\n0\n1\n0.5\n"))
		if err != nil {
			t.Fatal(err)
		}
		src := &replay{maker: newMaker(Options{}.withDefaults()), trace: tr, speed: 1}
		err = l.openLoop(t.Context(), src)
		l.settle(t.Context())
		if err == nil || !strings.Contains(err.Error(), "line 4") {
			t.Errorf("%v", err)
		}
		if l.recorder.count != 2 {
			t.Errorf("%d requests have an outcome", l.recorder.count)
		}
	})
}

func mustSender(t *testing.T, o Options) sender {
	t.Helper()
	s, err := newSender(o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// callerWith keeps so much of an answer's body, and has a minute for a request.
func callerWith(kept int) *caller {
	return &caller{buf: make([]byte, kept), by: time.Now().Add(time.Minute)}
}
