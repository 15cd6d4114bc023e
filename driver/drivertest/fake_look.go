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
	if err := f.stall(ctx, "list"); err != nil {
		return nil, err
	}
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
	workers := slices.SortedFunc(maps.Values(f.workers), func(a, b *fakeWorker) int { return a.serial - b.serial })
	out := make([]driver.Instance, len(workers))
	for i, w := range workers {
		out[i] = w.copy()
	}
	return out
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
	if err := f.stall(ctx, "inspect"); err != nil {
		return driver.Instance{}, err
	}
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
	if f.mute {
		return
	}
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

// Resolve implements driver.Resolver. It counts as a prepare.
func (f *Fake) Resolve(ctx context.Context, spec driver.Spec) (image string, err error) {
	end := f.begin("prepare", Call{Spec: spec})
	defer func() { end("", err) }()
	if f.opts.PrepareDelay != nil {
		if err := pause(ctx, f.opts.PrepareDelay(spec)); err != nil {
			return "", err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refusal(ctx, "prepare"); err != nil {
		return "", err
	}
	return f.content(spec.Image), nil
}

// content is what an image's name means now. Called with mu held.
func (f *Fake) content(image string) string {
	const id = "sha256:"
	if content, ok := f.contents[image]; ok {
		return content
	}
	if strings.HasPrefix(image, id) {
		return image
	}
	return id + image
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
