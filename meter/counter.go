package meter

import "time"

// Counter counts events over a sliding window. Not safe for concurrent use.
type Counter struct {
	ring
	slots []int64
}

// NewCounter makes a counter that remembers between slots-1 and slots widths. It panics when slots < 1 or width <= 0.
func NewCounter(slots int, width time.Duration) *Counter {
	return &Counter{ring: newRing(slots, width), slots: make([]int64, slots)}
}

// Add counts n events.
func (c *Counter) Add(now time.Duration, n int64) {
	if c.behind(now) {
		c.advance(now)
	}
	c.slots[c.at(c.head)] += n
}

// Sum returns how many events there were in the window that ends now. A window longer than the ring is cut to it.
func (c *Counter) Sum(now, window time.Duration) int64 {
	c.advance(now)
	var sum int64
	for k := c.first(now, window); k <= c.head; k++ {
		sum += c.slots[c.at(k)]
	}
	return sum
}

// advance drops the slots that have left the ring.
func (c *Counter) advance(now time.Duration) {
	for c.behind(now) {
		c.slots[c.step(now)] = 0
	}
}
