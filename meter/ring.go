package meter

import (
	"fmt"
	"math"
	"time"
)

// latest bounds the times a ring understands, so that the end of a slot never overflows: 146 years.
const latest = time.Duration(1) << 62

// forever ends the last slot there is.
const forever = time.Duration(math.MaxInt64)

// ring knows which slot a moment falls into. Slot k covers [k*width, (k+1)*width) and lives at position k modulo n.
type ring struct {
	width time.Duration
	n     int
	head  int64         // number of the newest slot
	end   time.Duration // where the newest slot ends
}

func newRing(slots int, width time.Duration) ring {
	if slots < 1 || width <= 0 || width > latest/2 {
		panic(fmt.Sprintf("meter: %d slots of %v: there must be at least one slot, longer than 0 s", slots, width))
	}
	return ring{width: width, n: slots, end: width}
}

// behind tells whether slots must be dropped before the ring can take something that happens now.
func (r *ring) behind(now time.Duration) bool { return now >= r.end && r.end != forever }

// step moves to the next slot and returns its position, to be cleared. After a gap longer than the ring it skips the slots
// that would be dropped again at once, so catching up never takes more than n steps.
func (r *ring) step(now time.Duration) int {
	r.head = max(r.head+1, int64(min(now, latest)/r.width)-int64(r.n)+1)
	r.end = time.Duration(r.head+1) * r.width
	if r.end > latest {
		r.end = forever
	}
	return r.at(r.head)
}

// at returns the position of slot k.
func (r *ring) at(k int64) int { return int(k % int64(r.n)) }

// first returns the number of the oldest slot of a window that ends now; the newest is head. The ring must have caught up with now.
func (r *ring) first(now, window time.Duration) int64 {
	now = max(min(now, latest), time.Duration(r.head)*r.width)
	begin := (now - max(window, 0) + r.width/2) / r.width
	return min(max(int64(begin), r.oldest()), r.head)
}

// oldest returns the number of the oldest slot the ring still holds.
func (r *ring) oldest() int64 { return max(r.head-int64(r.n)+1, 0) }
