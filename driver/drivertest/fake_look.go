package drivertest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"understudy/driver"
)

// List implements driver.Driver. Workers come in the order of their starts.
func (f *Fake) List(ctx context.Context) (all []driver.Instance, err error) {
	end := f.begin("list", Call{})
	defer func() { end("", err) }()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refusal(ctx, "list"); err != nil {
		return nil, err
	}
	return f.all(), nil
}

// Workers is List without a call: it is not recorded and never fails.
func (f *Fake) Workers() []driver.Instance {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all()
}

// all copies the workers out. Called with mu held.
func (f *Fake) all() []driver.Instance {
	out := make([]driver.Instance, 0, len(f.workers))
	for w := range maps.Values(f.workers) {
		out = append(out, w.copy())
	}
	slices.SortFunc(out, func(a, b driver.Instance) int { return serialOf(a.ID) - serialOf(b.ID) })
	return out
}

func serialOf(id driver.ID) (n int) {
	fmt.Sscanf(string(id), "fake-%d", &n)
	return n
}

// copy shares no memory with the worker. Called with mu held.
func (w *fakeWorker) copy() driver.Instance {
	inst := w.inst
	inst.Capabilities = slices.Clone(inst.Capabilities)
	return inst
}

// Inspect implements driver.Inspector.
func (f *Fake) Inspect(ctx context.Context, id driver.ID) (inst driver.Instance, err error) {
	end := f.begin("inspect", Call{Worker: f.nameOf(id), ID: id})
	defer func() { end(id, err) }()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refusal(ctx, "inspect"); err != nil {
		return driver.Instance{}, err
	}
	w := f.workers[id]
	if w == nil {
		return driver.Instance{}, fmt.Errorf("fake: %s: %w", id, driver.ErrNotFound)
	}
	return w.copy(), nil
}

// Logs implements driver.Logger.
func (f *Fake) Logs(ctx context.Context, id driver.ID, tail int, follow bool) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refusal(ctx, "logs"); err != nil {
		return nil, err
	}
	w := f.workers[id]
	if w == nil {
		return nil, fmt.Errorf("fake: %s: %w", id, driver.ErrNotFound)
	}
	return w.logs.Read(ctx, tail, follow), nil
}

// Watch implements driver.Watcher. A watcher that does not read loses hints.
func (f *Fake) Watch(ctx context.Context) <-chan driver.ID {
	hints := make(chan driver.ID, 64)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[hints] = true
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, hints)
		close(hints)
	})
	return hints
}

// hint tells every watcher. Called with mu held.
func (f *Fake) hint(id driver.ID) {
	for hints := range f.watchers {
		select {
		case hints <- id:
		default: // hints may be lost
		}
	}
}

// Prepare implements driver.Preparer: it does nothing but what FailNext says.
func (f *Fake) Prepare(ctx context.Context, spec driver.Spec) (err error) {
	end := f.begin("prepare", Call{Spec: spec})
	defer func() { end("", err) }()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refusal(ctx, "prepare")
}

// Sweep implements driver.Sweeper.
func (f *Fake) Sweep(ctx context.Context, dryRun bool) (lines []string, err error) {
	end := f.begin("sweep", Call{})
	defer func() { end("", err) }()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refusal(ctx, "sweep"); err != nil {
		return nil, err
	}
	for _, inst := range f.all() {
		lines = append(lines, strings.TrimSpace("worker "+inst.Worker))
		if !dryRun {
			f.halt(f.workers[inst.ID], forcedCode)
			delete(f.workers, inst.ID)
		}
	}
	return lines, nil
}
