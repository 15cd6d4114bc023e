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
	"understudy/probe"
)

const (
	pullTime    = 75 * time.Minute       // more than a driver gives a pull and the start behind it
	watchPeriod = 250 * time.Millisecond // how often a worker that is not ready yet is looked at
)

// spawn begins one start: a port, a place in the fleet, the driver, readiness. It reports false when there is no port to be had.
func (s *Scaler) spawn(ctx context.Context, p *poolState) bool {
	port, err := s.bookPort()
	if err != nil {
		s.refused(p, err)
		return false
	}
	p.refused = false
	return s.spawnAt(ctx, p, port) != nil
}

// spawnAt is spawn with a port that is booked; it is given back when there can be no start, which is nil.
func (s *Scaler) spawnAt(ctx context.Context, p *poolState, port int) *owned {
	generation := s.NewToken()
	w, err := s.Fleet.Add(fleet.Info{
		ID: s.newWorkerID(), Pool: p.cfg.Name, Generation: generation, Hash: p.cfg.Fingerprint(), Port: port,
		Concurrency: p.cfg.Concurrency, Origin: fleet.Cold,
	})
	if err != nil {
		s.Log.Error("cannot add a worker", slog.String("pool", p.cfg.Name), slog.Any("error", err))
		s.Ports.Return(port)
		return nil
	}
	s.issued[generation] = s.Fleet.Clock()
	o := &owned{worker: w, pool: p, port: port, starting: true, began: s.Fleet.Clock(), making: making{serial: p.serial}}
	s.owned[w.ID] = o
	p.starts++
	s.starting++
	cfg := p.cfg
	spec := p.made.pin(s.newSpec(cfg, w.ID, generation, port))
	s.launch(func() func() {
		began := s.Now()
		inst, err := s.start(ctx, cfg, spec)
		took := s.Now().Sub(began)
		if s.Tracer != nil {
			s.Tracer.Start(w.Pool, w.ID, began, took, phasesOf(inst.Took, took), err)
		}
		var found remains
		if err != nil && ctx.Err() == nil {
			found = s.examine(inst.ID)
		}
		return func() { s.started(o, inst, took, err, found) }
	})
	return o
}

// refused notes why a pool cannot grow: for those who look always, in journal and log once, until it has grown again.
func (s *Scaler) refused(p *poolState, err error) {
	s.setTrouble(p, Trouble{At: s.Now(), Error: err.Error()})
	if p.refused {
		return
	}
	p.refused = true
	s.noteOf(p, "not grown: "+err.Error())
	s.Log.Warn("cannot grow", slog.String("pool", p.cfg.Name), slog.Any("error", err))
}

// newWorkerID is short, for people; the fleet refuses the rare repetition.
func (s *Scaler) newWorkerID() string {
	for {
		id := s.NewToken()[:8]
		if s.owned[id] == nil {
			return id
		}
	}
}

// start runs one worker until it is ready. On error inst.ID is set when something is left to stop.
func (s *Scaler) start(ctx context.Context, c config.Pool, spec driver.Spec) (driver.Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, s.startTimeout(c))
	defer cancel()
	inst, err := s.Driver.Start(ctx, spec)
	if err != nil {
		s.Recorder.DriverError(s.Driver.Name(), "start")
		return inst, err
	}
	return inst, s.await(ctx, c, inst)
}

// startTimeout bounds a whole start. An image that must be pulled first takes its time in the driver, which has its own limits.
func (s *Scaler) startTimeout(c config.Pool) time.Duration { return c.Ready.Timeout + pullTime }

// bookPort leases a port that nobody holds, 0 where workers need none. Those that somebody does hold are set aside and shown.
func (s *Scaler) bookPort() (int, error) {
	for !s.Config.ByAddress() {
		port, err := s.Ports.Lease()
		if err != nil {
			return 0, err
		}
		if err := s.PortFree(port); err == nil {
			return port, nil
		}
		s.Ports.Quarantine(port, "held by another program")
	}
	return 0, nil
}

