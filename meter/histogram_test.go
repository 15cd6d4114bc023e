package meter

import (
	"math"
	legacy "math/rand" // testing/quick wants the older kind of source
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"
	"time"
)

func TestEveryDurationLiesInItsBucketAndWithinOneIn32OfItsMiddle(t *testing.T) {
	check := func(raw uint64, shift uint8) bool {
		v := time.Duration(raw>>(shift%64)>>1)%(1<<topBits) + 1
		i := indexOf(v)
		lower, upper := boundsOf(i)
		off := math.Abs(float64(middleOf(i)-v)) / float64(v)
		if lower < v && v <= upper && off <= 1.0/32 {
			return true
		}
		t.Logf("%d ns: bucket %d (%d, %d], middle off by %.4f", v, i, lower, upper, off)
		return false
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 50_000, Rand: legacy.New(legacy.NewSource(1))}); err != nil {
		t.Error(err)
	}
}

func TestBucketsJoinWithoutGapOrOverlap(t *testing.T) {
	var last time.Duration
	for i := range buckets {
		lower, upper := boundsOf(i)
		if lower != last || upper <= lower {
			t.Fatalf("bucket %d is (%d, %d], the one before ends at %d", i, lower, upper, last)
		}
		if indexOf(upper) != i || indexOf(lower+1) != i {
			t.Fatalf("bucket %d: its own bounds belong to %d and %d", i, indexOf(lower+1), indexOf(upper))
		}
		last = upper
	}
	if last != 1<<topBits {
		t.Errorf("the last bucket ends at %d, want 2^%d", last, topBits)
	}
}

func TestDurationsOutOfRangeCountAsTheShortestAndTheLongest(t *testing.T) {
	for _, v := range []time.Duration{math.MinInt64, -1, 0} {
		if indexOf(v) != 0 {
			t.Errorf("%d ns is in bucket %d, want 0", v, indexOf(v))
		}
	}
	for _, v := range []time.Duration{1<<topBits + 1, math.MaxInt64} {
		if indexOf(v) != buckets-1 {
			t.Errorf("%d ns is in bucket %d, want the last", v, indexOf(v))
		}
	}
}

func TestQuantilesAgreeWithSortedData(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		h, values := NewHistogram(3, time.Second), make([]time.Duration, 1+r.IntN(400))
		for i := range values {
			values[i] = time.Duration(math.Exp(r.NormFloat64()*3 + 17))
			h.Observe(0, values[i])
		}
		slices.Sort(values)
		for _, q := range []float64{0, 0.01, 0.5, 0.95, 0.99, 1} {
			got, n := h.Quantile(0, q)
			want := values[rankOf(q, n)-1]
			if off := math.Abs(float64(got-want)) / float64(want); off > 1.0/32 || n != len(values) {
				t.Fatalf("quantile %v of %d values: %v of %d, want %v (off by %.4f)", q, len(values), got, n, want, off)
			}
		}
	}
}

func TestRankIsTheNearestRank(t *testing.T) {
	tests := []struct {
		q    float64
		n    int
		want int
	}{
		{0.95, 100, 95}, {0.95, 20, 19}, {0.95, 21, 20}, {0.5, 1, 1}, {0.5, 2, 1}, {0.5, 3, 2}, {0.07, 100, 7},
		{0, 10, 1}, {-1, 10, 1}, {1, 10, 10}, {2, 10, 10}, {math.NaN(), 10, 1}, {math.Inf(1), 10, 10},
	}
	for _, tt := range tests {
		if got := rankOf(tt.q, tt.n); got != tt.want {
			t.Errorf("rankOf(%v, %d) = %d, want %d", tt.q, tt.n, got, tt.want)
		}
	}
}

func TestAnEmptyHistogramSaysSo(t *testing.T) {
	h := NewHistogram(2, time.Second)
	if v, n := h.Quantile(5*time.Second, 0.95); v != 0 || n != 0 {
		t.Errorf("quantile %v of %d, want 0 of 0", v, n)
	}
	if got := h.Buckets(5*time.Second, nil); got != nil {
		t.Errorf("buckets %v, want none", got)
	}
}

// event is one observation, for the slow and obvious histogram the real one is compared with.
type event struct{ at, v time.Duration }

