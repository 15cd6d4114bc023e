package meter

import "time"

// Level follows a number that goes up and down, such as tasks in service, and knows its integral over time and its least value.
// What was before the first Set is not known and counts for nothing. Not safe for concurrent use.
type Level struct {
	ring
	slots []span
	total time.Duration // of all integrals so far. It may overflow: only differences of it are used
	level int           // held since then
	then  time.Duration // up to here the slots are filled
	since time.Duration // the first Set
	known bool          // there was a first Set
}

// span is what one slot holds of a level.
type span struct {
	integral time.Duration // level x time
	upTo     time.Duration // the total when the slot was full
	least    int           // meaningful only when held
	held     bool          // some level was held for some time
}

// NewLevel makes a level that remembers between slots-1 and slots widths. It panics when slots < 1 or width <= 0.
func NewLevel(slots int, width time.Duration) *Level {
	return &Level{ring: newRing(slots, width), slots: make([]span, slots)}
}

// Set changes the level from now on.
func (l *Level) Set(now time.Duration, level int) {
	if !l.known {
		l.begin(now)
	}
	l.advance(now)
	l.level = level
}

// Integral returns level x time over the window that ends now. A window longer than the ring, or than the time since the first
// Set, is cut to it. Where the window begins inside a slot, that slot counts in proportion.
func (l *Level) Integral(now, window time.Duration) time.Duration {
	if !l.known {
		return 0
	}
	now = l.advance(now)
	begin := l.begins(now, window)
	first := int64(begin / l.width)
	sum := l.share(first, begin)
	if first < l.head {
		sum += l.total - l.slots[l.at(first)].upTo
	}
	return sum
}

// Mean returns the mean level over the window that ends now, cut as Integral cuts it; the level itself when the window is empty.
func (l *Level) Mean(now, window time.Duration) float64 {
	if !l.known {
		return 0
	}
	now = l.advance(now)
	width := now - l.begins(now, window)
	if width <= 0 {
		return float64(l.level)
	}
	return float64(l.Integral(now, window)) / float64(width)
}

// Min returns the least level held at any moment of the window that ends now. A level that was left in the instant it was set was
// not held.
func (l *Level) Min(now, window time.Duration) int {
	now = l.advance(now)
	least := l.level
	for k := l.first(now, window); k <= l.head; k++ {
		if s := &l.slots[l.at(k)]; s.held {
			least = min(least, s.least)
		}
	}
	return least
}

// begin takes the first Set as the beginning of all that is known.
func (l *Level) begin(now time.Duration) {
	for l.behind(now) {
		l.step(now)
	}
	l.known = true
	l.then = max(now, 0)
	l.since = l.then
}

// begins returns where the window that ends now really begins.
func (l *Level) begins(now, window time.Duration) time.Duration {
	oldest := time.Duration(l.oldest()) * l.width
	return min(max(now-max(window, 0), oldest, l.since), now)
}

// share returns what slot k holds of the time after begin: all that is filled, in proportion.
func (l *Level) share(k int64, begin time.Duration) time.Duration {
	from := max(time.Duration(k)*l.width, l.since)
	to := min(time.Duration(k+1)*l.width, l.then)
	whole := l.slots[l.at(k)].integral
	if begin <= from || to <= from {
		return whole
	}
	return time.Duration(float64(whole) * float64(to-begin) / float64(to-from))
}

// advance fills the slots with the level held up to now, and returns now, or the newest time seen when that is later.
func (l *Level) advance(now time.Duration) time.Duration {
	if !l.known {
		return max(now, 0)
	}
	now = max(min(now, latest), l.then)
	for l.behind(now) {
		l.fill(l.end)
		l.slots[l.at(l.head)].upTo = l.total
		l.slots[l.step(now)] = span{}
		l.then = max(l.then, l.end-l.width)
	}
	l.fill(now)
	return now
}

// fill adds the level held from then to end, both in the newest slot.
func (l *Level) fill(end time.Duration) {
	held := end - l.then
	if held <= 0 {
		return
	}
	s := &l.slots[l.at(l.head)]
	area := time.Duration(l.level) * held
	s.integral += area
	l.total += area
	if !s.held || l.level < s.least {
		s.least = l.level
	}
	s.held = true
	l.then = end
}
