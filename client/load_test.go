package client

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// instant answers everything at once.
type instant struct{}

func (instant) send(context.Context, task, []byte) (answer, error) {
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
