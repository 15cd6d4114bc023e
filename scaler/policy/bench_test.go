package policy

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// busyPool is a pool of that many workers at four fifths of what they can do, with 150 distinct service times.
func busyPool(workers int) (Config, Snapshot) {
	cfg := Config{Target: 300 * time.Millisecond, Percentile: 95, Min: 1, Max: 4 * workers, Spare: 1, SpareMax: 1, Concurrency: 1, Parallel: 4}
	load := 0.8 * float64(workers)
	in := Snapshot{
		Now: time.Hour, Active: workers, Spare: 1, Busy: int(load), Standing: int(load) - 2, Idle: workers - int(load),
		Slow: Window{Width: 30 * time.Second, Arrivals: int(load * 300)}, MeanBusy: load, BusyTime: time.Duration(load * float64(time.Minute)),
		Latency: Latency{N: int(load * 100), Requests: int(load * 100)}, HostCPU: -1,
	}
	for _, w := range []float64{0.25, 0.5, 1, 2, 4, 8} {
		in.Windows = append(in.Windows, Window{Width: time.Duration(w * float64(time.Second)), Arrivals: int(load * 10 * w)})
	}
	for i := range 150 {
		at := time.Duration(20e6 * math.Pow(1.03, float64(i)))
		in.Service = append(in.Service, Bucket{Lower: at, Upper: at + at/20, N: max(1, int(load*6)/150)})
	}
	return cfg, in
}

func BenchmarkDecide(b *testing.B) {
	for _, workers := range []int{10, 100} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			cfg, in := busyPool(workers)
			var s State
			b.ReportAllocs()
			for b.Loop() {
				in.Now += 250 * time.Millisecond
				_, s = Decide(cfg, in, s)
			}
		})
	}
}

// The decision without the sentence that explains it: what a reason costs is the difference.
func BenchmarkDecideWithoutReason(b *testing.B) {
	for _, workers := range []int{10, 100} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			cfg, in := busyPool(workers)
			var s State
			b.ReportAllocs()
			for b.Loop() {
				in.Now += 250 * time.Millisecond
				v := newView(cfg, &in, &s.mem)
				v.decide()
			}
		})
	}
}

func TestADecisionDoesNotAllocateButForItsSentence(t *testing.T) {
	cfg, in := busyPool(100)
	in.Queue = 500
	var s State
	if n := testing.AllocsPerRun(100, func() {
		in.Now += 250 * time.Millisecond
		v := newView(cfg, &in, &s.mem)
		v.decide()
	}); n != 0 {
		t.Errorf("%v allocations a decision, want none", n)
	}
}
