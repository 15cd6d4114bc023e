package fleet

import (
	"fmt"
	"time"
)

// State is where a worker is in its life. It only moves forward, but for spare and active, which are labels that cost nothing to change:
//
//	starting ──► spare ◄──► active ──► draining ──► gone
//	    │          │           │           │          ▲
//	    └──────────┴───────────┴───────────┴► failed ─┘
type State uint8

const (
	Starting State = iota // asked of the driver, has not answered yet
	Spare                 // ready, out of rotation
	Active                // ready, in rotation
	Draining              // finishes what it has, gets nothing new
	Failed                // broke; to be removed
	Gone                  // removed
)

func (s State) String() string {
	return [...]string{"starting", "spare", "active", "draining", "failed", "gone"}[s]
}

// lives tells whether the worker serves or is going to.
func (s State) lives() bool { return s == Starting || s == Spare || s == Active }

// canBecome is the table of legal moves; everything else is refused.
func (s State) canBecome(next State) bool {
	switch s {
	case Starting:
		return next == Spare || next == Active || next == Draining || next == Failed || next == Gone
	case Spare:
		return next == Active || next == Draining || next == Failed || next == Gone
	case Active:
		return next == Spare || next == Draining || next == Failed || next == Gone
	case Draining:
		return next == Failed || next == Gone
	case Failed:
		return next == Gone
	default:
		return false
	}
}

// Origin is how a worker came to us.
type Origin string

const (
	Cold       Origin = "cold"       // we started it
	Adopted    Origin = "adopted"    // an earlier balancer of this instance started it
	Registered Origin = "registered" // it registered itself
	Member     Origin = "member"     // the configuration names it
)

// Ours tells whether workers of this origin are started and stopped by us.
func (o Origin) Ours() bool { return o == Cold || o == Adopted }

// Info is what never changes about a worker.
type Info struct {
	ID           string
	Pool         string   // home pool; for a registered worker it may be empty: the fleet then chooses
	Address      string   // base URL; may be empty while starting
	Generation   string   // fresh for every start: a reused port is a new identity
	Hash         string   // of the configuration that made it
	Port         int      // host port from our pool; 0 for workers that are not ours
	Capabilities []string // nil: those of its pool; for a registered worker: everything, until it says otherwise
	Concurrency  int      // tasks at a time; 0: as its pool says
	Origin       Origin
	Warm         bool // it has served before, elsewhere or earlier: it needs no ramp. Adopted workers have
}

// Worker is one container or process that can serve. Info may be read by anyone; the rest belongs to the fleet.
type Worker struct {
	// Touched by every request, kept together so that a claim costs one cache line. Guarded by Fleet.mu.
	inflight int32
	limit    int32  // tasks at a time, for now
	ticket   uint32 // of the worker's valid entry in its group's idle set
	queued   bool   // the entry exists
	lost     bool   // out of reach: nothing new for now
	state    State
	group    *group
	pool     *pool
	served   uint64
	last     time.Duration // when it last became idle
	pace     float64       // moving average of its service time in seconds, for pick: fastest
	spent    time.Duration // sum of its service times, for pick: least-busy

	Info

	// Guarded by Fleet.mu.
	began     time.Duration // when it was added
	readyAt   time.Duration // when it first became ready
	paused    time.Duration // no new task before this time: it said it was busy
	busies    int           // busy answers in a row
	row       int           // requests in a row that broke
	out       time.Duration // ejected until this time; 0: it is not
	back      time.Duration // when its last ejection ended
	ejections int           // so far, less those forgiven
	allowed   int32         // tasks at a time, as Limit said; else its concurrency
	ramp      int32         // tasks at a time, as its ramp lets it; its concurrency when that is over
	ramped    time.Duration // when its ramp began to run by time too; rampWaits: not yet
	idle      chan struct{} // closed when a draining worker has nothing left; nil until it drains
	settled   bool          // idle is closed
	reason    string        // why it failed or drains
	cause     Cause         // why it failed; empty: it has not
	phases    Phases
	sleep     slumber
	called    bool          // a spare that sleeps and is wanted in rotation
	woken     bool          // it is being put into rotation because it was called
	naps      uint32        // how often it was put to sleep
	spared    time.Duration // when it last became a spare, or woke as one
}

func (w *Worker) String() string { return fmt.Sprintf("%s/%s", w.Pool, w.ID) }

func (w *Worker) free(now time.Duration) bool {
	return w.state == Active && w.inflight < w.limit && w.paused <= now && w.out == 0 && !w.lost
}

// become moves the worker to its next state and keeps its pool's counts. A move that the table does not allow is a bug in this package.
func (w *Worker) become(next State) {
	if !w.state.canBecome(next) {
		panic(fmt.Sprintf("fleet: worker %s cannot become %s: it is %s", w, next, w.state))
	}
	w.pool.tally(w, -1)
	w.state = next
	w.pool.tally(w, +1)
}

// settle tells whoever drains the worker that nothing is left in flight, or that it is gone and waiting has no point.
func (w *Worker) settle(gone bool) {
	if w.idle != nil && !w.settled && (gone || w.inflight == 0) {
		w.settled = true
		close(w.idle)
	}
}

// observe folds one service time into what the pickers compare. The weight of 1/8 forgets a slow start within some twenty tasks.
func (w *Worker) observe(service time.Duration) {
	s := service.Seconds()
	if w.pace == 0 {
		w.pace = s
	} else {
		w.pace += (s - w.pace) / 8
	}
	w.spent += service
}