// within returns the buckets of the events in slots first to last, one by one.
func within(events []event, width time.Duration, first, last int64) []Bucket {
	counts := map[int]int{}
	for _, e := range events {
		if k := int64(e.at / width); k >= first && k <= last {
			counts[indexOf(e.v)]++
		}
	}
	var out []Bucket
	for i := range buckets {
		if counts[i] > 0 {
			lower, upper := boundsOf(i)
			out = append(out, Bucket{lower, upper, counts[i]})
		}
	}
	return out
}

func total(buckets []Bucket) int {
	n := 0
	for _, b := range buckets {
		n += b.N
	}
	return n
}

func TestTheWindowHoldsExactlyTheSlotsItShouldWhateverTheGaps(t *testing.T) {
	const width, slots = 100 * time.Millisecond, 7
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		h, now := NewHistogram(slots, width), time.Duration(0)
		var events []event
		for range 120 {
			now += someGap(r, width, slots)
			if r.IntN(3) > 0 {
				e := event{now, time.Duration(r.IntN(1e9))}
				events = append(events, e)
				h.Observe(e.at, e.v)
			}
			head := int64(now / width)
			want := within(events, width, head-slots+1, head)
			if got := h.Buckets(now, nil); !slices.Equal(got, want) {
				t.Fatalf("seed %d at %v: buckets %v, want %v", seed, now, got, want)
			}
			if got := h.Count(now); got != total(want) {
				t.Fatalf("seed %d at %v: count %d, want %d", seed, now, got, total(want))
			}
			window := time.Duration(r.Int64N(int64(slots * width)))
			first := max(int64((now-window+width/2)/width), head-slots+1, 0)
			if now < window-width/2 {
				first = 0
			}
			want = within(events, width, min(first, head), head)
			if got := h.BucketsWithin(now, window, nil); !slices.Equal(got, want) {
				t.Fatalf("seed %d at %v: buckets within %v %v, want %v", seed, now, window, got, want)
			}
		}
	}
}

// someGap is mostly short, at times nothing, at times a slot's edge, at times longer than the whole ring.
func someGap(r *rand.Rand, width time.Duration, slots int) time.Duration {
	switch r.IntN(10) {
	case 0, 1, 2:
		return 0
	case 3:
		return width
	case 4:
		return time.Duration(r.Int64N(int64(width) * int64(slots) * 3))
	case 5:
		return width * time.Duration(slots)
	default:
		return time.Duration(r.Int64N(int64(width)))
	}
}

func TestTheSpanIsTheTimeTheWindowCovers(t *testing.T) {
	h := NewHistogram(3, time.Second)
	tests := []struct{ now, want time.Duration }{
		{0, 0}, {1500 * time.Millisecond, 1500 * time.Millisecond}, {3 * time.Second, 2 * time.Second},
		{3500 * time.Millisecond, 2500 * time.Millisecond}, {100 * time.Second, 2 * time.Second},
	}
	for _, tt := range tests {
		if got := h.Span(tt.now); got != tt.want {
			t.Errorf("at %v the window covers %v, want %v", tt.now, got, tt.want)
		}
	}
}

func TestAnEarlierTimeCountsAsTheNewestSeen(t *testing.T) {
	h := NewHistogram(3, time.Second)
	h.Observe(10*time.Second, time.Millisecond)
	h.Observe(-5*time.Second, time.Millisecond)
	if got := h.Count(time.Second); got != 2 {
		t.Errorf("count %d, want 2", got)
	}
	if got := total(h.BucketsWithin(0, 0, nil)); got != 2 {
		t.Errorf("the newest slot holds %d, want 2", got)
	}
}

func TestTheEndOfTimeDoesNotOverflow(t *testing.T) {
	h := NewHistogram(3, time.Second)
	for range 3 {
		h.Observe(math.MaxInt64, time.Second)
	}
	if got := h.Count(math.MaxInt64); got != 3 {
		t.Errorf("count %d, want 3", got)
	}
	if got := total(h.BucketsWithin(math.MaxInt64, 0, nil)); got != 3 {
		t.Errorf("the newest slot holds %d, want 3", got)
	}
}

func TestARingWithoutSlotsOrWidthPanics(t *testing.T) {
	for name, build := range map[string]func(){
		"histogram": func() { NewHistogram(0, time.Second) },
		"counter":   func() { NewCounter(1, 0) },
		"level":     func() { NewLevel(-1, time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			build()
		})
	}
}
