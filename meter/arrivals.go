package meter

import "time"

// Two rings, because short windows need fine slots and long ones need many.
const (
	fineWidth   = 10 * time.Millisecond
	fineSlots   = 810 // 8 s and a little
	coarseWidth = 250 * time.Millisecond
	coarseSlots = 1202 // 300 s and a little

	// An arrival this soon after the one before joins its batch; sooner where arrivals are so frequent that chance alone would bring
	// them this close: batchShare of their mean distance over rateWindow.
	batchGap   = 2 * time.Millisecond
	batchShare = 0.02
	rateWindow = 30 * time.Second
)

// Arrivals counts arrivals, and how they clump: ten at once are one event, not a rate. Not safe for concurrent use.
type Arrivals struct {
	fine, coarse tallies
	last         time.Duration // the last arrival
	gap          time.Duration // the longest distance that joins a batch
	batch        int64         // size so far of the batch the last arrival belongs to
}

// NewArrivals makes a meter that remembers 300 s. Memory: 32 KB.
func NewArrivals() *Arrivals {
	return &Arrivals{
		fine:   newTallies(fineSlots, fineWidth),
		coarse: newTallies(coarseSlots, coarseWidth),
		gap:    batchGap,
	}
}

// Add counts one arrival. It joins the batch of the one before when it is no more than 2 ms after it, or, above 10 arrivals a second,
// no more than a fiftieth of the mean distance of the last 30 s.
func (a *Arrivals) Add(now time.Duration) {
	if a.coarse.behind(now) {
		a.coarse.advance(now)
		a.gap = a.longestGap(now)
	}
	a.fine.advance(now)
	if a.batch > 0 && now-a.last > a.gap {
		a.batch = 0
	}
	grown := 2*a.batch + 1 // (b+1)^2 - b^2
	a.batch++
	a.last = max(now, a.last)
	a.fine.add(grown)
	a.coarse.add(grown)
}

// Window returns the arrivals of the window w that ends now, and the sum of the squares of their batches' sizes. w is 0.25 s to 300 s;
// up to 8 s it is right to 5 ms, beyond to 125 ms. Of a batch that began before the window only what the window's arrivals added counts.
func (a *Arrivals) Window(now, w time.Duration) (arrivals, batchSquares int) {
	t := &a.coarse
	if w <= 8*time.Second {
		t = &a.fine
	}
	t.advance(now)
	sum := t.sum(now, w)
	return int(sum.arrivals), int(sum.squares)
}

// longestGap returns how far apart two arrivals of one batch may be.
func (a *Arrivals) longestGap(now time.Duration) time.Duration {
	n := a.coarse.sum(now, rateWindow).arrivals
	if n == 0 {
		return batchGap
	}
	return min(batchGap, time.Duration(batchShare*float64(rateWindow)/float64(n)))
}

// tallies is a ring of arrivals and what they added to the squares. Each slot holds what there was in all up to its end, so that the sum of a
// window is one difference however long the window is: a policy asks for seven of them four times a second.
type tallies struct {
	ring
	slots  []tally
	before tally // what there was in all before the oldest slot
}

type tally struct{ arrivals, squares int64 }

func newTallies(slots int, width time.Duration) tallies {
	return tallies{ring: newRing(slots, width), slots: make([]tally, slots)}
}

func (t *tallies) advance(now time.Duration) {
	if !t.behind(now) {
		return
	}
	all := t.slots[t.at(t.head)]
	for t.behind(now) {
		last := t.head
		at := t.step(now)
		switch {
		case t.head > last+1: // slots were skipped: nothing that the ring held will stay in it
			t.forget(all)
		case t.head >= int64(t.n):
			t.before = t.slots[at]
		}
		t.slots[at] = all
	}
}

// forget makes all that there was lie before the oldest slot.
func (t *tallies) forget(all tally) {
	t.before = all
	for i := range t.slots {
		t.slots[i] = all
	}
}

func (t *tallies) add(squares int64) {
	s := &t.slots[t.at(t.head)]
	s.arrivals++
	s.squares += squares
}

func (t *tallies) sum(now, window time.Duration) tally {
	all, before := t.slots[t.at(t.head)], t.before
	if first := t.first(now, window); first > t.oldest() {
		before = t.slots[t.at(first-1)]
	}
	return tally{all.arrivals - before.arrivals, all.squares - before.squares}
}
