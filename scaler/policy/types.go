// Package policy decides how many workers a pool should have, and says why. It is pure: no clock, no I/O, no randomness, no
// goroutine, no memory between calls but the State the caller hands back. Same input, same output.
//
// It predicts who will miss the target because of waiting, and starts only what can still change that. Decide tells the order of things; each rule
// has a file of its own, which names its formula by the number it has in the findings.
package policy

import "time"

// Config is what the operator asked of one pool.
type Config struct {
	Target      time.Duration // T: a request slower than this missed
	Percentile  float64       // the share, in percent, that shall not miss: 95
	Min, Max    int           // workers we start; Max counts the spare too
	Spare       int           // workers kept ready beyond what the load needs
	SpareMax    int           // what Spare may grow to; equal to Spare: never
	Concurrency int           // tasks one worker takes at a time, at least 1
	Parallel    int           // starts the driver runs at a time, at least 1
}

// Group is N things of about the same age: queued requests, tasks in service.
type Group struct {
	Age time.Duration
	N   int
}

// Bucket is N completions whose service time was in (Lower, Upper].
type Bucket struct {
	Lower, Upper time.Duration
	N            int
}

// Window is what arrived in the last Width.
type Window struct {
	Width        time.Duration
	Arrivals     int
	BatchSquares int // sum over batches of (batch size)^2; arrivals within 2 ms, less where they are frequent, are one batch
}

// Latency counts the completions of the last 10 s.
type Latency struct {
	N        int // answered without error
	Over     int // of N, slower than the target
	Missed   int // of Over, those whose service alone was within the target: waiting made them miss
	Failed   int // ended in a worker's failure
	Requests int // N + Failed
}

// Snapshot is everything measured about one pool at one moment. All durations are monotonic.
type Snapshot struct {
	Now time.Duration // since the process started

	Active int             // workers of ours in rotation
	Spare  int             // workers of ours that are ready and out of rotation
	Begun  []time.Duration // for each start in flight, the time since it began
	Asked  int             // starts asked for and not begun
	Idle   int             // of Active, those with nothing to do
	Others int             // task slots of registered workers and fixed members, which we neither start nor stop
	// Withheld counts slots of ready workers that take no task yet, because the worker is fresh or was limited. Each is treated like one whose
	// task has just begun: that is about when it opens.
	Withheld int

	Busy      int     // tasks in service
	Queue     int     // requests waiting
	Queued    []Group // their ages, oldest first, at most 32 groups
	InService []Group // ages of the tasks in service, oldest first, at most 32 groups
	Standing  int     // the least of Busy+Queue over the last 0.5 s; for reference policies

	Windows  []Window      // 0.25, 0.5, 1, 2, 4, 8 s
	Slow     Window        // 30 s, or as long as the process has run
	MeanBusy float64       // mean of Busy over Slow.Width
	BusyTime time.Duration // integral of Busy over the service window, unfinished tasks included; for reference policies
	Service  []Bucket      // service times of the answers of the last 60 s (the service window)
	Recent   []Bucket      // the same over the last 5 s
	Latency  Latency

	StartTime      time.Duration // p90 of the last 10 starts; 0: none measured yet
	StartFails     int           // starts failed in a row
	SinceStartFail time.Duration // since the last of them
	HostCPU        float64       // 0 to 1, mean of 2 s; -1: unknown
}

// State is what Decide must remember. The zero State is a pool that has just begun.
type State struct {
	mem memory
}

// Decision is what shall be, and why.
type Decision struct {
	Active   int // workers in rotation, held high for a while after a peak
	Spare    int // ready workers beyond them
	Pipeline int // starts that should be in flight or asked for now; asked-for ones beyond it are dropped
	Remove   int // idle workers that may go now

	// Wait is the longest a request should wait for a worker now; 0: as configured. It is short while the pool cannot grow and
	// everybody in its queue waits for longer than the target: who waits on is late anyhow and makes those behind late too.
	Wait time.Duration

	Need    int           // workers the load needs now, without the spare, after bounds
	Term    string        // which rule won: idle, usual, reserve, next, min
	Clamp   string        // what limited it: max, held, start-backoff, host-saturated, failing, slow-service; empty: nothing
	Reason  string        // one sentence for a person. Decide leaves it empty, because it costs more than the decision; Sentence makes it
	Load    float64       // offered load in erlang
	Mean    time.Duration // mean service time used
	Misses  [3]float64    // predicted share that misses by waiting with Need-1, Need, Need+1 workers; -1: not known
	Backoff time.Duration // until the next start is allowed; 0: now

	work working
}
