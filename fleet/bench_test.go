package fleet

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// crowd is a fleet of n idle workers.
func crowd(tb testing.TB, n int, change func(*PoolConfig)) *Fleet {
	tb.Helper()
	f := New([]PoolConfig{with(kind("p", "mult"), func(p *PoolConfig) {
		p.Max = n
		if change != nil {
			change(p)
		}
	})}, time.Now)
	for i := range n {
		active(tb, f, "p", fmt.Sprint("w", i))
	}
	return f
}

func claimAndRelease(tb testing.TB, f *Fleet) {
	l, err := f.Acquire(tb.Context(), Request{Capability: "mult"})
	if err != nil {
		tb.Fatal(err)
	}
	l.Release(Outcome{Kind: Served})
}

// crowds are the numbers of workers to compare.
func crowds() []int { return []int{10, 1_000, 10_000} }

func BenchmarkAcquireRelease(b *testing.B) {
	for _, n := range crowds() {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchIdle(b, n, nil) })
	}
}

func BenchmarkAcquireReleasePick(b *testing.B) {
	for _, order := range []Pick{MostRecent, Fastest, LeastBusy} {
		for _, n := range crowds() {
			b.Run(fmt.Sprint(order, "/", n), func(b *testing.B) {
				benchIdle(b, n, func(p *PoolConfig) { p.Pick = order })
			})
		}
	}
}

func benchIdle(b *testing.B, n int, change func(*PoolConfig)) {
	f := crowd(b, n, change)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		l, err := f.Acquire(ctx, Request{Capability: "mult"})
		if err != nil {
			b.Fatal(err)
		}
		l.Release(Outcome{Kind: Served})
	}
}

// BenchmarkAcquireReleaseTogether is all processors at once on the one lock.
func BenchmarkAcquireReleaseTogether(b *testing.B) {
	f := crowd(b, 1000, nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			claimAndRelease(b, f)
		}
	})
}

// BenchmarkPromote is an arrival that finds every worker in rotation busy and the spare ready: what it waits in the fleet.
func BenchmarkPromote(b *testing.B) {
	f := crowd(b, 50, nil)
	for range 50 {
		take(b, f, "mult")
	}
	spares(b, f, "p", "spare")
	ctx := b.Context()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		l, err := f.Acquire(ctx, Request{Capability: "mult"})
		took = append(took, time.Since(began))
		if err != nil || l.Start != SpareStart {
			b.Fatalf("got %v, %v, want the spare", l.Start, err)
		}
		l.Release(Outcome{Kind: Served})
		f.Steer("p", 50, 1)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
	b.ReportMetric(0, "ns/op") // that of a promotion and of undoing it: nobody's question
}

func TestIdlePathAllocatesNothing(t *testing.T) {
	for _, order := range []Pick{RoundRobin, MostRecent, Fastest, LeastBusy} {
		for _, concurrency := range []int{1, 3} {
			f := crowd(t, 100, func(p *PoolConfig) { p.Pick, p.Concurrency = order, concurrency })
			for range 1000 {
				claimAndRelease(t, f)
			}
			// hundreds of pairs a run, so that not even a rare allocation hides in the rounding
			if n := testing.AllocsPerRun(10, func() {
				for range 500 {
					claimAndRelease(t, f)
				}
			}); n != 0 {
				t.Errorf("%s, %d at a time: %v allocations in 500 pairs", order, concurrency, n)
			}
		}
	}
}
