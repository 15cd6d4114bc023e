package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"understudy/fleet"
	"understudy/scaler"
	"understudy/scaler/policy"
)

const scalerTick = scaler.Tick

// tick is one round of the scaler: it measures and decides for every pool before it does anything, and serves those first that have more
// requests waiting.
func (r *run) tick() {
	var scaled []*pool
	for _, p := range r.pools {
		if p.policy != nil {
			r.decide(p)
			scaled = append(scaled, p)
		}
	}
	slices.SortStableFunc(scaled, func(a, b *pool) int { return cmp.Compare(b.queue, a.queue) })
	for _, p := range scaled {
		r.apply(p)
	}
	r.after(scalerTick, r.tick)
}

func (r *run) decide(p *pool) policy.Decision {
	m, _ := r.fleet.Measure(p.cfg.Name)
	p.last = p.policy.Decide(scaler.PolicyConfig(p.cfg), p.observe(m, r.hostCPU()))
	return p.last
}

// act is a decision between two ticks.
func (r *run) act(p *pool) {
	r.decide(p)
	r.apply(p)
}

// apply does what was decided, as the scaler does.
func (r *run) apply(p *pool) {
	d, name := p.last, p.cfg.Name
	r.fleet.Steer(name, d.Active, d.Spare)
	wait := scaler.Patience(p.cfg, scaler.StartTime(p.startTimes), d)
	r.fleet.SetQueueWait(name, wait)
	if wait < p.wait {
		r.hurry(p)
	}
	p.wait = wait
	for n := d.Pipeline - len(p.starts); n > 0 && r.starting < scaler.ParallelStarts; n-- {
		r.start(p)
	}
	p.asked = max(0, d.Pipeline-len(p.starts))
	for _, w := range r.fleet.Retire(name, d.Remove, d.Spare, "scale_down") {
		r.fleet.Remove(w.ID)
		p.slots -= p.cfg.Concurrency
		r.workers--
		r.book.removed(r.now)
	}
	r.granted()
}

// start begins one start. It costs from now on.
func (r *run) start(p *pool) {
	r.made++
	id := fmt.Sprintf("w%d", r.made)
	if _, err := r.fleet.Add(fleet.Info{ID: id, Pool: p.cfg.Name, Origin: fleet.Cold}); err != nil {
		panic(fmt.Sprintf("simulate: %v", err)) // the id is new and the pool is there
	}
	p.starts = append(p.starts, r.now)
	r.starting++
	r.workers++
	r.book.started(r.now)
	takes := r.startTime()
	r.after(takes, func() { r.ready(p, id, takes) })
}

func (r *run) startTime() time.Duration {
	return r.o.Start.Min + time.Duration(r.luck.Int64N(int64(r.o.Start.Max-r.o.Start.Min)+1))
}

func (r *run) ready(p *pool, id string, took time.Duration) {
	i := slices.Index(p.starts, r.now-took)
	p.starts = slices.Delete(p.starts, i, i+1)
	r.starting--
	p.slots += p.cfg.Concurrency
	p.took(took)
	r.fleet.Ready(id, "", p.last.Active)
	r.granted()
}
