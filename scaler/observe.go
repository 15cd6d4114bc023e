package scaler

import (
	"cmp"
	"slices"
	"time"

	"understudy/fleet"
	"understudy/meter"
	"understudy/scaler/policy"
)

// observe adds to what the fleet measured what only the scaler knows: starts in flight, how long starts take, which fail.
func (s *Scaler) observe(p *poolState, m fleet.Measured) policy.Snapshot {
	in := Observe(m)
	for _, o := range s.owned {
		if o.pool == p && o.starting {
			in.Begun = append(in.Begun, m.Now-o.began)
		}
	}
	slices.SortFunc(in.Begun, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	in.Asked = p.asked
	in.StartTime = percentile90(p.startTimes)
	in.StartFails = max(p.fails, p.crashes)
	in.SinceStartFail = m.Now - p.failedAt
	in.HostCPU = s.HostCPU()
	return in
}

// Observe turns what the fleet measured into what the policy reads.
func Observe(m fleet.Measured) policy.Snapshot {
	in := policy.Snapshot{
		Now:    m.Now,
		Active: m.Active - m.Ejected, Spare: m.Spare, Idle: m.Idle, Others: m.Others, Withheld: m.Withheld,
		Busy: m.Busy, Queue: m.Queue, Standing: m.Standing,
		Queued: groups(m.Queued), InService: groups(m.InService),
		Slow: policy.Window(m.Slow), MeanBusy: m.MeanBusy, BusyTime: m.BusyTime,
		Service: buckets(m.Service), Recent: buckets(m.Recent),
		Latency: policy.Latency(m.Latency),
		HostCPU: -1,
	}
	for _, w := range m.Windows {
		in.Windows = append(in.Windows, policy.Window(w))
	}
	return in
}

func groups(in []fleet.Group) []policy.Group {
	out := make([]policy.Group, len(in))
	for i, g := range in {
		out[i] = policy.Group(g)
	}
	return out
}

func buckets(in []meter.Bucket) []policy.Bucket {
	out := make([]policy.Bucket, len(in))
	for i, b := range in {
		out[i] = policy.Bucket(b)
	}
	return out
}

// percentile90 is 0 without samples.
func percentile90(samples []time.Duration) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[(len(sorted)*9+9)/10-1]
}
