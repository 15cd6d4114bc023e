package meter

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestArrivalsCloseTogetherAreOneBatch(t *testing.T) {
	tests := []struct {
		name     string
		gaps     []time.Duration // before each arrival
		arrivals int
		squares  int
	}{
		{"none", nil, 0, 0},
		{"one", []time.Duration{0}, 1, 1},
		{"ten at one instant", make([]time.Duration, 10), 10, 100},
		{"two within 2 ms", []time.Duration{0, 2 * time.Millisecond}, 2, 4},
		{"two further apart", []time.Duration{0, 2*time.Millisecond + 1}, 2, 2},
		{"a chain, each near the one before", []time.Duration{0, time.Millisecond, time.Millisecond, time.Millisecond}, 4, 16},
		{"three and two", []time.Duration{0, 0, 0, 50 * time.Millisecond, 0}, 5, 13},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, now := NewArrivals(), 3*time.Second
			for _, gap := range tt.gaps {
				now += gap
				a.Add(now)
			}
			for _, w := range []time.Duration{250 * time.Millisecond, 8 * time.Second, 30 * time.Second} {
				if n, squares := a.Window(now, w); n != tt.arrivals || squares != tt.squares {
					t.Errorf("in %v: %d arrivals, squares %d, want %d and %d", w, n, squares, tt.arrivals, tt.squares)
				}
			}
		})
	}
}

func TestEachWindowCountsItsOwn(t *testing.T) {
	a, now := NewArrivals(), time.Duration(0)
	for range 40_000 { // 400 s, one each 10 ms
		now += 10 * time.Millisecond
		a.Add(now)
	}
	for _, w := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 30 * time.Second, 300 * time.Second} {
		want := int(w / (10 * time.Millisecond))
		slack := 1 + int(coarseWidth/2/(10*time.Millisecond))
		if w <= 8*time.Second {
			slack = 1
		}
		n, squares := a.Window(now, w)
		if n < want-slack || n > want+slack || squares != n {
			t.Errorf("in %v: %d arrivals, squares %d, want about %d of each", w, n, squares, want)
		}
	}
	if n, squares := a.Window(now+time.Hour, 300*time.Second); n != 0 || squares != 0 {
		t.Errorf("an hour later: %d arrivals, squares %d, want none", n, squares)
	}
}

// The sums of both rings are what adding up each slot of the window would give, also after gaps shorter and longer than a ring.
func TestArrivalsAgreeWithTheirHistory(t *testing.T) {
	const width, slots = 100 * time.Millisecond, 9
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		ring, now := newTallies(slots, width), time.Duration(0)
		perSlot := map[int64]tally{}
		for range 100 {
			now += someGap(r, width, slots)
			ring.advance(now)
			head := int64(now / width)
			if squares := r.Int64N(9); squares > 2 {
				ring.add(squares)
				perSlot[head] = tally{perSlot[head].arrivals + 1, perSlot[head].squares + squares}
			}
			window := time.Duration(r.Int64N(int64(2 * slots * width)))
			var want tally
			for k := min(max(int64((now+width/2-window)/width), head-slots+1, 0), head); k <= head; k++ {
				want.arrivals += perSlot[k].arrivals
				want.squares += perSlot[k].squares
			}
			if got := ring.sum(now, window); got != want {
				t.Fatalf("seed %d at %v: %+v in %v, want %+v", seed, now, got, window, want)
			}
		}
	}
}

func TestAFastSteadyStreamIsNotOneEndlessBatch(t *testing.T) {
	a, now, r := NewArrivals(), time.Duration(0), rand.New(rand.NewPCG(5, 5))
	for range 60_000 { // a minute of 1000 a second
		now += time.Duration(r.ExpFloat64() * float64(time.Millisecond))
		a.Add(now)
	}
	n, squares := a.Window(now, 8*time.Second)
	if squares < n || float64(squares) > 1.1*float64(n) {
		t.Errorf("%d arrivals, squares %d, want hardly more: they came one by one", n, squares)
	}
	for range 500 { // and ten at once are still one batch among them
		now += 20 * time.Millisecond
		for range 10 {
			a.Add(now)
		}
	}
	if n, squares := a.Window(now, 2*time.Second); squares < 9*n {
		t.Errorf("%d arrivals in tens, squares %d, want about ten times as many", n, squares)
	}
}

func TestNoMeterAllocatesOnceItIsMade(t *testing.T) {
	h, c, l, a := NewHistogram(11, time.Second), NewCounter(110, 100*time.Millisecond), NewLevel(110, 100*time.Millisecond), NewArrivals()
	var now time.Duration
	dst := make([]Bucket, 0, buckets)
	if n := testing.AllocsPerRun(200, func() {
		now += 37 * time.Millisecond
		h.Observe(now, now)
		c.Add(now, 1)
		l.Set(now, int(now)&3)
		a.Add(now)
		h.Quantile(now, 0.95)
		dst = h.Buckets(now, dst[:0])
		dst = h.BucketsWithin(now, 5*time.Second, dst[:0])
		c.Sum(now, time.Second)
		l.Min(now, time.Second)
		l.Mean(now, time.Second)
		a.Window(now, time.Second)
	}); n != 0 {
		t.Errorf("%v allocations a round, want none", n)
	}
}
