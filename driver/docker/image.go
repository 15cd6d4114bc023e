package docker

import (
	"context"
	"errors"
	"fmt"

	imagetypes "github.com/docker/docker/api/types/image"

	"understudy/driver"
)

// image is what a container is made of.
type image struct {
	ref  string // what the engine is told: fixed content, not a tag that may move
	user string // of its configuration; empty: root
}

// image finds the spec's image: built, pulled, or there already. It is looked for once and remembered, so that all workers run the
// same content until the next Prepare.
func (d *Driver) image(ctx context.Context, spec driver.Spec, fresh bool) (image, error) {
	key := spec.Image + " " + string(spec.Pull)
	return d.images.get(ctx, key, fresh, d.spawn, func(ctx context.Context) (image, error) {
		switch {
		case spec.Image == "":
			return d.workerImage(ctx)
		case spec.Pull == driver.PullAlways:
			if err := d.pull(ctx, spec.Image); err != nil {
				return image{}, err
			}
			return d.localImage(ctx, spec.Image)
		}
		img, err := d.localImage(ctx, spec.Image)
		if !errors.Is(err, driver.ErrImageMissing) || spec.Pull == driver.PullNever {
			return img, err
		}
		if err := d.pull(ctx, spec.Image); err != nil {
			return image{}, err
		}
		return d.localImage(ctx, spec.Image)
	})
}

// localImage looks whether the engine has the image.
func (d *Driver) localImage(ctx context.Context, ref string) (image, error) {
	found, err := d.inspectImage(ctx, ref)
	if errors.Is(err, errNotFound) {
		return image{}, failure(fmt.Sprintf("image %s is not on this engine and is not to be pulled: docker pull %s, or set pull: missing", ref, ref),
			driver.ErrImageMissing)
	}
	if errors.Is(err, errInvalid) {
		return image{}, failure(err.Error(), driver.ErrImageMissing) // no image will ever have such a name
	}
	if err != nil {
		return image{}, err
	}
	img := image{ref: found.ID}
	if found.Config != nil {
		img.user = found.Config.User
	}
	return img, nil
}

func (d *Driver) inspectImage(ctx context.Context, ref string) (found imagetypes.InspectResponse, err error) {
	err = d.engine.read(ctx, d.engine.limits.inspect, "inspect image "+ref, func(ctx context.Context) (err error) {
		found, err = d.engine.api.ImageInspect(ctx, ref)
		return err
	})
	return found, err
}
