package scaler

import (
	"context"
	"errors"
	"time"

	"understudy/driver"
	"understudy/fleet"
)

// remains are what the driver has of a worker that broke.
type remains struct {
	exit    *driver.ExitError // nil: it runs, or nobody can tell
	removed bool
	unknown bool // the driver could not tell
	lines   []string
}

// examine asks the driver what became of a worker. It is for helpers, and bounded.
func (s *Scaler) examine(id driver.ID) remains {
	if id == "" {
		return remains{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	exit, err := driver.Exit(ctx, s.Driver, id)
	switch {
	case errors.Is(err, driver.ErrNotFound):
		return remains{removed: true}
	case exit != nil:
		return remains{exit: exit, lines: exit.Logs}
	case err != nil:
		return remains{unknown: true}
	default:
		return remains{lines: driver.LastLines(ctx, s.Driver, id)}
	}
}

// why is the word for how a worker ended; empty when nothing ended it but what took it for broken.
func (r remains) why() string {
	switch {
	case r.removed, r.exit != nil && r.exit.Removing:
		return "removed"
	case r.exit == nil:
		return ""
	case r.exit.OOM:
		return "oom"
	case r.exit.Signal() != 0:
		return "signal"
	default:
		return "exit"
	}
}

// bury sees to a worker of ours that broke after it was ready: what is left of it is looked at before it is removed.
func (s *Scaler) bury(w *fleet.Worker) {
	o := s.owned[w.ID]
	if o == nil || o.retiring || o.starting || o.buried {
		return
	}
	o.buried = true
	s.crashed(o)
	s.autopsy(o, s.Fleet.Clock()+autopsyTime, 0)
}

// autopsyTime is for how long it is asked again what became of a worker that broke. Longer than a driver takes to give up on one question and
// dare the next: whoever takes no question cannot remove the worker either, so nothing is lost by it.
const autopsyTime = 20 * time.Second

// autopsy asks after a pause what became of a worker that broke, books that, and removes what is left. It asks again while the answer is open.
func (s *Scaler) autopsy(o *owned, until, after time.Duration) {
	id := o.id
	s.launch(func() func() {
		if after > 0 {
			s.pause(after)
		}
		found := s.examine(id)
		return func() {
			if s.open(o, found) && s.Fleet.Clock() < until {
				s.autopsy(o, until, lookAgain)
				return
			}
			s.examined(o, found)
			if !s.left() {
				s.retire(o.worker, "failed")
			}
		}
	})
}

// open tells whether it may still turn out that something ended a worker that gave no answer: nobody could tell, or it runs although it was said
// to have ended a moment before. Probes see a worker die before a busy engine is done with its end.
func (s *Scaler) open(o *owned, found remains) bool {
	if o.retiring || s.closing || s.hold != nil || s.left() || found.why() != "" || o.exit != nil {
		return false
	}
	return found.unknown || o.hinted && s.Fleet.Clock()-o.hintedAt < autopsyTime
}
