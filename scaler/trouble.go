package scaler

import (
	"errors"
	"log/slog"
	"time"

	"understudy/driver"
)

const (
	// failsUntilUnavailable is when a pool that has no worker stops making its clients wait for one.
	failsUntilUnavailable = 5
	// A worker that dies sooner than this after it was ready counts as a failed start: it would be started again and again else.
	provenAfter = 10 * time.Second
	// One that ran out of memory may have been given its tasks late: more of them would run out of it too.
	provenByMemory = time.Minute
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
func (s *Scaler) failed(p *poolState, o *owned, err error, found remains) {
	s.neverReady(o, err, found)
	if o.serial == p.serial { // else it says nothing of those that are started now
		p.fails++
		s.blame(o, err, found)
		s.strike(p, err)
	}
	s.Fleet.Fail(o.worker.ID, err.Error())
	s.retire(o.worker, "failed_start")
}

// crashed books a worker that broke. One that had served for a while is no sign of anything; one that was just ready is.
func (s *Scaler) crashed(o *owned) {
	if o.blamed || o.blameless || o.readyAt == 0 || s.Fleet.Clock()-o.readyAt >= provenFor(o.exit) {
		return
	}
	if s.outdated(o) || s.diedWithEngine(o) { // that says nothing of those that are started now
		return
	}
	o.blamed = true
	o.pool.crash(s.Fleet.Clock())
	err := errors.New("it broke soon after it was ready")
	if o.exit != nil {
		err = o.exit
	}
	s.blame(o, err, remains{})
	s.strike(o.pool, err)
}

// provenFor is how long a worker that ended so must have lasted for its end to be no sign.
func provenFor(exit *driver.ExitError) time.Duration {
	if exit != nil && exit.OOM {
		return provenByMemory
	}
	return provenAfter
}

// blame notes that starting workers of a pool does not get it any.
func (s *Scaler) blame(o *owned, err error, found remains) {
	p := o.pool
	p.failedAt, p.proof = s.Fleet.Clock(), provenFor(o.exit)
	s.tell(o, err, found)
	s.repeats.Add(startsOf(p), kindOf(err), "a worker did not start or did not last", err, slog.String("pool", p.cfg.Name),
		slog.String("worker", o.worker.ID), slog.Int("in_a_row", max(p.fails, p.crashes)))
}

// tell shows what went wrong with a worker, to those who look and to those who wait for one.
func (s *Scaler) tell(o *owned, err error, found remains) {
	p := o.pool
	t := Trouble{At: s.Now(), Error: err.Error(), Fails: max(p.fails, p.crashes), Logs: found.lines}
	exit := found.exit
	if exit == nil {
		errors.As(err, &exit)
	}
	if exit != nil {
		t.Logs, t.Code = exit.Logs, exit.Code
	}
	s.setTrouble(p, t)
	if (errors.Is(err, driver.ErrImageMissing) || t.Fails >= failsUntilUnavailable) && !p.canGoBack() {
		s.Fleet.SetUnavailable(p.cfg.Name, err.Error())
	}
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
		if o.pool == p && !o.retiring && o.readyAt > p.failedAt && now-o.readyAt >= max(p.proof, provenAfter) {
			p.crashes = 0
			s.Fleet.SetUnavailable(p.cfg.Name, "")
			s.clearTrouble(p)
			s.repeats.Over(startsOf(p))
			return
		}
	}
}
