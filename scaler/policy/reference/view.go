package reference

import (
	"math"
	"time"

	"understudy/scaler/policy"
)

// view is one snapshot seen through one configuration: the figures of Snapshot made safe, and the memory to update.
type view struct {
	cfg    policy.Config
	in     *policy.Snapshot
	mem    *memory
	now    time.Duration
	target float64 // T in seconds
	budget float64 // the share that may miss: 0.05 when 95 percent shall not
}

// memory is what Erlang remembers.
type memory struct {
	seen bool // there was a decision before

	good      float64       // S in seconds when it last rested on enough answers; 0: never
	calm      float64       // S in seconds when the host last had CPU to spare; 0: never
	saturated time.Duration // when it last had none

	boost     int           // workers that feedback adds
	boosted   time.Duration // when it last added one
	calmSince time.Duration // since when misses are under half the budget, or the last worker was taken back

	needs      peak // the need over the hold window
	shortfalls peak // what more spares would have saved, over the spare's memory
	removed    time.Duration
}

// What keeps absurd figures from making absurd loops or overflowing. There are not more workers than ports.
const (
	maxCount   = 1 << 20
	maxWorkers = 1 << 16
	maxSlots   = 1 << 10 // of one worker
)

// newView reads what makes no sense as if it were unknown, and takes the first snapshot of a pool into memory.
func newView(cfg policy.Config, in *policy.Snapshot, mem *memory) view {
	cfg = sensible(cfg)
	*in = readable(*in)
	v := view{cfg: cfg, in: in, mem: mem, now: in.Now, target: cfg.Target.Seconds(), budget: 1 - cfg.Percentile/100}
	if !mem.seen {
		v.begin()
	}
	if v.hostSaturated() {
		mem.saturated = v.now
	}
	return v
}

// begin makes a memory for a pool not seen before. Workers that are already there, adopted ones, count as a need just passed: nothing is
// removed before the hold window has shown what the load is.
func (v *view) begin() {
	v.mem.seen = true
	v.mem.boosted, v.mem.removed = v.now-boostEvery, v.now-removeEvery
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

// limit is the most slots worth thinking about.
func (v *view) limit() int { return v.cfg.Max*v.cfg.Concurrency + v.in.Others + 1 }

// unmeasuredStart is what a start is taken to last before any was measured.
const unmeasuredStart = 800 * time.Millisecond

func sensible(c policy.Config) policy.Config {
	c.Target = max(c.Target, time.Millisecond)
	if !(c.Percentile > 0 && c.Percentile < 100) {
		c.Percentile = 95
	}
	c.Max = min(count(c.Max), maxWorkers)
	c.Min = min(count(c.Min), c.Max)
	c.Spare = count(c.Spare)
	c.SpareMax = max(count(c.SpareMax), c.Spare)
	c.Concurrency = min(max(c.Concurrency, 1), maxSlots)
	return c
}

func readable(in policy.Snapshot) policy.Snapshot {
	in.Now = max(in.Now, 0)
	for _, n := range []*int{
		&in.Active, &in.Spare, &in.Asked, &in.Idle, &in.Others, &in.Busy, &in.Queue, &in.Standing, &in.StartFails,
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

// ceil is math.Ceil as a count, and never beyond what is worth thinking about. A hair is taken off, because sums of shares of a
// second are seldom exact.
func ceil(x float64) int { return int(math.Ceil(min(max(x-1e-9, 0), maxCount))) }
