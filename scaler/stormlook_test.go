package scaler

import (
	"context"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/fleet"
)

func poolConfig(p config.Pool) fleet.PoolConfig {
	return fleet.PoolConfig{
		Name: p.Name, Capabilities: p.Capabilities, Concurrency: p.Concurrency, Max: p.Workers.Max,
		QueueLength: p.Queue.Length, QueueWait: QueueWait(p, 0), Target: p.Target.Latency, Ramp: p.Ramp, Eject: fleet.Eject(p.Eject),
	}
}

// serve is one request on a worker: it breaks when that is not there or does not run.
func (d *stormy) serve(lease fleet.Lease, takes time.Duration) {
	<-time.After(takes)
	kind := fleet.Broke
	for _, inst := range d.Workers() {
		if inst.Worker == lease.Worker.ID && inst.Running && !inst.Paused {
			kind = fleet.Served
		}
	}
	lease.Release(fleet.Outcome{Kind: kind})
}

// look checks what must hold at every moment.
func (s *storm) look() {
	s.t.Helper()
	synctest.Wait() // what a helper has done and the loop not heard of is nothing to look at
	err := s.scaler.order(context.Background(), func() {
		s.lookAtOwned()
		s.lookAtPorts()
		s.lookAtCounts()
	})
	if err != nil {
		s.fail("the loop does not answer: %v", err)
	}
	for _, f := range s.driver.Faults() {
		s.fail("the driver was misused: %s", f)
	}
	if s.t.Failed() {
		s.giveUp()
	}
}

// giveUp ends the storm where something was found to be wrong.
func (s *storm) giveUp() {
	s.engine.setRage(0)
	s.heal()
	s.cancel()
	<-s.ended
	s.engine.own.Wait()
	s.sent.Wait()
	s.t.FailNow()
}

func (s *storm) lookAtOwned() {
	starting, starts := 0, map[*poolState]int{}
	for id, o := range s.scaler.owned {
		w, state, ok := s.fleet.Worker(id)
		if !o.retiring && (!ok || w != o.worker) {
			s.fail("worker %s is owned and not in the fleet (%s)", id, state)
		}
		if o.starting {
			starting++
			starts[o.pool]++
		}
		if o.starting && o.retiring {
			s.fail("worker %s is removed while it starts", id)
		}
	}
	for _, w := range s.fleet.Workers() {
		if s.scaler.owned[w.ID] == nil {
			s.fail("worker %s is in the fleet and nobody's", w.ID)
		}
	}
	for _, p := range s.scaler.pools {
		if p.starts != starts[p] {
			s.fail("pool %s counts %d starts, there are %d", p.cfg.Name, p.starts, starts[p])
		}
	}
	if s.scaler.starting != starting || s.scaler.helpers < starting || s.scaler.calls < 0 {
		s.fail("%d starts are counted of %d, %d helpers, %d calls", s.scaler.starting, starting, s.scaler.helpers, s.scaler.calls)
	}
}

// booked are the ports that the loop knows to be booked, and for whom.
func (s *storm) booked() map[int]string {
	out := map[int]string{}
	add := func(port int, who string) {
		if port == 0 {
			return
		}
		if other, taken := out[port]; taken {
			s.fail("port %d is %s's and %s's", port, who, other)
		}
		out[port] = who
	}
	for id, o := range s.scaler.owned {
		add(o.port, "worker "+id)
	}
	for id, o := range s.scaler.orphans {
		add(o.port, "stray "+string(id))
	}
	for _, l := range s.scaler.limbo {
		add(l.port, "lost start "+l.worker)
	}
	return out
}

func (s *storm) lookAtPorts() {
	booked, leased := len(s.booked()), s.ports.Status().Leased
	if leased < booked || leased-booked > s.scaler.helpers { // a helper that gives one back knows it alone
		s.fail("%d ports are leased, of %d it is known to whom, with %d helpers", leased, booked, s.scaler.helpers)
	}
}

// lookAtCounts: there are never more than max and one that replaces another. Where max was lowered they grow fewer, and never more.
func (s *storm) lookAtCounts() {
	for _, p := range s.scaler.pools {
		n, name := 0, p.cfg.Name
		for _, w := range s.fleet.Workers(fleet.Starting, fleet.Spare, fleet.Active) {
			if w.Pool == name {
				n++
			}
		}
		if n > p.cfg.Workers.Max+1 && n > s.most[name] {
			s.fail("pool %s has %d workers, after %d, and its max is %d", name, n, s.most[name], p.cfg.Workers.Max)
		}
		s.most[name] = n
	}
}

