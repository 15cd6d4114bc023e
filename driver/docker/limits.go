package docker

import "time"

// limits bound every call to the engine: one that hangs must not take the balancer with it.
type limits struct {
	dial    time.Duration // connecting in New, all of it
	inspect time.Duration // one container, image or network; also the head of a log
	list    time.Duration
	signal  time.Duration
	pause   time.Duration
	resume  time.Duration // a request waits for it
	create  time.Duration // a container or a network; long, for a create in flight is never cancelled
	start   time.Duration
	wired   time.Duration // until a started container shows its port
	remove  time.Duration // all tries together
	hunt    time.Duration // how long a create of unknown outcome may still bring forth a container
	build   time.Duration
	pull    time.Duration // all of it
	stall   time.Duration // how long nothing may be heard of a pull
	again   time.Duration // between the first two tries of a pull whose registry is away
	say     time.Duration // between two lines in the log about one pull
	helper  time.Duration // the docker CLI's credential helper, which may wait for a person
	parked  time.Duration // how long a container whose inspect hung is not inspected
	watch   time.Duration // one subscription to events; then a new one, since streams can fall silent
	steady  time.Duration // a subscription that lasted as long has worked
	close   time.Duration

	changes int // creates, starts, signals and removals in flight
	reads   int // lists and inspects in flight
	wakes   int // frozen workers that are being woken
}

// defaultLimits: at most four calls in flight, one of them reserved for looking, so that a list is never kept waiting by starts.
// Waking frozen workers comes on top, for requests wait for it; it is short.
func defaultLimits() *limits {
	return &limits{
		dial:    5 * time.Second,
		inspect: 5 * time.Second,
		list:    10 * time.Second,
		signal:  10 * time.Second,
		pause:   10 * time.Second,
		resume:  5 * time.Second,
		create:  60 * time.Second,
		start:   60 * time.Second,
		wired:   2 * time.Second,
		remove:  30 * time.Second,
		hunt:    60 * time.Second,
		build:   2 * time.Minute,
		pull:    time.Hour,
		stall:   2 * time.Minute,
		again:   time.Second,
		say:     5 * time.Second,
		helper:  30 * time.Second,
		parked:  10 * time.Second,
		watch:   time.Minute,
		steady:  30 * time.Second,
		close:   10 * time.Second,
		changes: 3,
		reads:   1,
		wakes:   4,
	}
}
