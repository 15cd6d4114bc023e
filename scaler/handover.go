package scaler

import (
	"context"
	"time"

	"understudy/driver"
	"understudy/fleet"
)

// Legacy is what an earlier balancer of this instance says that still runs and gives its place to this one. The driver's list is the truth
// about which workers there are; this tells what the driver cannot know. The zero Legacy knows nothing.
type Legacy struct {
	Workers map[string]fleet.Held      // as it had them, by id
	Starts  map[string][]time.Duration // how long the last starts took, by pool
	Over    <-chan struct{}            // closed when it is gone: until then it may use even what is not adopted. nil: it is gone
}

// vouches tells whether the earlier balancer uses this very worker, so that it need not answer: one that takes one task at a time may be in it.
// One that drains there is to be drained here, once what is in flight on it is booked.
func (l Legacy) vouches(inst driver.Instance) bool {
	w, ok := l.Workers[inst.Worker]
	return ok && w.Generation == inst.Generation && (w.State == fleet.Active || w.State == fleet.Spare || w.State == fleet.Draining)
}

// rotation is how many workers may be in rotation for this one to join them: none for one that was a spare.
func (l Legacy) rotation(id string, most int) int {
	if l.Workers[id].State == fleet.Spare && l.Workers[id].ID == id {
		return 0
	}
	return most
}

// hold is why the loop decides nothing.
type hold struct {
	quiet chan struct{} // closed when no start is in flight, and no worker is being frozen
	done  bool          // quiet is closed
	cut   bool          // starts are no longer waited for
}

// look tells whoever holds the loop that nothing starts any more. Safe on nil.
func (h *hold) look(s *Scaler) {
	if h != nil && !h.done && s.starting == 0 && s.calls == 0 {
		h.done = true
		close(h.quiet)
	}
}

// cutShort tells whether a start failed because it was not waited for. Safe on nil.
func (h *hold) cutShort(err error) bool { return h != nil && h.cut && err != nil }

// Hold makes a running scaler decide nothing until Resume or Leave. It returns once no start is in flight and
// no worker is being frozen: starts may take so long and
// no longer; what is cut short then is removed and nobody's failure. Removals go on. It returns ctx's cause when that ends first; the hold
// stands then.
func (s *Scaler) Hold(ctx context.Context, patience time.Duration) error {
	quiet := make(chan struct{})
	err := s.order(ctx, func() {
		s.hold = &hold{quiet: quiet}
		s.hold.look(s)
	})
	if err != nil {
		return err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	if err := s.order(ctx, func() { s.hold.cut = true; s.cut() }); err != nil {
		return err
	}
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Resume ends a hold. It waits for the loop, or for ctx.
func (s *Scaler) Resume(ctx context.Context) error {
	return s.order(ctx, func() {
		if s.hold == nil {
			return
		}
		if s.hold.cut {
			s.allowStarts(ctx)
		}
		s.hold = nil
		s.listAt(s.Fleet.Clock())
		s.act()
	})
}

// Leave says that another balancer has the workers: when Run's ctx ends, which must be soon, it touches none of them, and those that were to be
// removed are that one's too. It waits for the loop, or for ctx.
func (s *Scaler) Leave(ctx context.Context) error { return s.order(ctx, func() { close(s.leaving) }) }

func (s *Scaler) left() bool {
	select {
	case <-s.leaving:
		return true
	default:
		return false
	}
}

// order has the loop do something between two steps.
func (s *Scaler) order(ctx context.Context, what func()) error {
	done := make(chan struct{})
	select {
	case s.orders <- func() { what(); close(done) }:
		<-done
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// allowStarts makes the context of the starts to come.
func (s *Scaler) allowStarts(ctx context.Context) {
	s.starts, s.cut = context.WithCancel(context.WithoutCancel(ctx))
}

// removeUnwanted begins to remove what Adopt did not adopt. Not before Run: until then this may not be the balancer after all.
func (s *Scaler) removeUnwanted() {
	for _, o := range s.orphans {
		s.holdPort(o)
		s.removeOrphan(o, stopTries)
	}
}

// awaitEnd waits until an earlier balancer is gone. It reports false when this one is not to care any more.
func (s *Scaler) awaitEnd(l Legacy) bool {
	if l.Over == nil {
		return true
	}
	select {
	case <-l.Over:
		return true
	case <-s.leaving:
		return false
	}
}

// StartTimes is how long the last good starts of each pool took. It waits for the loop, or for ctx.
func (s *Scaler) StartTimes(ctx context.Context) (map[string][]time.Duration, error) {
	out := map[string][]time.Duration{}
	err := s.order(ctx, func() {
		for _, p := range s.pools {
			out[p.cfg.Name] = append([]time.Duration(nil), p.startTimes...)
		}
	})
	return out, err
}
