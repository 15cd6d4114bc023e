package docker

import (
	"context"
	"errors"
	"time"

	"github.com/docker/docker/api/types/container"

	"understudy/driver"
)

// Stop implements driver.Driver. The worker gets its image's stop signal, or SIGTERM; past the grace SIGKILL.
func (d *Driver) Stop(ctx context.Context, id driver.ID, grace time.Duration) (err error) {
	defer func() {
		if err != nil && ctx.Err() != nil {
			d.forsaken.Store(true)
		}
	}()
	found, err := d.doomed(ctx, string(id))
	if errors.Is(err, driver.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if found.State != nil && found.State.Running && !found.State.Paused && grace > 0 { // a paused one hears no signal
		if err := d.ask(ctx, found, grace); err != nil {
			return err
		}
	}
	release, err := d.engine.change(ctx, "remove container "+found.Name)
	if err != nil {
		return err
	}
	defer release()
	d.stopped.Store(true)
	return d.remove(ctx, found.ID)
}

// doomed inspects a worker that is to be removed. The engine answers nothing about a container while somebody else removes it, so one
// that is slow is asked again for as long as a removal may take: had Stop failed, the worker would be gone all the same.
func (d *Driver) doomed(ctx context.Context, id string) (container.InspectResponse, error) {
	limited, cancel := context.WithTimeout(ctx, d.engine.limits.remove)
	defer cancel()
	wait := driver.Backoff{Base: 50 * time.Millisecond, Max: time.Second}
	for {
		found, err := d.owned(ctx, id)
		if !errors.Is(err, errSlow) || pause(limited, wait.Next()) != nil {
			return found, err
		}
	}
}

// ask asks the worker to end and waits until it has or the grace is over. That is nothing the engine works at, so the wait
// takes no slot. Only the end of ctx is an error: whatever else fails, the worker is forced next.
func (d *Driver) ask(ctx context.Context, found container.InspectResponse, grace time.Duration) error {
	signal := "SIGTERM"
	if found.Config != nil && found.Config.StopSignal != "" {
		signal = found.Config.StopSignal
	}
	release, err := d.engine.change(ctx, "signal container "+found.Name)
	if err != nil {
		return err
	}
	err = d.engine.do(ctx, d.engine.limits.signal, "signal container "+found.Name, func(ctx context.Context) error {
		return d.engine.api().ContainerKill(ctx, found.ID, signal)
	})
	release()
	if err != nil && ctx.Err() == nil {
		d.log.Debug("docker: a worker could not be asked to end", "worker", found.Name, "error", err)
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	ended, failed := d.engine.api().ContainerWait(limited, found.ID, container.WaitConditionNotRunning)
	select { // one of them always comes, at the end of limited at the latest
	case <-ended:
	case <-failed:
	}
	if ctx.Err() != nil {
		return d.engine.explain(ctx, "wait for container "+found.Name, grace, ctx.Err())
	}
	if limited.Err() != nil {
		d.log.Info("docker: a worker did not end when asked to and is forced", "worker", found.Name, "signal", signal, "grace", grace)
	}
	return nil
}
