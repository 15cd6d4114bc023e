package docker

import (
	"context"
	"errors"
	"time"

	"github.com/docker/docker/api/types/container"

	"understudy/driver"
)

// remove removes a container by force, with its anonymous volumes, and returns when it is gone. An engine that says the container is
// busy, or that somebody else removes it, is asked again until it knows nothing of it: looking at a container that is being removed would
// wait for the removal, and longer than a look may take. Bounded by limits.remove.
func (d *Driver) remove(ctx context.Context, id string) error {
	limited, cancel := context.WithTimeout(ctx, d.engine.limits.remove)
	defer cancel()
	wait := driver.Backoff{Base: 50 * time.Millisecond, Max: 2 * time.Second}
	for {
		err := d.engine.do(limited, d.engine.limits.remove, "remove container "+id, func(ctx context.Context) error {
			return d.engine.api().ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
		})
		switch {
		case err == nil, errors.Is(err, errNotFound):
			d.hung.free(id) // whoever looks now is told at once that it is gone
			return nil
		case ctx.Err() != nil, errors.Is(err, driver.ErrUnavailable):
			return err
		}
		if pause(limited, wait.Next()) != nil {
			return err // what the engine said last tells more than that the time is over
		}
	}
}

// leftovers is what the trouble of removals after failed starts is about.
const leftovers = "removing what failed starts left behind"

// discard removes what an attempt has made; when that fails the attempt hunts for it later.
func (a *attempt) discard(bg context.Context, id string) {
	if err := a.remove(bg, id); err != nil {
		a.repeats.Add(leftovers, "", "docker: a container could not be removed yet", err, "container", a.plan.name)
		a.leftover = true
	}
}

// hunt removes the attempt's container when it turns up: a create or removal of unknown outcome may take effect late. After
// limits.hunt it is left to the next list, which shows it.
func (a *attempt) hunt(bg context.Context) {
	ctx, cancel := context.WithTimeout(bg, a.engine.limits.hunt)
	defer cancel()
	wait := driver.Backoff{Base: 50 * time.Millisecond, Max: 5 * time.Second}
	for {
		if a.removeLate(ctx) {
			a.repeats.Over(leftovers)
			a.log.Debug("docker: removed what a failed start left behind", "container", a.plan.name)
			return
		}
		if pause(ctx, wait.Next()) != nil {
			return
		}
	}
}

// removeLate removes the attempt's container if it is there now.
func (a *attempt) removeLate(ctx context.Context) bool {
	found, err := a.owned(ctx, a.plan.name)
	if err != nil || found.Config.Labels[labelGeneration] != a.plan.spec.Generation {
		return false
	}
	release, err := a.engine.change(ctx, "remove container "+a.plan.name)
	if err != nil {
		return false
	}
	defer release()
	return a.remove(ctx, found.ID) == nil
}
