package policy

import "time"

const (
	cpuHold   = 0.9              // share of the host's CPU from which on more workers are taken to make no more work done
	slowedBy  = 1.25             // times the calm service time that shows the CPU to be what this pool lacks
	calmAfter = 60 * time.Second // of CPU to spare until the service window holds no slow answer any more
)

// What limited a decision, as Decision.Clamp names it.
const (
	clampMax     = "max"
	clampHost    = "host-saturated"
	clampBackoff = "start-backoff"
	clampFailing = "failing"
	clampSlow    = "slow-service"
	clampHeld    = "held"
)

// bound turns what the rules ask for into what the pool may have now (formula 8): the host's CPU first, then min and max. It returns the bound
// that took something away, and puts the term to min when that is what won.
func (v *view) bound(w *working, d *Decision) (need int, clamp string) {
	need = max(w.usual+w.reserve, w.next)
	if limit, limited := v.hostLimit(w); limited && need > limit {
		need, clamp = limit, clampHost
	}
	if need+v.cfg.Spare > v.cfg.Max {
		clamp = clampMax
	}
	if need < v.cfg.Min {
		need, clamp, d.Term = v.cfg.Min, "", termMin
	}
	return min(need, v.cfg.Max), clamp
}

// hostLimit: while the host has no CPU to spare, and service has become slower, more workers only take it from each other. Measured
// service time, tasks in service and the queue all grow from that and would drive the pool to its max. So it may not grow beyond what it has,
// or what the load needs at the service time of calm days. A pool whose service is as quick as ever is not limited.
func (v *view) hostLimit(w *working) (limit int, limited bool) {
	if !v.hostSaturated() || !v.slowed {
		return 0, false
	}
	return max(v.ready()+v.starting()-v.cfg.Spare, w.usual), true
}

// hostSaturated: the host's CPU is used up, by whomever. False when it is not known.
func (v *view) hostSaturated() bool { return v.in.HostCPU >= cpuHold }

// hostCalm: it has not been for so long that no answer in the service window is slow because of it.
func (v *view) hostCalm() bool { return v.now-v.mem.saturated >= calmAfter }

// clamp picks the limit worth telling: one that keeps workers from being had before one that keeps them from being removed.
func (v *view) clamp(bound string, d *Decision) string {
	switch {
	case bound != "":
		return bound
	case d.work.wanted > d.Pipeline:
		return clampBackoff
	case v.failing():
		return clampFailing
	case v.in.Latency.N >= enough && slowAlone(v.in.Latency) > v.budget:
		return clampSlow
	case d.Active > d.Need:
		return clampHeld
	}
	return ""
}
