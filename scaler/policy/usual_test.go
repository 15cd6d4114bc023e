package policy

import (
	"math"
	"testing"
	"time"
)

// lateWith is the share missed with so many servers.
func lateWith(load float64, servers int, l *law, target float64) float64 {
	e := newErlang(load)
	for range servers {
		e.addServer()
	}
	late := newLateness(l, target, &e)
	return e.waits() * late.share()
}

func TestMissesByWaitingFollowTheFormula(t *testing.T) {
	const target = 0.3
	exponential := func(times ...float64) *law { l := lawOf(100, times); l.variance = 1; return l }
	tests := []struct {
		name    string
		load    float64
		servers int
		law     *law
		want    float64
	}{
		// C(2,1) = 1/3, drain (2-1)/0.1 = 10/s, 0.2 s to spare
		{"exponential", 1, 2, exponential(0.1), math.Exp(-2) / 3},
		{"steady service waits less", 1, 2, lawOf(100, []float64{0.1}), math.Exp(-4) / 3},
		{"service twice the target never misses by waiting", 1, 2, exponential(0.6), 0},
		// S = 0.2: drain 5/s; half has 0.2 s to spare, half takes the target itself and is in its cell
		{"a mixture", 1, 2, exponential(0.1, 0.29), (math.Exp(-0.2/0.195) + math.Exp(-0.01/0.195)) / 6},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			near(t, "the share missed", lateWith(tt.load, tt.servers, tt.law, target), tt.want, 0.05*tt.want+1e-9)
		})
	}
}

func TestOneMoreServerIsAsIfCountedAnew(t *testing.T) {
	l := lawOf(1, []float64{0.02, 0.05, 0.1, 0.13, 0.2, 0.28, 0.7}, 0.4)
	e := newErlang(3.7)
	for range 4 {
		e.addServer()
	}
	late := newLateness(l, 0.3, &e)
	for servers := 4; servers < 12; servers++ {
		near(t, "the share missed", e.waits()*late.share(), lateWith(3.7, servers, l, 0.3), 1e-12)
		late.addServer(&e)
	}
}

func TestUsualIsTheLeastThatKeepsMissesUnderAFifthOfTheBudget(t *testing.T) {
	for _, arrivals := range []int{1, 30, 300, 1500, 3000, 30_000} {
		v := looking(func(c *Config, in *Snapshot) {
			c.Max = 200
			in.Slow.Arrivals, in.MeanBusy, in.Busy = arrivals, 0, 0
		})
		v.learn()
		v.forecast = v.expect()
		w := new(working)
		n := v.usual(w)
		near(t, "the load", w.erlang, float64(arrivals)/300, 1e-9)
		got := v.missedAround(n, w)
		if float64(n) <= w.erlang || got[1] > 0.01 || n > 1 && got[0] <= 0.01 {
			t.Errorf("%d arrivals: %d workers; with one less, so many and one more %v miss", arrivals, n, got)
		}
	}
}

func TestUsualNeedsNothingWithoutLoadAndStopsAtTheMost(t *testing.T) {
	for _, tt := range []struct {
		busy float64
		want int
	}{{0, 0}, {20.5, 21}, {1e5, 21}} {
		v := looking(func(_ *Config, in *Snapshot) { in.Slow.Arrivals, in.MeanBusy = 0, tt.busy })
		v.learn()
		if n := v.usual(new(working)); n != tt.want {
			t.Errorf("%v tasks in service: %d workers, want %d of the 20 there may be and one to show that they do not do", tt.busy, n, tt.want)
		}
	}
}

func TestUsualLeansOnTheSpareWhereAStartRepairsAWrongGuess(t *testing.T) {
	for _, tt := range []struct {
		target time.Duration
		spare  int
		lean   int
	}{{300 * time.Millisecond, 1, 0}, {900 * time.Millisecond, 1, 0}, {time.Second, 1, 1}, {time.Second, 0, 0}} { // D 0.6 + 0.25 + p95 0.1
		v := looking(func(c *Config, in *Snapshot) { c.Target, c.Spare = tt.target, tt.spare })
		v.learn()
		v.forecast = v.expect()
		w := new(working)
		if v.usual(w); w.lean != tt.lean {
			t.Errorf("target %v, %d spare: leans on %d", tt.target, tt.spare, w.lean)
		}
	}
}

func TestOfferedLoadIsArrivalsTimesServiceOrTheTasksSeen(t *testing.T) {
	for _, tt := range []struct{ busy, want float64 }{{0, 1}, {0.5, 1}, {4, 4}} {
		v := looking(func(_ *Config, in *Snapshot) { in.MeanBusy = tt.busy })
		v.learn()
		v.forecast = v.expect()
		near(t, "the load", v.offered(), tt.want, 1e-9)
	}
}

func TestMissesAroundNoWorkerAreKnownButForFewer(t *testing.T) {
	v := looking(nil)
	v.learn()
	w := &working{erlang: 1}
	got := v.missedAround(0, w)
	if got[0] != -1 || got[1] != 1 || got[2] != 1 {
		t.Errorf("with one less than none, none, and one for the load of one: %v", got)
	}
	if got := v.missedAround(2, &working{}); got != [3]float64{} {
		t.Errorf("without any load %v miss", got)
	}
}

func TestPlentyOfSlotsAreNotCountedOneByOne(t *testing.T) {
	v := looking(func(c *Config, _ *Snapshot) { c.Concurrency = maxSlots })
	v.learn()
	e := newErlang(5)
	for e.inverse < plenty {
		e.addServer()
	}
	if e.servers > 60 {
		t.Errorf("it takes %d servers until 5 erlang have plenty", e.servers)
	}
	if got := v.missedAround(maxWorkers, &working{erlang: 5}); got[0] > 1e-9 || got[2] > 1e-9 {
		t.Errorf("%v miss with tens of millions of slots", got)
	}
}

func TestSlotsOfOthersServeTooAndWorkersOfSeveralSlotsAreFewer(t *testing.T) {
	tests := []struct{ slots, others, concurrency, want int }{
		{5, 0, 1, 5}, {5, 2, 1, 3}, {5, 5, 1, 0}, {5, 9, 1, 0}, {5, 0, 2, 3}, {5, 1, 2, 2}, {0, 0, 4, 0}, {9, 1, 4, 2},
	}
	for _, tt := range tests {
		v := looking(func(c *Config, in *Snapshot) { c.Concurrency, in.Others = tt.concurrency, tt.others })
		if got := v.workersFor(tt.slots); got != tt.want {
			t.Errorf("%d slots, %d of others, %d a worker: %d workers, want %d", tt.slots, tt.others, tt.concurrency, got, tt.want)
		}
	}
}
