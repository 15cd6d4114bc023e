package meter

import (
	"math/bits"
	"time"
)

// Durations are counted in log-linear buckets: each octave of nanoseconds is cut into 16 equal parts, and below 32 ns every
// nanosecond has its own. A bucket is at most a sixteenth of its lower bound wide, so its middle is within 1/32 of all in it.
const (
	partBits = 4
	parts    = 1 << partBits
	topBits  = 46 // 2^46 ns = 19.5 h; what is longer counts as that
	buckets  = (topBits-partBits)*parts + parts
)

// Bucket is N observations in (Lower, Upper].
type Bucket struct {
	Lower, Upper time.Duration
	N            int
}

// indexOf returns the bucket v belongs to. Buckets include their upper bound, hence the 1 taken off.
func indexOf(v time.Duration) int {
	if v < 1 {
		return 0
	}
	u := uint64(v - 1)
	if u < parts {
		return int(u)
	}
	if u >= 1<<topBits {
		return buckets - 1
	}
	octave := bits.Len64(u) - partBits - 1
	return octave*parts + int(u>>octave)
}

// boundsOf returns the lower (exclusive) and upper (inclusive) bound of bucket i.
func boundsOf(i int) (lower, upper time.Duration) {
	if i < parts {
		return time.Duration(i), time.Duration(i) + 1
	}
	octave := i/parts - 1
	lower = time.Duration(i-octave*parts) << octave
	return lower, lower + 1<<octave
}

// middleOf returns the duration that stands for all in bucket i.
func middleOf(i int) time.Duration {
	lower, upper := boundsOf(i)
	return lower + (upper-lower+1)/2
}
