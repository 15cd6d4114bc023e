// Package meter holds sliding windows: how long things took (Histogram), how many there were (Counter), how high a level
// stood (Level), and how arrivals clumped (Arrivals).
//
// Every meter is a ring of slots of equal width; what is old leaves by dropping whole slots, so nothing decays and nothing
// drifts. There is no clock and no I/O here: the caller passes the time, as the duration since a start that all its meters
// share. Time may stand still and may jump ahead; an earlier time than one already seen counts as the newest seen, and a
// negative one as zero.
//
// A window that does not begin on a slot's edge begins at the edge nearest to it: it is off by half a slot at most, and on
// average by nothing. It always holds the newest slot.
//
// Nothing in this package may be used by several goroutines at once, reading included, because reading drops stale slots.
// The owner's lock guards it.
package meter
