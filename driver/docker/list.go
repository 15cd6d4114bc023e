package docker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"

	"understudy/driver"
)

// List implements driver.Driver: every container with this instance's label, the oldest first. A worker whose Start is under
// way may be among them, as not running.
func (d *Driver) List(ctx context.Context) ([]driver.Instance, error) {
	all, err := d.listContainers(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]driver.Instance, 0, len(all))
	for _, c := range all {
		out = append(out, fromSummary(c))
	}
	slices.SortFunc(out, func(a, b driver.Instance) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Worker, b.Worker))
	})
	return out, nil
}

// listContainers lists this instance's containers, all or an error.
func (d *Driver) listContainers(ctx context.Context) (all []container.Summary, err error) {
	err = d.engine.read(ctx, d.engine.limits.list, "list containers", func(ctx context.Context) (err error) {
		all, err = d.engine.api().ContainerList(ctx, container.ListOptions{All: true, Filters: d.mine()})
		return err
	})
	if err != nil {
		return nil, err // what was decoded before a cut is not to be trusted
	}
	return slices.DeleteFunc(all, func(c container.Summary) bool { return c.Labels[labelInstance] != d.instance }), nil
}

func fromSummary(c container.Summary) driver.Instance {
	inst := fromLabels(c.ID, c.Labels)
	inst.Running = c.State == container.StateRunning || c.State == container.StatePaused
	inst.Paused = c.State == container.StatePaused
	inst.Created = time.Unix(c.Created, 0)
	inst.Image = c.ImageID
	if inside := c.Labels[labelInside]; inside != "" && c.NetworkSettings != nil {
		inst.Address = reachedAt(addressOf(container.NetworkMode(c.HostConfig.NetworkMode), c.NetworkSettings.Networks), inside)
	}
	if !inst.Running {
		inst.ExitCode = exitCode(c.Status)
	}
	return inst
}

// exitCode reads the code from a status such as "Exited (137) 3 seconds ago", the only place where a list has it.
func exitCode(status string) int {
	var code int
	if _, err := fmt.Sscanf(status, "Exited (%d)", &code); err != nil {
		return 0 // created, or being removed
	}
	return code
}
