package scaler

import (
	"time"

	"understudy/fleet"
)

// How a worker ended the driver says only when the engine is done with its end, and on a busy host that takes longer than a start. So what is
// to make up for a worker that is only said to have ended is started at once, and is one too many if the worker turns out to run. Within bounds:
// for one worker of a pool at a time, within the pool's max, where workers have proven that they last (a back-off after a crash that is not booked
// yet would come too late), and not soon after it was wrong.

// wariness is for how long nothing is started in a pool for what is only said, after that was wrong.
const wariness = time.Minute

// steer has spares step in for workers that are said to have ended, and decides at once where one of them is taken for gone.
func (s *Scaler) steer() {
	if !s.decides() {
		return
	}
	believed := false
	for _, p := range s.pools {
		if !p.seen || !s.anyDoubted(p) {
			continue
		}
		s.Fleet.Steer(p.cfg.Name, p.last.Active, p.last.Spare)
		believed = s.believe(p) || believed
	}
	if believed {
		s.act()
	}
}

func (s *Scaler) anyDoubted(p *poolState) bool {
	for _, o := range s.owned {
		if o.pool == p && o.doubted {
			return true
		}
	}
	return false
}

// believe takes a worker of the pool that is said to have ended for gone, if it may. It reports whether it did.
func (s *Scaler) believe(p *poolState) bool {
	now := s.Fleet.Clock()
	var next *owned
	for _, o := range s.owned {
		switch {
		case o.pool != p || !o.doubted:
		case o.believed:
			return false
		case o.readyAt == 0 || o.saidAt-o.readyAt >= provenAfter: // 0: it was adopted
			next = o
		}
	}
	if next == nil || p.fails+p.crashes > 0 || now < p.wary || s.places(p) >= p.cfg.Workers.Max {
		return false
	}
	next.believed = true
	return true
}

// places counts the places of a pool's max that are taken.
func (s *Scaler) places(p *poolState) (n int) {
	for _, w := range s.Fleet.Workers(fleet.Starting, fleet.Spare, fleet.Active) {
		if o := s.owned[w.ID]; o != nil && o.pool == p {
			n++
		}
	}
	return n
}

// doubts counts the workers of a pool that are said to have ended: those in rotation that count as there nevertheless, and the spares that do not.
func (s *Scaler) doubts(p *poolState) (there, spares int) {
	for _, o := range s.owned {
		if o.pool != p || !o.doubted {
			continue
		}
		switch _, state, _ := s.Fleet.Worker(o.worker.ID); {
		case state == fleet.Active && !o.believed:
			there++
		case state == fleet.Spare && o.believed:
			spares++
		}
	}
	return there, spares
}

// takeBack ends the doubt about a worker that runs, as far as anybody can tell.
func (s *Scaler) takeBack(o *owned) {
	s.Fleet.Regain(o.worker.ID)
	if !o.believed {
		return
	}
	p := o.pool
	p.wary, o.cleared = s.Fleet.Clock()+wariness, true
	var latest *owned
	for _, other := range s.owned {
		if other.pool == p && other.starting && (latest == nil || other.began > latest.began) {
			latest = other
		}
	}
	if latest != nil {
		latest.extra = true // as long as it starts, nobody goes because of it
	}
}

// confirm notes that a worker has ended. What was said of it before was only early: an engine tells of a signal before that has killed.
func (s *Scaler) confirm(o *owned, reason string) {
	if o.cleared {
		o.pool.wary = 0
	}
	s.Fleet.Fail(o.worker.ID, reason)
}
