package client

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// instant answers everything at once.
type instant struct{}

func (instant) send(context.Context, task, *caller) (answer, error) {
	return answer{status: 200, worker: "w1", start: "warm", timing: "queue;dur=1.2, service;dur=103.4"}, nil
}

func (instant) close() {}

// onlyProgress is an observer that does not want single results.
type onlyProgress struct{ c *collector }

func (o onlyProgress) Progress(p Progress) { o.c.Progress(p) }

func TestAnObserverThatWantsNoResultsGetsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c collector
		l := newLoad(t.Context(), Options{N: 5000, Concurrency: 2, Mix: Mix{{"x", 1}}}.withDefaults(), plan{}, instant{}, onlyProgress{&c})
		defer l.cancel(nil)
		l.closedLoop(t.Context(), &backToBack{n: 5000, maker: newMaker(Options{}.withDefaults())})
		l.watcher.stop()
		if len(c.results) != 0 || len(c.progress) != 1 || c.progress[0].Done != 5000 {
			t.Errorf("%d results, %+v", len(c.results), c.progress)
		}
	})
}

func TestASlowObserverLosesNoResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &slowObserver{}
		l := newLoad(t.Context(), Options{Mix: Mix{{"x", 1}}}.withDefaults(), plan{}, instant{}, c)
		defer l.cancel(nil)
		l.options.Concurrency = 8
		l.closedLoop(t.Context(), &backToBack{n: 3000, maker: newMaker(Options{}.withDefaults())})
		l.watcher.stop()
		if len(c.results) != 3000 || !c.progress[len(c.progress)-1].Final {
			t.Errorf("%d results", len(c.results))
		}
	})
}

type slowObserver struct{ collector }

func (s *slowObserver) Result(r Result) {
	pause(context.Background(), time.Millisecond)
	s.collector.Result(r)
}

func TestCallersAreReusedRatherThanStartedForEachRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t.Context(), Options{}.withDefaults(), plan{}, instant{}, nil)
		defer l.cancel(nil)
		src := &paced{maker: newMaker(Options{}.withDefaults()), pacer: Constant{PerSecond: 100}, n: 500}
		most := 0
		counting := sourceFunc(func() (task, error) {
			synctest.Wait() // callers are idle again
			most = max(most, runtime.NumGoroutine())
			return src.next()
		})
		before := runtime.NumGoroutine()
		if err := l.openLoop(t.Context(), counting); err != nil {
			t.Fatal(err)
		}
		l.settle(t.Context())
		if most > before+1 {
			t.Errorf("%d goroutines for requests that never overlap", most-before)
		}
		if l.recorder.count != 500 {
			t.Errorf("%d requests", l.recorder.count)
		}
	})
}

func TestLatencyCountsFromTheIntendedSendAlsoWhenTheClientIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c collector
		l := newLoad(t.Context(), Options{}.withDefaults(), plan{}, slow{5 * time.Millisecond}, &c)
		defer l.cancel(nil)
		tasks := []task{{at: 0}, {at: 10 * time.Millisecond}, {at: 100 * time.Millisecond}}
		late := sourceFunc(func() (task, error) {
			if len(tasks) == 0 {
				return task{}, io.EOF
			}
			next := tasks[0]
			if tasks = tasks[1:]; next.at == 10*time.Millisecond {
				pause(t.Context(), 50*time.Millisecond) // the client has no time just now
			}
			return next, nil
		})
		if err := l.openLoop(t.Context(), late); err != nil {
			t.Fatal(err)
		}
		l.settle(t.Context())
		l.watcher.stop()
		want := [][3]time.Duration{{0, 0, 5}, {10, 50, 45}, {100, 100, 5}}
		for i, r := range c.results {
			if got := [3]time.Duration{r.Intended, r.Actual, r.Latency}; got != [3]time.Duration{
				want[i][0] * time.Millisecond, want[i][1] * time.Millisecond, want[i][2] * time.Millisecond} {
				t.Errorf("request %d: intended, sent, took %v; want %v ms", i, got, want[i])
			}
		}
		if last := c.progress[len(c.progress)-1]; len(c.results) != 3 || last.InFlight != 0 || last.Sent != 3 {
			t.Errorf("%d results, %+v", len(c.results), last)
		}
	})
}

// slow answers after some time.
type slow struct{ takes time.Duration }

func (s slow) send(ctx context.Context, t task, c *caller) (answer, error) {
	pause(ctx, s.takes)
	return answer{status: 200}, ctx.Err()
}

func (slow) close() {}

func TestRequestsThatDoNotOverlapNeverOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Rate: 100, N: 50, MaxInFlight: 1}.withDefaults()
		l := newLoad(t.Context(), o, plan{}, slow{5 * time.Millisecond}, nil)
		defer l.cancel(nil)
		src, _, err := newSource(Options{Rate: 100, N: 50, Mix: Mix{{"x", 1}}}.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		if err := l.openLoop(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		l.settle(t.Context())
		if r := l.recorder; r.count != 50 || r.errors != 0 {
			t.Errorf("%d requests, %d errors", r.count, r.errors)
		}
	})
}

func TestARunLetsGoOfItsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := serve(t, func(http.ResponseWriter, *http.Request) {})
		var open []net.Conn
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := m.dial(ctx, network, address)
			open = append(open, c)
			return c, err
		}
		if _, err := Run(t.Context(), Options{N: 3, Mix: Mix{{"x", 1}}, Dial: dial}, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(open) != 2 { // one to see whether anybody is there, one for the three requests
			t.Errorf("%d connections", len(open))
		}
		for i, c := range open {
			if _, err := c.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("connection %d is still open: %v", i, err)
			}
		}
	})
}

type sourceFunc func() (task, error)

func (f sourceFunc) next() (task, error) { return f() }
func (f sourceFunc) close() error        { return nil }

func TestAnErrorOfTheSourceEndsAnOpenLoop(t *testing.T) {
	broken := errors.New("broken")
	l := newLoad(t.Context(), Options{}.withDefaults(), plan{}, instant{}, nil)
	defer l.cancel(nil)
	if err := l.openLoop(t.Context(), sourceFunc(func() (task, error) { return task{}, broken })); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// BenchmarkReplay plays a million rows as fast as the client can, and shows how the memory in use grew from the first tenth on.
func BenchmarkReplay(b *testing.B) {
	path := filepath.Join(b.TempDir(), "trace.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(f, &rows{n: 1_000_000}); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		o := Options{Trace: path, Speed: maxSpeed, MaxInFlight: 100}.withDefaults()
		src, p, err := newSource(o)
		if err != nil {
			b.Fatal(err)
		}
		l := newLoad(b.Context(), o, p, instant{}, nil)
		var early, late uint64
		n := 0
		measuring := sourceFunc(func() (task, error) {
			switch n++; n {
			case 100_000:
				early = liveHeap()
			case 1_000_000:
				late = liveHeap()
			}
			return src.next()
		})
		start := time.Now()
		if err := l.openLoop(b.Context(), measuring); err != nil {
			b.Fatal(err)
		}
		l.settle(b.Context())
		b.ReportMetric(float64(l.recorder.count)/time.Since(start).Seconds(), "rows/s")
		b.ReportMetric((float64(late)-float64(early))/1024, "KiB-grown")
		if err := src.close(); err != nil || l.recorder.count != 1_000_000 || math.Abs(float64(late)-float64(early)) > 1<<20 {
			b.Fatal(l.recorder.count, early, late, err)
		}
		l.cancel(nil)
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
