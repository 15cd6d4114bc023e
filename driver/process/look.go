package process

import (
	"context"
	"fmt"
	"io"
	"slices"

	"understudy/driver"
)

// List implements driver.Driver: every child that was not stopped, the oldest first.
func (d *Driver) List(ctx context.Context) ([]driver.Instance, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]*child, 0, len(d.children))
	for _, c := range d.children {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *child) int { return a.serial - b.serial })
	out := make([]driver.Instance, 0, len(all))
	for _, c := range all {
		out = append(out, c.copy())
	}
	return out, nil
}

// Inspect implements driver.Inspector.
func (d *Driver) Inspect(ctx context.Context, id driver.ID) (driver.Instance, error) {
	c, err := d.child(ctx, id)
	if err != nil {
		return driver.Instance{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return c.copy(), nil
}

// Logs implements driver.Logger: the last 200 lines are kept.
func (d *Driver) Logs(ctx context.Context, id driver.ID, tail int, follow bool) (io.ReadCloser, error) {
	c, err := d.child(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.logs.Read(ctx, tail, follow), nil
}

func (d *Driver) child(ctx context.Context, id driver.ID) (*child, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.children[id]
	if c == nil {
		return nil, fmt.Errorf("process %s: %w", id, driver.ErrNotFound)
	}
	return c, nil
}

// Watch implements driver.Watcher. A receiver that does not keep up loses hints.
func (d *Driver) Watch(ctx context.Context) <-chan driver.ID {
	hints := make(chan driver.ID, 64)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers[hints] = true
	context.AfterFunc(ctx, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watchers, hints)
		close(hints)
	})
	return hints
}
