package drivertest

import (
	"context"
	"time"

	"understudy/driver"
)

// forcedCode is what a worker ends with that had to be forced: 128 + SIGKILL.
const forcedCode = 137

// Stop implements driver.Driver. It takes the worker's StopDelay or the grace, whichever is shorter. A second Stop of the
// same worker waits for the first.
func (f *Fake) Stop(ctx context.Context, id driver.ID, grace time.Duration) (err error) {
	end := f.begin("stop", Call{Worker: f.nameOf(id), ID: id, Grace: grace})
	defer func() { end(id, err) }()
	if err := f.stall(ctx, "stop"); err != nil {
		return err
	}
	w, under, err := f.claimStop(ctx, id)
	switch {
	case err != nil || w == nil:
		return err
	case under != nil:
		return await(ctx, under)
	}
	delay := time.Duration(0)
	if f.hears(w) {
		delay = min(w.plan.StopDelay, grace)
	}
	err = pause(ctx, delay)
	f.finishStop(w, err == nil)
	return err
}

// claimStop finds the worker and claims its stop; under is the stop under way that another call has claimed.
func (f *Fake) claimStop(ctx context.Context, id driver.ID) (w *fakeWorker, under <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refusal(ctx, "stop"); err != nil {
		return nil, nil, err
	}
	w = f.workers[id]
	if w == nil || w.stopping != nil {
		if w != nil {
			under = w.stopping
		}
		return w, under, nil
	}
	w.stopping = make(chan struct{})
	return w, nil, nil
}

// finishStop ends the claimed stop; gone says whether the worker goes with it.
func (f *Fake) finishStop(w *fakeWorker, gone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if gone {
		f.halt(w, forcedCode)
		delete(f.workers, w.inst.ID)
	}
	close(w.stopping)
	w.stopping = nil
}

// hears tells whether the worker could heed being asked to end.
func (f *Fake) hears(w *fakeWorker) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return w.inst.Running && !w.inst.Paused
}

// halt ends what runs for the worker. Called with mu held.
func (f *Fake) halt(w *fakeWorker, code int) {
	if w.exit != nil {
		w.exit.Stop()
	}
	if w.server != nil {
		w.listener.Close() // its port must be free when Stop returns, even if its server has not got to serve yet
		w.server.Close()
	}
	w.unfreeze()
	if w.inst.Running {
		w.inst.Running, w.inst.ExitCode = false, code
	}
	w.logs.Close()
}

// end is a worker that ends by itself or by another's hand: it stays, not running, until Stop.
func (f *Fake) end(w *fakeWorker, code int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !w.inst.Running {
		return
	}
	f.halt(w, code)
	f.hint(w.inst.ID)
}

// endByItself is what a plan says of a worker's end.
func (f *Fake) endByItself(w *fakeWorker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !w.inst.Running {
		return
	}
	w.inst.OOM = w.plan.OOM
	f.halt(w, w.plan.ExitCode)
	f.hint(w.inst.ID)
}

// holdsPort: a worker that has ended holds none. Called with mu held.
func (w *fakeWorker) holdsPort() bool { return w.starting || w.inst.Running }

func await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
