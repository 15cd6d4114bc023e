package docker

import (
	"context"
	"errors"
	"fmt"

	"understudy/driver"
)

// Pause implements driver.Pauser. It is in no hurry: it looks first whether there is anything to do, and takes its turn behind starts.
func (d *Driver) Pause(ctx context.Context, id driver.ID) error {
	found, err := d.owned(ctx, string(id))
	switch {
	case err != nil:
		return err
	case found.State == nil || !found.State.Running:
		return fmt.Errorf("docker: pause container %s: it does not run", found.Name)
	case found.State.Paused:
		return nil
	}
	what := "pause container " + found.Name
	release, err := d.engine.change(ctx, what)
	if err != nil {
		return err
	}
	defer release()
	err = d.engine.do(ctx, d.engine.limits.pause, what, func(ctx context.Context) error {
		return d.engine.api().ContainerPause(ctx, found.ID)
	})
	return d.frozen(ctx, id, true, err)
}

// Resume implements driver.Pauser: one call, in a lane of its own.
func (d *Driver) Resume(ctx context.Context, id driver.ID) error {
	if id == "" {
		return fmt.Errorf("docker: wake a container without id: %w", driver.ErrNotFound)
	}
	err := d.engine.do(ctx, d.engine.limits.resume, "wake container "+string(id), func(ctx context.Context) error {
		release, err := claim(ctx, d.engine.wakes)
		if err != nil {
			return err
		}
		defer release()
		return d.engine.api().ContainerUnpause(ctx, string(id))
	})
	return d.frozen(ctx, id, false, err)
}

// frozen looks what became of a container after the engine refused to freeze or wake it. One that is as it should be is no failure: the
// engine says so in words that differ between versions, with a 409 or a 500.
func (d *Driver) frozen(ctx context.Context, id driver.ID, want bool, refusal error) error {
	switch {
	case refusal == nil, errors.Is(refusal, driver.ErrUnavailable), ctx.Err() != nil:
		return refusal
	}
	found, err := d.owned(ctx, string(id))
	switch {
	case errors.Is(err, driver.ErrNotFound):
		return err
	case err == nil && found.State != nil && found.State.Running && found.State.Paused == want:
		return nil
	}
	return refusal
}
