package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/handover"
)

// Patience is how long each step of a hand-over may take. Until Take this process serves as ever; it only starts no worker from Starts on.
type Patience struct {
	Prepare time.Duration // for the new process to read its configuration and reach the driver
	Starts  time.Duration // for starts in flight; what takes longer is given up, and the new process starts it again
	Adopt   time.Duration // for the new process to learn the workers
	Take    time.Duration // for the new process to book what is in flight and to serve: requests wait meanwhile
	Linger  time.Duration // how long connections that are idle stay open in the old process
}

func defaultPatience() *Patience {
	return &Patience{Prepare: time.Minute, Starts: 10 * time.Second, Adopt: 30 * time.Second, Take: 10 * time.Second, Linger: 5 * time.Second}
}

const (
	cutTime  = 30 * time.Second // for starts that are given up to end
	killTime = 2 * time.Second  // for a new process that will not take over to end by itself
)

// heir is the process that is to take our place.
type heir struct {
	Child
	*handover.Successor
	copies map[string]*os.File // of our sockets
	held   bool                // the scaler holds
	shut   bool                // the admin plane is closed
	frozen bool                // the workers are handed over
}

// replace has another process take our place. It reports false when that failed: everything is then as if it had not been tried.
func (r *run) replace(ctx context.Context) bool {
	a := r.app
	a.Log.Info("handing over to a new process")
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-a.quit:
			cancel(errQuit)
		case <-stop:
		}
	}()
	h, err := r.handOver(ctx)
	if err != nil {
		a.Log.Error("not handed over: this process goes on", slog.Any("error", err))
		a.Say("not handed over, this process goes on: " + err.Error())
		return false
	}
	r.leave(ctx, h)
	return true
}

// handOver brings up the new process and gives it the workers. On error everything is as before.
func (r *run) handOver(ctx context.Context) (*heir, error) {
	if err := r.app.canHandOver(ctx); err != nil {
		return nil, err
	}
	h, err := r.app.callHeir()
	if err != nil {
		return nil, fmt.Errorf("the new process cannot be started: %w", err)
	}
	if err := r.bringUp(ctx, h); err != nil {
		err = h.explain(err)
		r.backOut(h, err)
		return nil, err
	}
	return h, nil
}

// canHandOver waits until the hand-over before this one is complete.
func (a *App) canHandOver(ctx context.Context) error {
	if a.Spawn == nil {
		return errors.New("this balancer is part of another program, which cannot be started anew for it")
	}
	if a.driver.Name() == "process" && scales(a.current()) {
		return errors.New("workers that are local processes end with the balancer that started them: restart it instead, or use the docker driver")
	}
	a.awaitPredecessor(ctx)
	return context.Cause(ctx)
}

func scales(c *config.Config) bool {
	for _, p := range c.Pools {
		if p.Scaled() {
			return true
		}
	}
	return false
}

// callHeir starts the new process, with our sockets, our lock and a line to us.
func (a *App) callHeir() (h *heir, err error) {
	h = &heir{copies: map[string]*os.File{}}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	var names []string
	var files []*os.File
	for _, l := range []struct {
		name string
		net.Listener
	}{{nameListen, a.public}, {nameAdmin, a.admin}, {namePlanner, a.planner}} {
		if l.Listener == nil {
			continue
		}
		if h.copies[l.name], err = duplicate(l.Listener.(syscall.Conn), l.name); err != nil {
			return nil, err
		}
		names, files = append(names, l.name), append(files, h.copies[l.name])
	}
	ours, theirs, err := line()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	if h.Child, err = a.Spawn(append(names, nameLock, nameControl), append(files, a.lock.file, theirs)); err != nil {
		ours.Close()
		return nil, err
	}
	h.Successor = handover.NewSuccessor(ours, handover.Hello{Instance: a.Config.Instance, Driver: a.driver.Name(), Addresses: a.addresses})
	return h, nil
}

// bringUp is what the two go through until the new one serves.
func (r *run) bringUp(ctx context.Context, h *heir) error {
	a := r.app
	if err := h.within(ctx, a.Patience.Prepare, handover.Prepared); err != nil {
		return err
	}
	h.held = true
	estate, err := a.hold(ctx)
	if err != nil {
		return err
	}
	h.Bequeath(estate)
	if err := h.within(ctx, a.Patience.Adopt, handover.Adopted); err != nil {
		return err
	}
	h.shut = true
	r.closeControl() // who registers from now on does so at the new process, when that opens the same door
	h.frozen = true
	a.fleet.HandOver(h)
	return h.within(ctx, a.Patience.Take, handover.Serving)
}

// hold stops the scaler, and says what there is.
func (a *App) hold(ctx context.Context) (e handover.Estate, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, a.Patience.Starts+cutTime, errors.New("a worker that was starting did not end in time"))
	defer cancel()
	if err := a.scaler.Hold(ctx, a.Patience.Starts); err != nil {
		return e, err
	}
	starts, err := a.scaler.StartTimes(ctx)
	if err != nil {
		return e, err
	}
	var held []fleet.Held
	for _, p := range a.fleet.Status() {
		e.Pools = append(e.Pools, handover.Pool{Name: p.Name, Starts: starts[p.Name]})
		for _, w := range p.Workers {
			held = append(held, fleet.Held{Info: w.Info, State: w.State, Reason: w.Reason, Busy: w.InFlight})
		}
	}
	e.Workers = handover.Workers(held)
	return e, nil
}

// within waits for the new process to get so far.
func (h *heir) within(ctx context.Context, limit time.Duration, stage handover.Stage) error {
	late := fmt.Errorf("the new process was not %q within %v", stage, limit)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	return h.Await(ctx, stage)
}

// explain says what became of a process that is gone without a word.
func (h *heir) explain(err error) error {
	if !errors.Is(err, handover.ErrGone) {
		return err
	}
	timer := time.NewTimer(killTime)
	defer timer.Stop()
	select {
	case <-h.Ended():
		return fmt.Errorf("the new process ended before it took over (%s): its own output says why", h.State())
	case <-timer.C:
		return errors.New("the new process hung up before it took over")
	}
}

// backOut goes on as if nothing had been tried. The new process is gone before anything is taken back from it.
func (r *run) backOut(h *heir, why error) {
	a := r.app
	h.Abort(why.Error())
	timer := time.NewTimer(killTime)
	defer timer.Stop()
	if h.frozen {
		h.Kill() // requests wait
	}
	select {
	case <-h.Ended():
	case <-timer.C:
		h.Kill()
		<-h.Ended()
	}
	a.fleet.TakeBack()
	if err := a.lock.keep(a.about()); err != nil { // the new one may have written its name already, and our guard would take it for a successor
		a.Log.Warn("the lock does not name this process", slog.Any("error", err))
	}
	h.Successor.Close()
	if h.shut {
		if err := r.reopenControl(h.copies); err != nil {
			a.Log.Error("the admin plane cannot be opened again", slog.Any("error", err))
		}
	}
	if h.held {
		_ = a.scaler.Resume(context.Background()) // the loop is there: only Run ends it
	}
	h.close()
}

// close lets go of the copies.
func (h *heir) close() {
	for _, file := range h.copies {
		if file != nil {
			file.Close()
		}
	}
}
