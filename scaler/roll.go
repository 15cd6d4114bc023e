package scaler

import (
	"context"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/fleet"
	"understudy/scaler/policy"
)

// The workers of a pool are replaced when its configuration or the content of its image has changed. The policy knows nothing of it: it says how
// many workers there shall be, every start is made from what is wanted now, and what it takes away are the outdated ones first. What is left is
// replaced one by one: a new worker is started beyond what is needed, when it is ready an old one is drained, and when that is gone the next is started. So there is
// never more than one too many, and never one too few.
const (
	maxExtras   = 2               // extra starts at a time, all pools together: the others are for those that need to grow
	firstLasts  = 3 * time.Second // the first new worker must do so before an old one goes
	failsUntil  = 3               // failed starts in a row that make a change be taken back
	retryBase   = time.Second     // after a failed start of a new worker
	retryMost   = 30 * time.Second
	reasonRolls = "changed"
)

// changing is what the loop remembers of how a pool's workers are made.
type changing struct {
	made   recipe  // what starts are made from; the pool's cfg agrees
	good   *recipe // the last with which a worker lasted; nil: none yet
	serial int     // of made: a start knows by it which it was made from

	loads      int          // reloads so far
	wanted     *config.Pool // what the last of them wants, until that is prepared
	preparing  bool
	prepareAt  time.Duration  // not before
	unprepared driver.Backoff // preparations that failed in a row though the engine was there

	worked   bool          // a worker made like this was ready
	misses   int           // starts of such workers that failed, and such workers that died soon, in a row
	missedAt time.Duration // the last of either
	retryAt  time.Duration // no extra start before
	rolling  bool
	denied   string // why a newer change than the one that is being made is not made; empty: there is none
}

// survey is what there is of a pool's workers.
type survey struct {
	ready, starting  int // not on their way out
	old              int // of both, the outdated
	leaving          int // replaced and not gone yet
	extra            bool
	unproven         int // ready ones that are not outdated, while none of them has lasted
	current, settled bool
}

func (s *Scaler) survey(p *poolState) (n survey) {
	now := s.Fleet.Clock()
	for _, o := range s.owned {
		if o.pool != p {
			continue
		}
		old := s.outdated(o)
		switch _, state, _ := s.Fleet.Worker(o.worker.ID); {
		case o.retiring && o.replaced:
			n.leaving++
		case o.retiring || state == fleet.Draining || state == fleet.Failed:
		case o.starting:
			n.starting++
			n.extra = n.extra || o.extra
			n.old += one(old)
		default:
			n.ready++
			n.old += one(old)
			n.current = n.current || !old
			n.settled = n.settled || !old && (o.readyAt == 0 || now-o.readyAt >= firstLasts)
			n.unproven += one(!old)
		}
	}
	if n.settled {
		n.unproven = 0
	}
	return n
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *Scaler) outdated(o *owned) bool { return !o.pool.made.makes(o.worker.Hash, o.image) }

// goes is outdated for the fleet.
func (s *Scaler) goes(w *fleet.Worker) bool {
	o := s.owned[w.ID]
	return o != nil && s.outdated(o)
}

// removable is how many of those that the policy takes away may go while workers are being replaced: it sees the extra one as one too many.
func (s *Scaler) removable(p *poolState, in policy.Snapshot, d policy.Decision) int {
	n := s.survey(p)
	if n.old == 0 && !n.extra && !p.rolling {
		return d.Remove
	}
	return max(min(d.Remove, in.Active+in.Spare-n.unproven-d.Active-d.Spare), 0)
}

// roll goes one step on in replacing the outdated workers of a pool. ready is how many can serve.
func (s *Scaler) roll(ctx context.Context, p *poolState, d policy.Decision, ready int) {
	s.prepare(ctx, p)
	n := s.survey(p)
	target := d.Active + d.Spare
	s.learn(p, n, ready >= target)
	s.progress(p, n)
	switch {
	case p.wanted != nil || n.old == 0 && (p.worked || !p.rolling): // it waits for what is newer, or there is nothing to do
	case n.leaving > 0: // one at a time
	case n.old > 0 && ready-n.unproven > target:
		s.replace(p, d.Active, d.Spare)
	case n.starting+n.unproven > 0 || s.Fleet.Clock() < p.retryAt || s.extras() >= maxExtras || s.slotsTaken() >= maxParallelStarts:
	case ready < target && p.refused: // not even what is needed has a port
		s.replace(p, ready-1, 0)
	case ready >= target && !s.spawnExtra(ctx, p):
		s.makeRoom(p, d, ready)
	}
}

// replace drains an outdated worker that the pool can do without.
func (s *Scaler) replace(p *poolState, active, spare int) {
	w := s.Fleet.Replace(p.cfg.Name, active, spare, reasonRolls, s.goes)
	if w == nil {
		return
	}
	if o := s.owned[w.ID]; o != nil {
		o.replaced = true
	}
	s.retire(w, reasonRolls)
}

// makeRoom lets an outdated worker go before there is a new one, because there is no port for one more: the spare where there is one.
func (s *Scaler) makeRoom(p *poolState, d policy.Decision, ready int) {
	if d.Spare > 0 {
		s.replace(p, d.Active, d.Spare-1)
		return
	}
	if ready > 0 {
		s.replace(p, ready-1, 0)
	}
}

// spawnExtra begins a start beyond what is needed. It reports false when there is no port to be had.
func (s *Scaler) spawnExtra(ctx context.Context, p *poolState) bool {
	port, err := s.bookPort()
	if err != nil {
		return false
	}
	if o := s.spawnAt(ctx, p, port); o != nil {
		o.extra = true
	}
	return true
}

// extras counts the extra starts in flight.
func (s *Scaler) extras() (n int) {
	for _, o := range s.owned {
		n += one(o.extra && o.starting)
	}
	return n
}

// learn notes which recipe is known to work: one whose worker has lasted since the last failure, or, where none ever has, one whose worker was ready.
// A worker from before the last failure shows it too once there are enough, since then none may be started that could.
func (s *Scaler) learn(p *poolState, n survey, enough bool) {
	if !n.current {
		return
	}
	lasted := p.good == nil
	enough = enough && n.old+n.starting == 0
	for _, o := range s.owned {
		if o.pool != p || o.retiring || o.starting || s.outdated(o) {
			continue
		}
		if enough || o.readyAt >= p.missedAt && (o.readyAt > 0 || p.misses == 0) {
			lasted = lasted || s.Fleet.Clock()-max(o.readyAt, p.missedAt) >= provenAfter
		}
	}
	if lasted {
		made := p.made
		p.good, p.misses = &made, 0
	}
}

// madeBy notes what a start that went well has shown: the content that is started is what the pool's workers have from now on.
func (s *Scaler) madeBy(o *owned, inst driver.Instance) {
	o.image = inst.Image
	if p := o.pool; o.serial == p.serial {
		p.worked = true
		if inst.Image != "" {
			p.made.image = inst.Image
		}
	}
}
