package scaler

import (
	"errors"
	"log/slog"
	"time"

	"understudy/driver"
	"understudy/fleet"
)

const (
	// failsUntilUnavailable is when a pool that has no worker stops making its clients wait for one.
	failsUntilUnavailable = 5
	// A worker that dies sooner than this after it was ready counts as a failed start: it would be started again and again else.
	provenAfter = 10 * time.Second
)

// Trouble is the last thing that went wrong with starting workers of a pool.
type Trouble struct {
	At    time.Time
	Error string
	Logs  []string // the worker's last lines, when it got so far
	Code  int      // its exit code
	Fails int      // starts failed in a row
}

// Trouble tells what last went wrong with starting workers of the pool. It reports false when nothing did since the last good start.
func (s *Scaler) Trouble(pool string) (Trouble, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.troubles[pool]
	return t, ok
}

func (s *Scaler) setTrouble(p *poolState, t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.troubles[p.cfg.Name] = t
}

func (s *Scaler) clearTrouble(p *poolState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.troubles, p.cfg.Name)
}

// failed books a start that did not end in a ready worker.
func (s *Scaler) failed(p *poolState, o *owned, err error) {
	p.fails++
	s.blame(p, o, err)
	s.Fleet.Fail(o.worker.ID, err.Error())
	s.retire(o.worker, "failed_start")
}

// crashed books a worker that broke. One that had served for a while is no sign of anything; one that was just ready is.
func (s *Scaler) crashed(w *fleet.Worker) {
	o := s.owned[w.ID]
	if o == nil || o.retiring || o.readyAt == 0 || s.Fleet.Clock()-o.readyAt >= provenAfter {
		return
	}
	o.pool.crashes++
	err := errors.New("it broke soon after it was ready")
	if o.exit != nil {
		err = o.exit
	}
	s.blame(o.pool, o, err)
}

func (s *Scaler) blame(p *poolState, o *owned, err error) {
	p.failedAt = s.Fleet.Clock()
	t := Trouble{At: s.Now(), Error: err.Error(), Fails: max(p.fails, p.crashes)}
	var exit *driver.ExitError
	if errors.As(err, &exit) {
		t.Logs, t.Code = exit.Logs, exit.Code
	}
	s.setTrouble(p, t)
	if errors.Is(err, driver.ErrImageMissing) || t.Fails >= failsUntilUnavailable {
		s.Fleet.SetUnavailable(p.cfg.Name, err.Error())
	}
	s.repeats.Add(startsOf(p), kindOf(err), "a worker did not start or did not last", err, slog.String("pool", p.cfg.Name),
		slog.String("worker", o.worker.ID), slog.Int("in_a_row", t.Fails))
}

// startsOf is what the troubles of a pool's starts are about.
func startsOf(p *poolState) string { return "starts of pool " + p.cfg.Name }

// kindOf tells troubles apart that call for different cures.
func kindOf(err error) string {
	if errors.Is(err, driver.ErrUnavailable) {
		return "engine"
	}
	return resultOf(err)
}

// forgive ends a row of crashes once a worker made since the last of them has lasted.
func (s *Scaler) forgive(p *poolState, now time.Duration) {
	if p.crashes == 0 {
		return
	}
	for _, o := range s.owned {
		if o.pool == p && !o.retiring && o.readyAt > p.failedAt && now-o.readyAt >= provenAfter {
			p.crashes = 0
			s.Fleet.SetUnavailable(p.cfg.Name, "")
			s.clearTrouble(p)
			s.repeats.Over(startsOf(p))
			return
		}
	}
}
