package docker

import "time"

// limits bound every call to the engine: one that hangs must not take the balancer with it.
type limits struct {
	dial    time.Duration // connecting in New, all of it
	inspect time.Duration // one container, image or network; also the head of a log
	list    time.Duration
	signal  time.Duration
	create  time.Duration // a container or a network; long, for a create in flight is never cancelled
	start   time.Duration
	wired   time.Duration // until a started container shows its port
	remove  time.Duration // all tries together
	hunt    time.Duration // how long a create of unknown outcome may still bring forth a container
	build   time.Duration
	pull    time.Duration
	watch   time.Duration // one subscription to events; then a new one, since streams can fall silent
	close   time.Duration

	changes int // creates, starts, signals and removals in flight
	reads   int // lists and inspects in flight
}

// defaultLimits: at most four calls in flight, one of them reserved for looking, so that a list is never kept waiting by starts.
func defaultLimits() *limits {
	return &limits{
		dial:    5 * time.Second,
		inspect: 5 * time.Second,
		list:    10 * time.Second,
		signal:  10 * time.Second,
		create:  60 * time.Second,
		start:   60 * time.Second,
		wired:   2 * time.Second,
		remove:  30 * time.Second,
		hunt:    60 * time.Second,
		build:   2 * time.Minute,
		pull:    15 * time.Minute,
		watch:   10 * time.Minute,
		close:   10 * time.Second,
		changes: 3,
		reads:   1,
	}
}
