package meter

import (
	"math"
	"time"
)

// Histogram counts durations from 1 ns to 19.5 h over a sliding window, each within 1/32 (3.1 %) of its true value.
// Durations below 1 ns count as 1 ns, longer ones as the longest. Memory: 2.75 KB per slot. Not safe for concurrent use.
type Histogram struct {
	ring
	slots []slot
	total slot // the sum of all slots, kept so that a quantile reads one slot and not all
}

type slot struct {
	counts    [buckets]uint32
	n         int
	low, high int // all that is not 0 lies in between: service times fill some 80 of the 688 counts
}

// of returns the counts that may be more than 0.
func (s *slot) of() []uint32 {
	if s.n == 0 {
		return nil
	}
	return s.counts[s.low : s.high+1]
}

// reach widens what lies in between to hold another stretch. It comes before n grows.
func (s *slot) reach(low, high int) {
	if s.n == 0 {
		s.low, s.high = low, high
		return
	}
	s.low, s.high = min(s.low, low), max(s.high, high)
}

// NewHistogram makes a histogram whose window is the newest slot, which is still filling, and the slots-1 before it: it covers
// between slots-1 and slots widths. It panics when slots < 1 or width <= 0.
func NewHistogram(slots int, width time.Duration) *Histogram {
	return &Histogram{ring: newRing(slots, width), slots: make([]slot, slots)}
}

// Observe counts one duration.
func (h *Histogram) Observe(now, v time.Duration) {
	if h.behind(now) {
		h.advance(now)
	}
	i := indexOf(v)
	h.slots[h.at(h.head)].count(i)
	h.total.count(i)
}

// Count returns how many observations the window holds.
func (h *Histogram) Count(now time.Duration) int {
	h.advance(now)
	return h.total.n
}

// Span returns how much time the window covers at this moment. Whoever divides something else, such as busy time, by Count must
// measure it over the same span.
func (h *Histogram) Span(now time.Duration) time.Duration {
	h.advance(now)
	return max(now, h.end-h.width) - time.Duration(h.oldest())*h.width
}

// Quantile returns the duration that the share q (0 to 1) of the window's observations does not exceed, within 1/32, and how many
// observations that rests on. Without any it returns 0, 0.
func (h *Histogram) Quantile(now time.Duration, q float64) (v time.Duration, n int) {
	h.advance(now)
	n = h.total.n
	if n == 0 {
		return 0, 0
	}
	rank := rankOf(q, n)
	for i, c := range h.total.of() {
		if rank -= int(c); rank <= 0 {
			return middleOf(h.total.low + i), n
		}
	}
	return middleOf(buckets - 1), n
}

// rankOf returns which of n ordered observations, the first being 1, is the quantile q: the nearest-rank definition. A hair is
// taken off first, because 0.95*100 is a little more than 95 in binary.
func rankOf(q float64, n int) int {
	if !(q > 0) {
		return 1
	}
	return min(max(int(math.Ceil(min(q, 1)*float64(n)-1e-9)), 1), n)
}

// Buckets appends the window's buckets that are not empty to dst, in ascending order. It allocates only when dst is too small.
func (h *Histogram) Buckets(now time.Duration, dst []Bucket) []Bucket {
	h.advance(now)
	return h.total.appendTo(dst)
}

// BucketsWithin is Buckets for a shorter window that ends now.
func (h *Histogram) BucketsWithin(now, window time.Duration, dst []Bucket) []Bucket {
	h.advance(now)
	first := h.first(now, window)
	if first == h.oldest() {
		return h.total.appendTo(dst)
	}
	var sum slot
	for k := first; k <= h.head; k++ {
		sum.add(&h.slots[h.at(k)])
	}
	return sum.appendTo(dst)
}

// advance drops the slots that have left the window.
func (h *Histogram) advance(now time.Duration) {
	for h.behind(now) {
		old := &h.slots[h.step(now)]
		if old.n == 0 {
			continue
		}
		h.total.subtract(old)
		clear(old.of())
		old.n = 0
	}
}

func (s *slot) count(i int) {
	s.reach(i, i)
	s.counts[i]++
	s.n++
}

func (s *slot) add(other *slot) {
	if other.n == 0 {
		return
	}
	s.reach(other.low, other.high)
	mine := s.counts[other.low:]
	for i, c := range other.of() {
		mine[i] += c
	}
	s.n += other.n
}

func (s *slot) subtract(other *slot) {
	mine := s.counts[other.low:]
	for i, c := range other.of() {
		mine[i] -= c
	}
	s.n -= other.n
}

func (s *slot) appendTo(dst []Bucket) []Bucket {
	left := s.n
	for i, c := range s.of() {
		if left == 0 {
			break
		}
		if c == 0 {
			continue
		}
		lower, upper := boundsOf(s.low + i)
		dst = append(dst, Bucket{Lower: lower, Upper: upper, N: int(c)})
		left -= int(c)
	}
	return dst
}
