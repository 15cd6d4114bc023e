package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"understudy/fleet"
	"understudy/handover"
	"understudy/scaler"
)

// helloTime is how long the process that started this one may take to say who it is. It does so first of all.
const helloTime = 10 * time.Second

// meet learns whose place is to be taken, and makes sure that it can be.
func (a *App) meet(ctx context.Context) error {
	if a.Inherited == nil || a.Inherited.predecessor == nil {
		return nil
	}
	a.predecessor = a.Inherited.predecessor
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	h, err := a.predecessor.Hello(ctx)
	if err != nil {
		return err
	}
	if h.Instance != a.Config.Instance {
		return fmt.Errorf("the configuration now names the instance %q, the balancer that runs is %q: end that one and start this one to change it",
			a.Config.Instance, h.Instance)
	}
	a.was = h
	return nil
}

// sameDriver: the workers of one driver are nothing to another.
func (a *App) sameDriver() error {
	if a.predecessor == nil || a.driver.Name() == a.was.Driver {
		return nil
	}
	return fmt.Errorf("the workers run on %s now, those of the balancer that runs on %s: end that one and start this one to change it",
		a.driver.Name(), a.was.Driver)
}

// legacy waits for what the predecessor leaves. One that dies while it waits leaves what the driver shows.
func (a *App) legacy(ctx context.Context) (scaler.Legacy, error) {
	if a.predecessor == nil {
		return scaler.Legacy{}, nil
	}
	a.predecessor.Tell(handover.Prepared)
	e, err := a.predecessor.Estate(ctx)
	if errors.Is(err, handover.ErrGone) {
		return scaler.Legacy{}, nil
	}
	l := scaler.Legacy{Workers: map[string]fleet.Held{}, Starts: map[string][]time.Duration{}, Over: a.predecessor.Over()}
	for _, w := range e.Workers {
		l.Workers[w.ID] = w.Held()
	}
	for _, p := range e.Pools {
		l.Starts[p.Name] = p.Starts
	}
	return l, err
}

// succeed waits until the predecessor has handed its workers over: what is in flight there is booked here then. When it dies meanwhile, this
// process goes on as one that was started alone.
func (a *App) succeed(ctx context.Context) error {
	if a.predecessor == nil {
		return nil
	}
	err := a.predecessor.Taken(ctx)
	if errors.Is(err, handover.ErrGone) {
		a.Log.Warn("the process whose place this one takes ended before it had handed everything over")
		err = nil
	}
	if err != nil {
		return err
	}
	go func() {
		<-a.predecessor.Over()
		a.Log.Info("the old process has ended")
	}()
	return a.lock.keep(a.about())
}

// awaitPredecessor gives the old process its time: it has clients of its own, and asks here for their workers.
func (a *App) awaitPredecessor(ctx context.Context) {
	if a.predecessor == nil {
		return
	}
	select {
	case <-a.predecessor.Over():
	case <-ctx.Done():
	}
}
