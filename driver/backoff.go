package driver

import "time"

// Backoff is how long to wait before the next try: Base, then twice as long each time, never longer than Max.
// The zero value waits for nothing; a Max below Base means Base every time. One goroutine at a time.
type Backoff struct {
	Base, Max time.Duration

	last time.Duration // what Next returned last; 0 after Reset
}

// Next returns the wait before the next try.
func (b *Backoff) Next() time.Duration {
	limit := max(b.Base, b.Max)
	switch {
	case b.last == 0:
		b.last = b.Base
	case b.last > limit/2: // doubling would pass the limit, or overflow
		b.last = limit
	default:
		b.last *= 2
	}
	return b.last
}

// Reset makes Next start again at Base. Call it after things have gone well for a while, not after one success between two failures.
func (b *Backoff) Reset() { b.last = 0 }
