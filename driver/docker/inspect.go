package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"

	"understudy/driver"
)

// Inspect implements driver.Inspector.
func (d *Driver) Inspect(ctx context.Context, id driver.ID) (driver.Instance, error) {
	found, err := d.owned(ctx, string(id))
	if err != nil {
		return driver.Instance{}, err
	}
	return fromInspect(found), nil
}

// owned inspects a container of this instance; one of anybody else is driver.ErrNotFound, as if it were not there.
func (d *Driver) owned(ctx context.Context, id string) (container.InspectResponse, error) {
	found, err := d.inspect(ctx, id)
	if err == nil && !d.isOurs(found) {
		return container.InspectResponse{}, fmt.Errorf("docker: container %s is not of instance %s: %w", id, d.instance, driver.ErrNotFound)
	}
	return found, err
}

func (d *Driver) isOurs(found container.InspectResponse) bool {
	return found.ContainerJSONBase != nil && found.Config != nil && found.Config.Labels[labelInstance] == d.instance
}

// inspect inspects a container, whosever it is.
func (d *Driver) inspect(ctx context.Context, id string) (found container.InspectResponse, err error) {
	if id == "" {
		return found, fmt.Errorf("docker: a container without id: %w", driver.ErrNotFound)
	}
	if d.hung.has(id) {
		return found, failure(fmt.Sprintf("the Docker engine at %s hung when it was last asked about container %s", d.engine.host, id), driver.ErrUnavailable, errSlow)
	}
	err = d.engine.read(ctx, d.engine.limits.inspect, "inspect container "+id, func(limited context.Context) (err error) {
		began := time.Now()
		found, err = d.engine.api().ContainerInspect(limited, id)
		// our limit, not the caller's, and not gone by in waiting for the slot
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && time.Since(began) >= d.engine.limits.inspect/2 {
			d.hung.park(id, d.engine.limits.parked)
		}
		return err
	})
	if errors.Is(err, errNotFound) {
		err = failure(err.Error(), driver.ErrNotFound)
	}
	return found, err
}

// fromInspect is what the labels say, but for the port of a container that runs: that is told only while it is published.
func fromInspect(found container.InspectResponse) driver.Instance {
	inst := fromLabels(found.ID, found.Config.Labels)
	inst.Image = found.Image
	if created, err := time.Parse(time.RFC3339Nano, found.Created); err == nil {
		inst.Created = created
	}
	if found.State != nil {
		inst.Running, inst.Paused = found.State.Running, found.State.Running && found.State.Paused
		if !inst.Running {
			inst.ExitCode, inst.OOM = found.State.ExitCode, found.State.OOMKilled
			inst.Removing = found.State.Status == container.StateRemoving
		}
	}
	switch inside := found.Config.Labels[labelInside]; {
	case inside != "" && found.HostConfig != nil && found.NetworkSettings != nil:
		inst.Address = reachedAt(addressOf(found.HostConfig.NetworkMode, found.NetworkSettings.Networks), inside)
	case inst.Running && !published(found, inst.HostPort):
		inst.HostPort, inst.Address = 0, ""
	}
	return inst
}

// published says whether the container is reached at that port of the loopback address.
func published(found container.InspectResponse, port int) bool {
	if found.NetworkSettings == nil {
		return false
	}
	for _, bindings := range found.NetworkSettings.Ports {
		if slices.Contains(bindings, nat.PortBinding{HostIP: loopback, HostPort: strconv.Itoa(port)}) {
			return true
		}
	}
	return false
}
