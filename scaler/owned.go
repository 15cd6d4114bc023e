package scaler

import (
	"time"

	"understudy/driver"
	"understudy/fleet"
)

// owned is a worker the driver runs for us. Only the loop changes it.
type owned struct {
	worker   *fleet.Worker
	pool     *poolState
	id       driver.ID // empty until the driver has started it
	port     int       // 0: not booked
	starting bool
	began    time.Duration // of its start, on the fleet's clock
	readyAt  time.Duration // when it became ready; 0: not yet
	retiring bool
	making
	rumour
	decease
	sleep
}

// making is how a worker was made, and for what.
type making struct {
	image    string // id of the content it runs; empty: not known
	serial   int    // of the recipe it was made from; 0 where that was another balancer's
	extra    bool   // started beyond what was needed, to replace another
	replaced bool   // it retires because another has taken its place
}

// rumour is what is said of a worker and not known.
type rumour struct {
	doubted  bool          // it is said to have ended, and gets nothing until that is known
	believed bool          // and it counts as gone until then
	saidAt   time.Duration // when that was said
	hinted   bool          // it was said to have ended, whatever was known of it already
	hintedAt time.Duration // when that was said last
	cleared  bool          // it counted as gone and was found to run
}

// decease is what is known of the end of a worker that was not asked to end.
type decease struct {
	exit      *driver.ExitError // how it ended, when that was seen
	buried    bool              // it broke, and what is left of it is being looked at
	blamed    bool              // it broke too soon, and that is booked
	blameless bool              // it was given up for what says nothing about how workers of its pool start
}

// sleep is about freezing and waking a spare.
type sleep struct {
	calling <-chan struct{} // closed when the last call that froze or woke it is over; nil: there was none
	called  time.Duration   // when that was over; far away while it is under way
}
