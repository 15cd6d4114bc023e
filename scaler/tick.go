package scaler

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/scaler/policy"
)

// poolState is what the loop remembers about one pool.
type poolState struct {
	cfg    config.Pool
	memory policy.State
	last   policy.Decision // the one before
	in     policy.Snapshot // what that rested on
	seen   bool            // there was one before

	starts     int             // in flight
	asked      int             // starts decided on that have not begun
	startTimes []time.Duration // of the last 10 good starts
	fails      int             // failed starts in a row
	crashes    int             // workers in a row that were ready and died soon after
	crashedAt  []time.Duration // when, of those of the last seconds
	failedAt   time.Duration   // the last of either
	proof      time.Duration   // how long a worker must last for a row of crashes to be over
	wary       time.Duration   // before that nothing is started for what is only said: it was wrong
	changing
	drowsiness
	refused bool // it could not grow the last time it should have, and that was noted
}

func newPoolState(c config.Pool) *poolState {
	p := &poolState{cfg: c}
	p.made, p.serial = recipeOf(c, ""), 1
	return p
}

// step decides for every pool and does what was decided. Starts are few: pools that have none under way come first, and of these
// the ones with more requests waiting.
func (s *Scaler) step(ctx context.Context) {
	type plan struct {
		pool *poolState
		in   policy.Snapshot
		out  policy.Decision
	}
	var plans []plan
	for _, p := range s.pools {
		m, ok := s.Fleet.Measure(p.cfg.Name)
		if !ok || !p.cfg.Scaled() {
			continue
		}
		s.believe(p)
		there, spares := s.doubts(p)
		m.Ejected = max(0, m.Ejected-there)
		s.forgive(p, m.Now)
		in := s.observe(p, m)
		in.Spare -= spares
		out, memory := policy.Decide(policyConfig(p.cfg, m.Ejected+spares), in, p.memory)
		out.Reason = out.Sentence()
		p.memory = memory
		plans = append(plans, plan{p, in, out})
		s.settle(p, m)
	}
	slices.SortStableFunc(plans, func(a, b plan) int {
		return cmp.Or(cmp.Compare(min(a.pool.starts, 1), min(b.pool.starts, 1)), cmp.Compare(b.in.Queue, a.in.Queue))
	})
	for i := range plans {
		d := &plans[i]
		s.write(d.pool, d.in, d.out)
		s.apply(ctx, d.pool, d.in, &d.out)
	}
	for _, d := range plans { // after every pool has begun the starts it needs
		s.roll(ctx, d.pool, d.out, d.in.Active+d.in.Spare-d.out.Remove)
	}
}

// apply does what was decided, and leaves in d.Remove how many really went.
func (s *Scaler) apply(ctx context.Context, p *poolState, in policy.Snapshot, d *policy.Decision) {
	name := p.cfg.Name
	s.Fleet.Steer(name, d.Active, d.Spare)
	s.setQueueWait(p)
	s.Fleet.SetDesired(name, d.Need+d.Spare, d.Reason)
	for n := d.Pipeline - p.starts; n > 0 && s.slotsTaken() < maxParallelStarts && s.spawn(ctx, p); n-- {
	}
	p.asked = max(0, d.Pipeline-p.starts)
	gone := s.Fleet.RetireFirst(name, s.removable(p, in, *d), d.Spare, "scale_down", s.goes)
	for _, w := range gone {
		s.retire(w, "scale_down")
	}
	d.Remove = len(gone)
}

// slotsTaken counts the starts that others wait for. One that takes long waits for its worker and not for the engine: it must not keep other
// pools from starting any.
func (s *Scaler) slotsTaken() (n int) {
	now := s.Fleet.Clock()
	for _, o := range s.owned {
		if o.starting && now-o.began < slotTime {
			n++
		}
	}
	return n
}

// collect finds workers of ours that were drained by request or failed, and removes them. Those that still start are seen to when their start ends.
func (s *Scaler) collect() {
	for _, w := range s.Fleet.Workers(fleet.Draining) {
		s.retire(w, "drained")
	}
	for _, w := range s.Fleet.Workers(fleet.Failed) {
		s.bury(w)
	}
}

// write puts a decision into the journal and the log when it changes how many workers there shall be, or what stands in the way of it. A need
// that flickers below what is held changes nothing and is not written.
func (s *Scaler) write(p *poolState, in policy.Snapshot, d policy.Decision) {
	last, seen := p.last, p.seen
	p.last, p.in, p.seen = d, in, true
	if seen && d.Active == last.Active && d.Spare == last.Spare && obstacle(d) == obstacle(last) {
		return
	}
	from := last.Active
	if !seen {
		from = in.Active
	}
	e := Entry{At: s.Now(), Pool: p.cfg.Name, From: from, To: d.Active, Decision: d, Input: in}
	s.Journal.Add(e)
	s.Recorder.Decided(e.Pool, e.Direction(), d.Term)
	s.Log.Info("scale", slog.String("pool", e.Pool), slog.Int("from", e.From), slog.Int("to", e.To), slog.String("why", d.Reason))
}

// obstacle is what keeps a pool from what it needs. That it is held above its need keeps it from nothing.
func obstacle(d policy.Decision) string {
	if d.Clamp == "held" {
		return ""
	}
	return d.Clamp
}

// settle notes that a pool has reached its minimum, or cannot.
func (s *Scaler) settle(p *poolState, m fleet.Measured) {
	if m.Active+m.Spare < p.cfg.Workers.Min && p.fails+p.crashes == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settled[p.cfg.Name] = true
}

// policyConfig is what the policy may do with a pool. A worker of ours that is ejected takes a place and does nothing.
func policyConfig(c config.Pool, ejected int) policy.Config {
	return policy.Config{
		Target: c.Target.Latency, Percentile: c.Target.Percentile,
		Min: c.Workers.Min, Max: max(c.Workers.Max-ejected, 0), Spare: c.Workers.Spare, SpareMax: c.Workers.SpareMax,
		Concurrency: c.Concurrency, Parallel: maxParallelStarts,
	}
}
