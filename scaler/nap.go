package scaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/fleet"
)

const (
	napAfter    = 5 * time.Second  // without anything to do: one that is needed now and then is left awake
	napTimeout  = 15 * time.Second // a freeze takes its turn behind starts
	wakeTimeout = 2 * time.Second  // requests wait for it
	wakeBackoff = 20 * time.Millisecond
	wakeLongest = 200 * time.Millisecond
	napRetry    = 5 * time.Second // after the engine would not freeze a worker of the pool: at first, ...
	napLongest  = time.Minute     // ... and at most
)

// drowsiness is what the loop remembers about a pool's spares that may sleep.
type drowsiness struct {
	sleepless time.Duration // before that they are not put to sleep: the engine would not
	refusals  driver.Backoff
	said      bool // that they cannot sleep here was logged
}

// nap puts spares to sleep where the pool wants that, and wakes them where it does not any more.
func (s *Scaler) nap() {
	for _, p := range s.pools {
		pauser, ok := s.pauser(p)
		switch {
		case !ok:
			for _, w := range s.Fleet.Sleeping(p.cfg.Name) {
				s.wake(w)
			}
		case s.Fleet.Clock() >= p.sleepless:
			for _, w := range s.Fleet.Doze(p.cfg.Name, napAfter) {
				s.freeze(pauser, s.owned[w.ID])
			}
		}
	}
}

// pauser is what freezes the pool's spares, where they are to be frozen.
func (s *Scaler) pauser(p *poolState) (driver.Pauser, bool) {
	if p.cfg.Workers.SpareMode != config.SparePaused {
		return nil, false
	}
	pauser, ok := s.Driver.(driver.Pauser)
	if !ok && !p.drowsiness.said {
		p.drowsiness.said = true
		s.Log.Warn("spares go on running: the driver cannot freeze workers, which takes Docker",
			slog.String("pool", p.cfg.Name), slog.String("driver", s.Driver.Name()))
	}
	return pauser, ok
}

// freeze puts one spare to sleep. Connections to it are closed first: whoever found one open later would wait for an answer on it.
func (s *Scaler) freeze(pauser driver.Pauser, o *owned) {
	s.call(o, func() func() {
		if s.Rest != nil {
			s.Rest(o.worker)
		}
		ctx, cancel := context.WithTimeout(context.Background(), napTimeout)
		defer cancel()
		err := pauser.Pause(ctx, o.id)
		return func() { s.frozen(o, err) }
	})
}

// frozen applies the end of a freeze. An engine that is away may have frozen the worker or not: it is woken when it is called. One
// that refused has most likely not, and the pool's spares are left awake for a while, longer each time: a host can be too busy for the kernel's
// freezer, or have none.
func (s *Scaler) frozen(o *owned, err error) {
	p, w := o.pool, o.worker
	s.Fleet.Asleep(w.ID)
	if err == nil {
		p.refusals.Reset()
		s.repeats.Over(napsOf(p))
		return
	}
	s.Recorder.DriverError(s.Driver.Name(), "pause")
	s.repeats.Add(napsOf(p), kindOf(err), "a spare was not put to sleep", err, slog.String("pool", p.cfg.Name), slog.String("worker", w.ID))
	p.refusals.Base, p.refusals.Max = napRetry, napLongest
	p.sleepless = s.Fleet.Clock() + p.refusals.Next()
	switch {
	case errors.Is(err, driver.ErrNotFound):
		s.Fleet.Fail(w.ID, "somebody removed it")
	case !isAway(err):
		s.wake(w)
	}
}

// napsOf is what the troubles of a pool's sleeping spares are about.
func napsOf(p *poolState) string { return "sleeping spares of pool " + p.cfg.Name }

// checkNap sees to a worker that sleeps and that a list begun then does not show as frozen: a freeze went wrong unseen, or somebody else has
// woken it. It is woken for good, and put to sleep again in due time.
func (s *Scaler) checkNap(o *owned, inst driver.Instance, began time.Duration) {
	if inst.Running && !inst.Paused && o.called < began {
		s.wake(o.worker)
	}
}

// answerCalls wakes the sleepers that requests wait for.
func (s *Scaler) answerCalls() {
	for _, w := range s.Fleet.Called() {
		s.wake(w)
	}
}

// wake wakes one sleeper. One that does not wake is replaced, and who waits for it goes on waiting, for others.
func (s *Scaler) wake(w *fleet.Worker) {
	o := s.owned[w.ID]
	pauser, ok := s.Driver.(driver.Pauser)
	if o == nil || !ok || !s.Fleet.Wake(w.ID) {
		return
	}
	began := s.Fleet.Clock()
	s.call(o, func() func() {
		ctx, cancel := context.WithTimeoutCause(context.Background(), wakeTimeout, fmt.Errorf("it took longer than %s", wakeTimeout))
		defer cancel()
		err := s.resumed(ctx, pauser, o.id)
		return func() { s.woken(o, s.Fleet.Clock()-began, err) }
	})
}

// resumed wakes a worker. An engine that is away for a moment, because it is restarted, is asked again until ctx ends.
func (s *Scaler) resumed(ctx context.Context, pauser driver.Pauser, id driver.ID) error {
	backoff := driver.Backoff{Base: wakeBackoff, Max: wakeLongest}
	for {
		err := pauser.Resume(ctx, id)
		if err == nil || !isAway(err) || !rest(ctx, backoff.Next()) {
			return err
		}
	}
}

func (s *Scaler) woken(o *owned, took time.Duration, err error) {
	p, w := o.pool, o.worker
	if err == nil {
		s.Recorder.Woken(p.cfg.Name, took, "ok")
		s.Fleet.Awake(w.ID)
		return
	}
	s.Recorder.Woken(p.cfg.Name, took, "failed")
	s.Recorder.DriverError(s.Driver.Name(), "resume")
	o.blameless = true // that it does not wake says nothing about how workers of its pool start
	if s.Fleet.Fail(w.ID, "it could not be woken: "+err.Error()) {
		s.Log.Warn("a sleeping spare could not be woken", slog.String("pool", p.cfg.Name), slog.String("worker", w.ID), slog.Any("error", err))
	}
}

// call runs one call that freezes or wakes a worker in a helper. A worker is not stopped before the call is over: what freezes it just after it
// was asked to end would keep it from ending.
func (s *Scaler) call(o *owned, work func() (apply func())) {
	over := make(chan struct{})
	o.calling, o.called = over, 1<<63-1
	s.calls++
	s.launch(func() func() {
		defer close(over)
		apply := work()
		return func() {
			s.calls--
			o.called = s.Fleet.Clock()
			apply()
		}
	})
}

// thaw wakes a worker found at start. Whether we froze it or somebody else did, the one who froze it is no longer there to wake it.
func (s *Scaler) thaw(ctx context.Context, inst driver.Instance) error {
	pauser, ok := s.Driver.(driver.Pauser)
	if !ok {
		return errors.New("it is frozen, and the driver cannot wake it")
	}
	ctx, cancel := context.WithTimeout(ctx, wakeTimeout)
	defer cancel()
	if err := pauser.Resume(ctx, inst.ID); err != nil {
		return fmt.Errorf("it is frozen and could not be woken: %w", err)
	}
	return nil
}
