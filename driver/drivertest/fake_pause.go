package drivertest

import (
	"context"
	"fmt"
	"net/http"

	"understudy/driver"
)

// Pause implements driver.Pauser. It takes the worker's PauseDelay; what ctx cuts short may have frozen it or not: here it has.
func (f *Fake) Pause(ctx context.Context, id driver.ID) error {
	return f.switchTo(ctx, "pause", id, func(w *fakeWorker) {
		w.inst.Paused = true
		if w.thaw == nil {
			w.thaw = make(chan struct{})
		}
	})
}

// Resume implements driver.Pauser. It takes the worker's ResumeDelay.
func (f *Fake) Resume(ctx context.Context, id driver.ID) error {
	return f.switchTo(ctx, "resume", id, (*fakeWorker).unfreeze)
}

// Freeze pauses a running worker as another's hand would, without a call. It returns false when no such worker runs.
func (f *Fake) Freeze(worker string) bool {
	w := f.find(worker)
	if w == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	w.inst.Paused = w.inst.Running
	return w.inst.Paused
}

func (f *Fake) switchTo(ctx context.Context, op string, id driver.ID, change func(*fakeWorker)) (err error) {
	end := f.begin(op, Call{Worker: f.nameOf(id), ID: id})
	defer func() { end(id, err) }()
	w, err := f.running(ctx, op, id)
	if err != nil {
		return err
	}
	delay := w.plan.PauseDelay
	if op == "resume" {
		delay = w.plan.ResumeDelay
	}
	err = pause(ctx, delay)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.workers[id] != w || !w.inst.Running {
		return fmt.Errorf("fake: %s: %w", id, driver.ErrNotFound)
	}
	if err == nil || op == "pause" {
		change(w)
	}
	return err
}

func (f *Fake) running(ctx context.Context, op string, id driver.ID) (*fakeWorker, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refusal(ctx, op); err != nil {
		return nil, err
	}
	w := f.workers[id]
	switch {
	case w == nil:
		return nil, fmt.Errorf("fake: %s: %w", id, driver.ErrNotFound)
	case !w.inst.Running:
		return nil, fmt.Errorf("fake: %s does not run", id)
	}
	return w, nil
}

// unfreeze is called with the fake's mu held.
func (w *fakeWorker) unfreeze() {
	w.inst.Paused = false
	if w.thaw != nil {
		close(w.thaw)
		w.thaw = nil
	}
}

// thawed makes requests to a frozen worker wait until it goes on or their client leaves.
func (f *Fake) thawed(w *fakeWorker, next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		thaw := w.thaw
		f.mu.Unlock()
		if thaw != nil {
			select {
			case <-thaw:
			case <-r.Context().Done():
				return
			}
		}
		next.ServeHTTP(rw, r)
	})
}
