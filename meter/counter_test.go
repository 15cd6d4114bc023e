package meter

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestACounterSumsExactlyTheSlotsOfTheWindow(t *testing.T) {
	const width, slots = 100 * time.Millisecond, 12
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		c, now := NewCounter(slots, width), time.Duration(0)
		perSlot := map[int64]int64{}
		for range 150 {
			now += someGap(r, width, slots)
			n := r.Int64N(5)
			c.Add(now, n)
			head := int64(now / width)
			perSlot[head] += n
			window := time.Duration(r.Int64N(int64(2 * slots * width)))
			first := max(int64((now+width/2-window)/width), head-slots+1, 0)
			var want int64
			for k := min(first, head); k <= head; k++ {
				want += perSlot[k]
			}
			if got := c.Sum(now, window); got != want {
				t.Fatalf("seed %d at %v: %d in %v, want %d", seed, now, got, window, want)
			}
		}
	}
}

func TestAWindowBeginsAtTheNearestEdge(t *testing.T) {
	c := NewCounter(20, 100*time.Millisecond)
	c.Add(0, 1)
	tests := []struct {
		now  time.Duration
		want int64
	}{
		{time.Second, 1}, {1049 * time.Millisecond, 1}, {1051 * time.Millisecond, 0}, {1100 * time.Millisecond, 0},
	}
	for _, tt := range tests {
		if got := c.Sum(tt.now, time.Second); got != tt.want {
			t.Errorf("at %v one second holds %d, want %d", tt.now, got, tt.want)
		}
	}
}
