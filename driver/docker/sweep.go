package docker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	imagetypes "github.com/docker/docker/api/types/image"
)

// sweeping is one thing to be removed.
type sweeping struct {
	line   string
	remove func(ctx context.Context) error
}

// errInUse: somebody has begun to use it since it was listed, so it stays.
var errInUse = errors.New("it is in use again")

// Sweep implements driver.Sweeper: all containers of the instance, running or not, then its networks, then the worker images that no
// container of anybody uses. When one of the lists fails nothing is removed. What cannot be removed is in the error; the
// lines are of what was.
func (d *Driver) Sweep(ctx context.Context, dryRun bool) ([]string, error) {
	phases, err := d.sweepings(ctx)
	if err != nil {
		return nil, err
	}
	var lines []string
	var failed error
	for _, phase := range phases {
		for i, err := range d.sweepAll(ctx, phase, dryRun) {
			switch {
			case err == nil:
				lines = append(lines, phase[i].line)
			case !errors.Is(err, errInUse):
				failed = errors.Join(failed, err)
			}
		}
	}
	if !dryRun {
		d.networks.forget()
		d.images.forget()
	}
	return lines, failed
}

// sweepAll removes the things of one phase, a few at a time, and returns what came of each.
func (d *Driver) sweepAll(ctx context.Context, phase []sweeping, dryRun bool) []error {
	results := make([]error, len(phase))
	if dryRun {
		return results
	}
	var group sync.WaitGroup
	for i, thing := range phase {
		group.Go(func() {
			release, err := d.engine.change(ctx, "remove "+thing.line)
			if err == nil {
				defer release()
				err = thing.remove(ctx)
			}
			results[i] = err
		})
	}
	group.Wait()
	return results
}

// sweepings lists everything first, in the order in which it has to go.
func (d *Driver) sweepings(ctx context.Context) ([][]sweeping, error) {
	everyone, err := d.everyContainer(ctx)
	if err != nil {
		return nil, err
	}
	networks, err := d.networkSweepings(ctx, everyone)
	if err != nil {
		return nil, err
	}
	images, err := d.imageSweepings(ctx, everyone)
	if err != nil {
		return nil, err
	}
	return [][]sweeping{d.containerSweepings(everyone), networks, images}, nil
}

// everyContainer lists the containers of everybody: whose image is in use must be known for sure.
func (d *Driver) everyContainer(ctx context.Context) (all []container.Summary, err error) {
	err = d.engine.read(ctx, d.engine.limits.list, "list all containers", func(ctx context.Context) (err error) {
		all, err = d.engine.api().ContainerList(ctx, container.ListOptions{All: true})
		return err
	})
	return all, err
}

func (d *Driver) ours(c container.Summary) bool { return c.Labels[labelInstance] == d.instance }

func (d *Driver) containerSweepings(everyone []container.Summary) []sweeping {
	var out []sweeping
	for _, c := range everyone {
		if d.ours(c) {
			name := strings.TrimPrefix(strings.Join(c.Names, " "), "/")
			out = append(out, sweeping{"container " + name, func(ctx context.Context) error { return d.remove(ctx, c.ID) }})
		}
	}
	return sorted(out)
}

func (d *Driver) networkSweepings(ctx context.Context, everyone []container.Summary) ([]sweeping, error) {
	all, err := d.listNetworks(ctx)
	if err != nil {
		return nil, err
	}
	var out []sweeping
	for _, n := range all {
		what := "network " + n.Name
		out = append(out, sweeping{what, func(ctx context.Context) error {
			for _, who := range d.onNetwork(everyone, n.ID) {
				if err := d.disconnect(ctx, n.ID, who); err != nil {
					return err
				}
			}
			err := d.engine.do(ctx, d.engine.limits.remove, "remove "+what, func(ctx context.Context) error {
				return d.engine.api().NetworkRemove(ctx, n.ID)
			})
			return ignoreNotFound(err)
		}})
	}
	return sorted(out), nil
}

func (d *Driver) imageSweepings(ctx context.Context, everyone []container.Summary) ([]sweeping, error) {
	var images []imagetypes.Summary
	err := d.engine.read(ctx, d.engine.limits.list, "list images", func(ctx context.Context) (err error) {
		images, err = d.engine.api().ImageList(ctx, imagetypes.ListOptions{Filters: filters.NewArgs(filters.Arg("label", labelWorkerImage))})
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []sweeping
	for _, img := range images {
		used := slices.ContainsFunc(everyone, func(c container.Summary) bool { return c.ImageID == img.ID && !d.ours(c) })
		if !used {
			out = append(out, d.imageSweeping(img)...)
		}
	}
	return sorted(out), nil
}

// imageSweeping removes an image by its names; one that has lost them, by its id. A name somebody else gave it keeps it.
func (d *Driver) imageSweeping(img imagetypes.Summary) []sweeping {
	names := slices.DeleteFunc(slices.Clone(img.RepoTags), func(tag string) bool { return tag == "<none>:<none>" })
	if len(names) == 0 {
		names = []string{img.ID}
	}
	var out []sweeping
	for _, name := range names {
		if !strings.HasPrefix(name, workerRepository+":") && name != img.ID {
			continue
		}
		out = append(out, sweeping{"image " + name, func(ctx context.Context) error {
			if err := d.removeImage(ctx, name); err != nil {
				return err
			}
			return d.removeNameless(ctx, img.ID)
		}})
	}
	return out
}

// removeNameless removes an image that has lost its last name without having been removed with it, as one does whose names two sweeps take at
// once.
func (d *Driver) removeNameless(ctx context.Context, id string) error {
	found, err := d.inspectImage(ctx, id)
	if err == nil && len(found.RepoTags) == 0 {
		err = d.removeImage(ctx, id)
	}
	return ignoreNotFound(err)
}

// removeImage removes an image, or a name of it. What somebody else has removed at the same moment is gone as well, whatever the
// engine says then.
func (d *Driver) removeImage(ctx context.Context, name string) error {
	err := d.engine.do(ctx, d.engine.limits.remove, "remove image "+name, func(ctx context.Context) error {
		_, err := d.engine.api().ImageRemove(ctx, name, imagetypes.RemoveOptions{})
		return err
	})
	if errors.Is(err, errConflict) { // a container has come that uses it
		return errInUse
	}
	if err != nil {
		if _, look := d.inspectImage(ctx, name); errors.Is(look, errNotFound) {
			return nil
		}
	}
	return err
}

func ignoreNotFound(err error) error {
	if errors.Is(err, errNotFound) {
		return nil
	}
	return err
}

func sorted(things []sweeping) []sweeping {
	slices.SortFunc(things, func(a, b sweeping) int { return strings.Compare(a.line, b.line) })
	return things
}