// await waits until the worker answers as itself. A worker that ends meanwhile is not waited for.
func (s *Scaler) await(ctx context.Context, c config.Pool, inst driver.Instance) error {
	timeout, cancelTimeout := context.WithTimeoutCause(ctx, c.Ready.Timeout,
		fmt.Errorf("ready.timeout of %s is over", c.Ready.Timeout))
	defer cancelTimeout()
	alive, died := context.WithCancelCause(timeout)
	defer died(nil)
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		s.lookUntilEnded(alive, inst, died)
	}()
	lo, hi := c.Ready.StatusRange()
	err := s.Prober.Await(alive, probe.Target{
		Address: inst.Address, Path: c.Ready.Path, Lo: lo, Hi: hi, Identity: identityOf(c, inst.Generation),
	}, c.Ready.Warmup)
	if err == nil && identityOf(c, inst.Generation) == "" {
		err = s.stillOurs(alive, inst)
	}
	ended := context.Cause(alive)
	died(nil)
	<-looked
	var exit *driver.ExitError
	if errors.As(ended, &exit) {
		return exit
	}
	return err
}

// lookUntilEnded watches a worker that is not ready yet and ends the waiting when it has exited.
func (s *Scaler) lookUntilEnded(ctx context.Context, inst driver.Instance, died context.CancelCauseFunc) {
	ticker := time.NewTicker(watchPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		exit, err := driver.Exit(ctx, s.Driver, inst.ID)
		switch {
		case errors.Is(err, driver.ErrNotFound):
			died(errRemoved)
			return
		case exit != nil:
			died(exit)
			return
		}
	}
}

// stillOurs makes sure that the answer came from the worker we started and not from somebody on its port: for workers that know nothing of identities.
func (s *Scaler) stillOurs(ctx context.Context, inst driver.Instance) error {
	inspector, ok := s.Driver.(driver.Inspector)
	if !ok {
		return nil
	}
	now, err := inspector.Inspect(ctx, inst.ID)
	switch {
	case err != nil:
		return fmt.Errorf("cannot make sure that it is ours: %w", err)
	case !now.Running:
		return errors.New("it ended just after it answered")
	case now.Address != inst.Address:
		return moved(inst.Address, now.Address)
	}
	return nil
}

// started applies the end of a start, in the loop.
func (s *Scaler) started(o *owned, inst driver.Instance, took time.Duration, err error, found remains) {
	p := o.pool
	p.starts--
	s.starting--
	o.id, o.starting = inst.ID, false
	switch {
	case s.closing && (err != nil || s.Config.OnExit != onExitLeave): // our own end cut the start short: nobody's failure
		s.retire(o.worker, "shutdown")
		return
	case s.hold.cutShort(err):
		s.retire(o.worker, "handover")
		return
	}
	s.Recorder.Started(p.cfg.Name, took, resultOf(err))
	switch {
	case errors.Is(err, driver.ErrPortTaken): // not the worker's fault: the next tick takes another port
		s.Ports.Quarantine(o.port, "taken by another program: "+err.Error())
		o.port = 0
		s.Fleet.Fail(o.worker.ID, err.Error())
		s.retire(o.worker, "port_taken")
	case errors.Is(err, driver.ErrUnavailable):
		s.unanswered(o, err)
	case err != nil:
		s.failed(p, o, err, found)
	case s.rotate(o, inst, p.last.Active):
		s.madeBy(o, inst)
		s.succeeded(p, o, took)
		s.phased(o.worker, inst.Took, took)
	default: // it was drained while it started
		s.retire(o.worker, "drained")
	}
}

func (s *Scaler) succeeded(p *poolState, o *owned, took time.Duration) {
	p.fails = 0
	o.readyAt = max(s.Fleet.Clock(), 1) // 0 is never
	p.startTimes = append(p.startTimes, took)
	if len(p.startTimes) > 10 {
		p.startTimes = p.startTimes[1:]
	}
	s.Ports.Clear(o.port)
	s.setQueueWait(p)
	if p.crashes < failsUntilUnavailable {
		s.Fleet.SetUnavailable(p.cfg.Name, "")
	}
	if p.crashes == 0 {
		s.clearTrouble(p)
		s.repeats.Over(startsOf(p))
	}
	s.Log.Info("worker ready", slog.String("pool", p.cfg.Name), slog.String("worker", o.worker.ID), slog.String("address", o.worker.Address), slog.Duration("took", took))
}

func resultOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, driver.ErrPortTaken), errors.Is(err, fleet.ErrNoPort):
		return "port"
	case errors.Is(err, driver.ErrImageMissing):
		return "image"
	case errors.Is(err, driver.ErrUnavailable):
		return "engine"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "failed"
	}
}
