package policy

import "time"

// view is one snapshot seen through one configuration: the figures of Snapshot made safe, what is computed from them, and the memory to update.
type view struct {
	cfg    Config
	in     Snapshot
	mem    memory
	now    time.Duration
	target float64 // T in seconds
	budget float64 // the share that may miss: 0.05 when 95 percent shall not

	groups   [2][maxGroups + 1]group // who waits, and the tasks in service
	nGroups  [2]int
	answers  int     // of the last 60 s
	long     law     // of the last 60 s
	short    law     // of the last 5 s
	slower   bool    // the short one is slower
	scale    float64 // what service times are taken by: less than 1 when they are those of a host without CPU
	slowed   bool    // the host is out of CPU now, and service is slow because of it, as far as one can tell
	forecast forecast
	ahead    outlook // the one that asked for the most

	aheadShort bool // that one was played with the short law
}

// group is an amount of things of one age in seconds.
type group struct{ age, n float64 }

// memory is State, see there. Every field is a value, so that a State copied is a State of its own.
type memory struct {
	seen bool // there was a decision before

	good      float64       // S in seconds when it last rested on enough answers; 0: never
	calm      float64       // S in seconds when the host last had CPU to spare; 0: never
	saturated time.Duration // when it last had none

	next int // the last answer of the look-ahead

	reserve      int           // workers kept beyond the usual ones
	reserved     time.Duration // when one was last added
	calmSince    time.Duration // since when misses are under half the budget, or the last worker was taken back
	breached     time.Duration // the last breach
	everBreached bool
	keep         time.Duration // of calm until one is taken back

	queued      bool          // requests wait, but for moments
	queuedSince time.Duration // since when
	queueSeen   time.Duration // when any was last seen
	late        bool          // who is next in the queue has waited for too long
	lateSince   time.Duration // since when
	short       bool          // the wait is cut short because of that

	needs      peak // the need over the hold window
	shortfalls peak // what more spares would have saved, over the spare's memory
	removed    time.Duration
}

// What keeps absurd figures from making absurd loops or overflowing. There are not more workers than ports.
const (
	maxCount   = 1 << 20
	maxWorkers = 1 << 16
	maxSlots   = 1 << 10 // of one worker

	maxParallel = 16 // starts at a time
)

// open reads what makes no sense as if it were unknown, and takes the first snapshot of a pool into memory.
func (v *view) open(cfg Config, in Snapshot, mem memory) {
	v.cfg = sensible(cfg)
	in = readable(in)
	v.in, v.mem, v.now, v.target, v.budget = in, mem, in.Now, v.cfg.Target.Seconds(), 1-v.cfg.Percentile/100
	if !mem.seen {
		v.begin()
	}
	if v.hostSaturated() {
		v.mem.saturated = v.now
	}
	v.gather(0, in.Queued, in.Queue)
	v.gather(1, in.InService, in.Busy)
	for _, b := range in.Service {
		v.answers = count(v.answers + count(b.N))
	}
}

// gather reads groups that should add up to all; what they lack is taken to have come just now.
func (v *view) gather(kind int, in []Group, all int) {
	for _, g := range in[:min(len(in), maxGroups)] {
		n := min(count(g.N), all)
		if n == 0 {
			continue
		}
		all -= n
		v.groups[kind][v.nGroups[kind]] = group{max(0, g.Age).Seconds(), float64(n)}
		v.nGroups[kind]++
	}
	if all > 0 {
		v.groups[kind][v.nGroups[kind]] = group{0, float64(all)}
		v.nGroups[kind]++
	}
}

// queue is who waits, oldest first.
func (v *view) queue() []group { return v.groups[0][:v.nGroups[0]] }

// tasks are those in service, oldest first.
func (v *view) tasks() []group { return v.groups[1][:v.nGroups[1]] }

// begin makes a memory for a pool not seen before. Workers that are already there, adopted ones, count as a need just passed: nothing is
// removed before the hold window has shown what the load is.
func (v *view) begin() {
	v.mem.seen = true
	v.mem.reserved, v.mem.removed, v.mem.keep = v.now-reserveEvery, v.now-removeEvery, keepFirst
	v.mem.calmSince, v.mem.saturated = v.now, v.now-calmAfter
	v.mem.needs.note(v.now, holdSlot, v.ready()+len(v.in.Begun)-v.cfg.Spare)
}

// ready is workers of ours that can take a task now.
func (v *view) ready() int { return v.in.Active + v.in.Spare }

// readySlots is tasks that can be in service at a time now, wherever.
func (v *view) readySlots() int { return v.ready()*v.cfg.Concurrency + v.in.Others }

// starting is starts in flight and asked for.
func (v *view) starting() int { return len(v.in.Begun) + v.in.Asked }

// startTime is D in seconds.
func (v *view) startTime() float64 {
	if v.in.StartTime == 0 {
		return unmeasuredStart.Seconds()
	}
	return v.in.StartTime.Seconds()
}

// workersFor is how many workers of ours it takes to have so many slots, beside those of others.
func (v *view) workersFor(slots int) int {
	return max(0, (slots-v.in.Others+v.cfg.Concurrency-1)/v.cfg.Concurrency)
}

// unmeasuredStart is what a start is taken to last before any was measured.
const unmeasuredStart = 800 * time.Millisecond

func sensible(c Config) Config {
	c.Target = max(c.Target, time.Millisecond)
	if !(c.Percentile > 0 && c.Percentile < 100) {
		c.Percentile = 95
	}
	c.Max = min(count(c.Max), maxWorkers)
	c.Min = min(count(c.Min), c.Max)
	c.Spare = count(c.Spare)
	c.SpareMax = max(count(c.SpareMax), c.Spare)
	c.Concurrency = min(max(c.Concurrency, 1), maxSlots)
	c.Parallel = min(max(c.Parallel, 1), maxParallel)
	return c
}

func readable(in Snapshot) Snapshot {
	in.Now = max(in.Now, 0)
	for _, n := range []*int{
		&in.Active, &in.Spare, &in.Asked, &in.Idle, &in.Others, &in.Withheld, &in.Busy, &in.Queue, &in.Standing, &in.StartFails,
		&in.Slow.Arrivals, &in.Latency.N, &in.Latency.Over, &in.Latency.Missed, &in.Latency.Failed, &in.Latency.Requests,
	} {
		*n = count(*n)
	}
	for _, d := range []*time.Duration{&in.Slow.Width, &in.BusyTime, &in.StartTime, &in.SinceStartFail} {
		*d = max(*d, 0)
	}
	if !(in.MeanBusy >= 0 && in.MeanBusy <= maxCount) {
		in.MeanBusy = 0
	}
	if in.HostCPU = min(in.HostCPU, 1); !(in.HostCPU >= 0) {
		in.HostCPU = -1
	}
	return in
}

func count(n int) int { return min(max(n, 0), maxCount) }
