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
	for i := range 32 {
		in.InService = append(in.InService, Group{Age: time.Duration(32-i) * 10 * time.Millisecond, N: max(1, in.Busy/32)})
	}
	for i := range 150 {
		at := time.Duration(20e6 * math.Pow(1.03, float64(i)))
		in.Service = append(in.Service, Bucket{Lower: at, Upper: at + at/20, N: max(1, int(load*6)/150)})
	}
	return cfg, in
}

// jam is the worst case: as many requests wait as each of five times the workers could serve, at a surge, and service has become slower, so that
// both laws are played.
func jam(in *Snapshot, workers int) {
	in.Queue, in.Busy, in.Idle = 5*workers, workers, 0
	for i := range 32 {
		in.Queued = append(in.Queued, Group{Age: time.Duration(32-i) * 20 * time.Millisecond, N: in.Queue / 32})
	}
	for i := range in.Windows {
		in.Windows[i].Arrivals *= 3
	}
	for _, b := range in.Service {
		in.Recent = append(in.Recent, Bucket{Lower: 2 * b.Lower, Upper: 2 * b.Upper, N: b.N})
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, workers := range []int{10, 100} {
		for _, jammed := range []bool{false, true} {
			b.Run(fmt.Sprintf("workers=%d/jammed=%v", workers, jammed), func(b *testing.B) {
				cfg, in := busyPool(workers)
				if jammed {
					jam(&in, workers)
				}
				var s State
				b.ReportAllocs()
				for b.Loop() {
					in.Now += 250 * time.Millisecond
					_, s = Decide(cfg, in, s)
				}
			})
		}
	}
}

func BenchmarkLaw(b *testing.B) {
	cfg, in := busyPool(100)
	v := new(view)
	v.open(cfg, in, memory{})
	v.scale = 1
	b.ReportAllocs()
	for b.Loop() {
		v.estimate(&v.long, in.Service, 0.1, 0)
	}
}

func BenchmarkSentence(b *testing.B) {
	cfg, in := busyPool(100)
	jam(&in, 100)
	d, _ := Decide(cfg, in, State{})
	for b.Loop() {
		_ = d.Sentence()
	}
}

func TestADecisionDoesNotAllocate(t *testing.T) {
	for _, jammed := range []bool{false, true} {
		cfg, in := busyPool(100)
		if jammed {
			jam(&in, 100)
		}
		var s State
		if n := testing.AllocsPerRun(100, func() {
			in.Now += 250 * time.Millisecond
			_, s = Decide(cfg, in, s)
		}); n != 0 {
			t.Errorf("jammed %v: %v allocations a decision, want none", jammed, n)
		}
	}
}
