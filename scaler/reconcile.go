package scaler

import (
	"fmt"
	"log/slog"
	"time"

	"understudy/driver"
	"understudy/fleet"
)

// orphanGrace is how long something that this process asked for and that has no owner is left alone: a create whose end nobody heard of may still
// be under way, and the driver removes it by itself. By our own clock: the engine's may be wrong.
const orphanGrace = time.Minute

// orphan is a worker of this instance that the driver lists and no worker of the fleet stands for.
type orphan struct {
	inst     driver.Instance
	first    time.Duration // when a list showed it first
	doomed   bool          // there is nothing to wait for: it was to be removed before
	stuck    bool          // its removal failed the last time
	removing bool
	port     int // booked for as long as it is there; 0: somebody else's
}

// limbo is a start that ended without an answer: whether there is such a worker, and whether it holds its port, the next list tells.
type limbo struct {
	worker, generation string
	port               int
}

// newRound notes what a list that begins now is to be held against.
func (s *Scaler) newRound() round {
	r := round{
		began: s.Fleet.Clock(), question: s.Fleet.Engine().Asked(), known: map[driver.ID]bool{},
		limbo: append([]limbo(nil), s.limbo...), unjudged: len(s.lists.unjudged),
	}
	for _, o := range s.owned {
		r.known[o.id] = true
		if o.id != "" {
			r.there = append(r.there, o)
		}
	}
	for id := range s.orphans {
		r.known[id] = true
	}
	return r
}

// reconcile compares what the driver listed with what was known when it was asked, and sees to the difference.
func (s *Scaler) reconcile(r round, found []driver.Instance) {
	listed := make(map[driver.ID]driver.Instance, len(found))
	for _, inst := range found {
		listed[inst.ID] = inst
	}
	s.issued.refresh(s.Fleet.Clock(), s.owned)
	for _, o := range r.there {
		if s.owned[o.worker.ID] == o && !o.retiring {
			inst, there := listed[o.id]
			s.compare(o, inst, there)
			s.checkNap(o, inst, r.began)
		}
	}
	for _, inst := range found {
		if !s.owns(inst) && (!r.known[inst.ID] || s.orphans[inst.ID] != nil) { // else it was removed while the list was made
			s.meetOrphan(inst)
		}
	}
	for id, o := range s.orphans {
		if _, there := listed[id]; !there && !o.removing && r.known[id] {
			s.forgetOrphan(id, o)
		}
	}
	s.leaveLimbo(r)
	s.countStuck()
}

// compare sees to a worker that is not as it should be.
func (s *Scaler) compare(o *owned, inst driver.Instance, there bool) {
	switch {
	case !there:
		s.Fleet.Fail(o.worker.ID, somebodyRemovedIt)
	case !inst.Running:
		s.lookAt(o, driver.NewExitError(inst.ExitCode, nil))
	case inst.HostPort != 0 && inst.HostPort != o.port:
		s.Fleet.Fail(o.worker.ID, fmt.Sprintf("it is bound to port %d instead of %d", inst.HostPort, o.port))
	case inst.Address != "" && inst.Address != o.worker.Address:
		s.Fleet.Fail(o.worker.ID, moved(o.worker.Address, inst.Address).Error())
	}
}

// owns tells whether the fleet has a worker for it, be it one that starts and whose id nobody knows yet.
func (s *Scaler) owns(inst driver.Instance) bool {
	o := s.owned[inst.Worker]
	return o != nil && (o.id == inst.ID || o.id == "" && o.worker.Generation == inst.Generation)
}

// meetOrphan books the port of a worker without an owner, and removes it when its time is over.
func (s *Scaler) meetOrphan(inst driver.Instance) {
	now := s.Fleet.Clock()
	o := s.orphans[inst.ID]
	if o == nil {
		o = &orphan{inst: inst, first: now}
		s.orphans[inst.ID] = o
	}
	s.holdPort(o)
	if o.removing || !o.doomed && now-o.first < s.issued.grace(inst) {
		return
	}
	if !o.doomed {
		o.doomed = true
		s.Log.Warn("removing a worker that nobody stands for", slog.String("pool", inst.Pool), slog.String("worker", inst.Worker))
		s.Recorder.Orphan()
	}
	s.removeOrphan(o, stopTries)
}

// holdPort sees to it that nobody is given the port of a worker that is there.
func (s *Scaler) holdPort(o *orphan) {
	if o.port != 0 || o.removing {
		return
	}
	for i, l := range s.limbo {
		if l.worker == o.inst.Worker && l.generation == o.inst.Generation {
			o.port = l.port
			s.limbo = append(s.limbo[:i:i], s.limbo[i+1:]...)
			return
		}
	}
	if o.inst.HostPort != 0 && s.Ports.Adopt(o.inst.HostPort) {
		o.port = o.inst.HostPort
	}
}

// removeOrphan removes it as any worker is removed, but not before an earlier balancer is gone that may still use it.
func (s *Scaler) removeOrphan(o *orphan, tries int) {
	o.removing = true
	worker, port := &fleet.Worker{Info: fleet.Info{ID: o.inst.Worker, Pool: o.inst.Pool}}, o.port
	s.launch(func() func() {
		gone := s.awaitEnd(s.legacy) && s.stop(worker, o.inst.ID, port, failedGrace, tries)
		return func() {
			o.removing, o.stuck, o.port = false, !gone, 0
			if gone {
				delete(s.orphans, o.inst.ID)
			}
			s.countStuck()
		}
	})
}

// adoptStuck keeps in mind a worker that could not be removed: the next list that shows it has it tried again.
func (s *Scaler) adoptStuck(o *owned) {
	s.orphans[o.id] = &orphan{
		inst:  driver.Instance{ID: o.id, Pool: o.worker.Pool, Worker: o.worker.ID, Generation: o.worker.Generation, HostPort: o.worker.Port},
		first: s.Fleet.Clock(), doomed: true, stuck: true,
	}
	s.countStuck()
}

// forgetOrphan gives back what was booked for a worker that is no longer there.
func (s *Scaler) forgetOrphan(id driver.ID, o *orphan) {
	delete(s.orphans, id)
	s.letGo(o.port)
}

// leaveLimbo gives back the ports of starts of which the list shows nothing. What it does show has become an orphan with its port.
func (s *Scaler) leaveLimbo(r round) {
	for _, was := range r.limbo {
		for i, l := range s.limbo {
			if l == was {
				s.limbo = append(s.limbo[:i:i], s.limbo[i+1:]...)
				s.letGo(l.port)
				break
			}
		}
	}
}

// letGo gives a port back, in a helper.
func (s *Scaler) letGo(port int) {
	if port != 0 {
		s.launch(func() func() { s.giveBack(port); return func() {} })
	}
}

// clearOrphans removes what has no owner at the end: nothing is being made any more, so there is nothing to wait for.
func (s *Scaler) clearOrphans() {
	for _, l := range s.limbo {
		s.letGo(l.port)
	}
	s.limbo = nil
	for _, o := range s.orphans {
		if !o.removing {
			s.removeOrphan(o, 1)
		}
	}
}

func (s *Scaler) countStuck() {
	stuck := 0
	for _, o := range s.orphans {
		if o.stuck {
			stuck++
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.engine.Stuck = stuck
}
