package policy_test

import (
	"slices"
	"time"

	"understudy/meter"
	"understudy/scaler/policy"
)

// tick measures, decides and does what was decided, and so again.
func (s *sim) tick() {
	d := s.decide()
	s.out.decisions = append(s.out.decisions, d)
	for s.active() < d.Active && len(s.spares) > 0 {
		s.idle = append(s.idle, pop(&s.spares))
	}
	for s.active() > d.Active && len(s.spares) < d.Spare && len(s.idle) > 0 {
		s.spares = append(s.spares, pop(&s.idle))
	}
	s.wait = d.Wait
	s.asked = max(0, d.Pipeline-len(s.begun))
	s.begin()
	for range d.Remove {
		s.remove(d.Spare)
	}
	if s.watch != nil {
		s.watch(d)
	}
	s.at(s.now+tick, s.tick)
}

// remove takes a surplus spare, else the longest idle worker.
func (s *sim) remove(spares int) {
	switch {
	case len(s.spares) > spares || len(s.idle) == 0 && len(s.spares) > 0:
		pop(&s.spares)
	case len(s.idle) > 0:
		pop(&s.idle)
	default:
		return
	}
	s.out.removals++
}

// begin begins what is asked for, as far as starts can run at a time.
func (s *sim) begin() {
	for s.asked > 0 && len(s.begun) < max(1, s.cfg.Parallel) {
		s.asked--
		w := &simWorker{began: s.now}
		s.begun = append(s.begun, w)
		s.out.starts++
		s.out.most = max(s.out.most, s.ready()+len(s.begun))
		takes := s.start
		if takes == 0 {
			takes = time.Duration((0.4 + 0.4*s.rng.Float64()) * float64(time.Second))
		}
		s.at(s.now+takes, func() { s.started(w) })
	}
}

func (s *sim) started(w *simWorker) {
	s.begun = slices.DeleteFunc(s.begun, func(x *simWorker) bool { return x == w })
	if s.rng.Float64() < s.failStart {
		s.fails++
		s.failed = s.now
		s.asked = 0 // the next decision asks anew
		return
	}
	s.fails = 0
	s.taken = append(s.taken, s.now-w.began)
	s.taken = s.taken[max(0, len(s.taken)-10):]
	s.spares = append(s.spares, w)
	s.dispatch()
	s.gauge()
	s.begin()
}

func (s *sim) snapshot() policy.Snapshot {
	s.gauge()
	in := policy.Snapshot{
		Now: s.now, Active: s.active(), Spare: len(s.spares), Asked: s.asked, Idle: len(s.idle), Others: s.others,
		Busy: len(s.working), Queue: len(s.queue), Standing: s.work.Min(s.now, 500*time.Millisecond),
		Slow:       s.window(min(30*time.Second, max(s.now, time.Second))),
		BusyTime:   s.level.Integral(s.now, s.service.Span(s.now)),
		Service:    buckets(s.service.Buckets(s.now, nil)),
		Recent:     buckets(s.service.BucketsWithin(s.now, 5*time.Second, nil)),
		Latency:    s.latency(),
		StartTime:  s.startTime(),
		StartFails: s.fails, SinceStartFail: s.now - s.failed,
		HostCPU:   s.hostCPU(),
		Queued:    groupAges(s.now, s.queue, func(r request) time.Duration { return r.arrived }),
		InService: groupAges(s.now, s.inService(), func(r request) time.Duration { return r.began }),
	}
	in.MeanBusy = s.level.Mean(s.now, in.Slow.Width)
	for _, w := range []time.Duration{250, 500, 1000, 2000, 4000, 8000} {
		in.Windows = append(in.Windows, s.window(w*time.Millisecond))
	}
	for _, w := range s.begun {
		in.Begun = append(in.Begun, s.now-w.began)
	}
	return in
}

// decide asks the policy under test, or the reference the conditions name.
func (s *sim) decide() policy.Decision {
	if s.reference != nil {
		return s.reference.Decide(s.cfg, s.snapshot())
	}
	d, state := policy.Decide(s.cfg, s.snapshot(), s.state)
	s.state = state
	return d
}

func (s *sim) inService() []request {
	var out []request
	for _, r := range s.working {
		out = append(out, r)
	}
	return out
}

// groupAges folds things into at most 32 groups of about equal size, oldest first, as the fleet does.
func groupAges(now time.Duration, all []request, since func(request) time.Duration) []policy.Group {
	ages := make([]time.Duration, len(all))
	for i, r := range all {
		ages[i] = now - since(r)
	}
	slices.SortFunc(ages, func(a, b time.Duration) int { return int(b - a) })
	parts := min(len(ages), 32)
	var groups []policy.Group
	for i := range parts {
		from, to := i*len(ages)/parts, (i+1)*len(ages)/parts
		groups = append(groups, policy.Group{Age: ages[(from+to-1)/2], N: to - from})
	}
	return groups
}

func (s *sim) window(width time.Duration) policy.Window {
	n, squares := s.arrivals.Window(s.now, width)
	return policy.Window{Width: width, Arrivals: n, BatchSquares: squares}
}

func (s *sim) latency() policy.Latency {
	l := policy.Latency{N: s.total.Count(s.now)}
	for n, c := range map[*int]*meter.Counter{&l.Over: s.overs, &l.Missed: s.missed, &l.Failed: s.errors} {
		*n = int(c.Sum(s.now, 10*time.Second))
	}
	l.Requests = l.N + l.Failed
	return l
}

// startTime is the p90 of the last 10 starts.
func (s *sim) startTime() time.Duration {
	if len(s.taken) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.taken))
	return sorted[(len(sorted)*9+9)/10-1]
}

// hostCPU is the mean of the last 2 s where there are cores to run short of.
func (s *sim) hostCPU() float64 {
	if s.cores == 0 {
		return s.cpu
	}
	return min(1, s.level.Mean(s.now, 2*time.Second)/s.cores)
}

func buckets(in []meter.Bucket) []policy.Bucket {
	out := make([]policy.Bucket, len(in))
	for i, b := range in {
		out[i] = policy.Bucket(b)
	}
	return out
}