// wantOrder checks what must hold a while after everything has been healed.
func (s *storm) wantOrder() {
	s.t.Helper()
	_ = s.scaler.order(context.Background(), func() {
		l := &s.scaler.lists
		if !s.scaler.decides() || l.missed != 0 || len(l.unjudged) > 0 {
			s.fail("it does not decide: %+v", *l)
		}
		if len(s.scaler.orphans)+len(s.scaler.limbo) > 0 {
			s.fail("strays %v and lost starts %v are left", s.scaler.orphans, s.scaler.limbo)
		}
		for id, o := range s.scaler.owned {
			if o.starting || o.retiring || o.doubted || o.buried {
				s.fail("worker %s is not at rest: %+v", id, *o)
			}
		}
		if leased, booked := s.ports.Status().Leased, len(s.booked()); leased != booked || !s.cfg.ByAddress() && booked != len(s.scaler.owned) {
			s.fail("%d ports are leased, and %d booked for %d workers", leased, booked, len(s.scaler.owned))
		}
		if s.scaler.helpers > 0 && !l.running {
			s.fail("%d helpers have not reported", s.scaler.helpers)
		}
		for _, p := range s.scaler.pools {
			s.wantPool(p)
		}
	})
	for _, inst := range s.driver.Workers() {
		if w, _, ok := s.fleet.Worker(inst.Worker); !ok || w.Generation != inst.Generation || !inst.Running {
			s.fail("the engine has %+v, and the fleet not", inst)
		}
	}
	if lost := s.fleet.Lost(); lost > 0 {
		s.fail("%d workers are lost", lost)
	}
	s.look()
}

func (s *storm) wantPool(p *poolState) {
	got, d, w := s.states(p.cfg.Name), p.last, p.cfg.Workers
	if got[fleet.Active] != d.Active || got[fleet.Spare] != d.Spare || got[fleet.Starting]+got[fleet.Draining]+got[fleet.Failed] > 0 {
		s.fail("pool %s (%+v) has %v, wanted are %d and %d", p.cfg.Name, w, got, d.Active, d.Spare)
	}
	if d.Active > max(w.Min, 1) || d.Active < w.Min {
		s.fail("pool %s (%+v) wants %d without anything to do: %s", p.cfg.Name, w, d.Active, d.Reason)
	}
	n := s.scaler.survey(p)
	r, _ := s.scaler.Rollout(p.cfg.Name)
	if n.old > 0 || p.rolling || p.wanted != nil || p.preparing {
		s.fail("the change of pool %s does not end: %+v, %+v, rolling %v, wanted %v, worked %v, misses %d, good %v", p.cfg.Name, r, n, p.rolling, p.wanted != nil, p.worked, p.misses, p.good)
	}
	for _, want := range s.cfg.Pools {
		if want.Name == p.cfg.Name && p.made.hash != want.Fingerprint() && r.State != stateRolledBack {
			s.fail("pool %s is not made as it is configured, and nothing says so: %+v", want.Name, r)
		}
	}
	for _, w := range s.fleet.Status() {
		for _, x := range w.Workers {
			if x.Pool == p.cfg.Name && x.State == fleet.Spare && x.Asleep != (p.cfg.Workers.SpareMode == config.SparePaused) {
				s.fail("spare %s sleeps: %v, spares are %s", x.ID, x.Asleep, p.cfg.Workers.SpareMode)
			}
		}
	}
}

// wantService checks that both pools serve, whoever must be started or woken for that. A pool that keeps no worker and had none to be had when it was
// last tried refuses who comes first, and is tried again because of them.
func (s *storm) wantService() {
	for _, p := range s.cfg.Pools {
		for range 3 {
			s.sent.Go(func() {
				lease, err := s.patiently(p.Name)
				if err != nil {
					s.t.Errorf("after the storm a request of %s fails: %v", p.Name, err)
					return
				}
				s.engine.serve(lease, 300*time.Millisecond)
			})
		}
	}
	s.sent.Wait()
}

// patiently asks again for a minute where it is refused, or a start takes longer than it may wait.
func (s *storm) patiently(capability string) (lease fleet.Lease, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	for range 60 {
		lease, err = s.fleet.Acquire(ctx, fleet.Request{Capability: capability})
		if err == nil || ctx.Err() != nil {
			break
		}
		<-time.After(time.Second)
	}
	return lease, err
}

// finish ends the scaler in whatever it is doing, heals the engine some time later, and checks what is left.
func (s *storm) finish() {
	leave := s.rng.IntN(4) == 0
	s.say("the end, leaving the workers: %v", leave)
	if leave {
		_ = s.scaler.Leave(context.Background())
	}
	s.cancel()
	s.pass(time.Duration(s.rng.IntN(60)) * time.Second)
	s.engine.setRage(0)
	s.heal()
	select {
	case <-s.ended:
	case <-time.After(15 * time.Minute):
		s.fail("it does not end")
		<-s.ended
	}
	s.engine.own.Wait()
	s.sent.Wait()
	if leave || s.scaler.Forsaken().Err != nil { // the engine was away for long: what is left is said to be, and the guard's
		return
	}
	if left := s.driver.Workers(); len(left) > 0 {
		s.fail("left behind: %+v", left)
	}
	if st := s.ports.Status(); st.Leased > 0 {
		s.fail("%d ports are still leased", st.Leased)
	}
}
