package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"
	imagetypes "github.com/docker/docker/api/types/image"

	"understudy/driver"
)

// image is what a container is made of.
type image struct {
	ref  string // what the engine is told: fixed content, not a tag that may move
	id   string // of that content, as containers made of it show it
	user string // of its configuration; empty: root

	origin driver.Origin
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
			return d.pulledImage(ctx, spec.Image)
		}
		img, err := d.localImage(ctx, spec.Image)
		if !errors.Is(err, driver.ErrImageMissing) || spec.Pull == driver.PullNever {
			return img, err
		}
		return d.pulledImage(ctx, spec.Image)
	})
}

// pulledImage pulls an image. While its registry is away, what is here is better than nothing: a balancer that is started again then must serve.
// What the registry refuses is refused.
func (d *Driver) pulledImage(ctx context.Context, ref string) (image, error) {
	failed := d.pull(d.fetching, ref)
	if failed != nil && !errors.Is(failed, errRegistryAway) {
		return image{}, failed
	}
	img, err := d.localImage(ctx, ref)
	switch {
	case failed == nil:
		return img, err
	case errors.Is(err, driver.ErrImageMissing):
		return image{}, failed
	case err != nil:
		return image{}, err
	}
	img.origin.Stale = failed.Error()
	d.log.Warn("docker: what is here of an image is used, which may be old", "image", ref, "id", img.id, "error", failed)
	return img, nil
}

// Origin implements driver.Puller.
func (d *Driver) Origin(id string) (o driver.Origin) {
	for _, img := range d.images.found() {
		if img.id == id && (o == driver.Origin{} || img.origin.Stale != "") {
			o = img.origin
		}
	}
	return o
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
	img := image{ref: found.ID, id: found.ID, origin: driver.Origin{Digest: digestOf(ref, found.RepoDigests)}}
	d.judgeArchitecture(ref, found.Architecture)
	if found.Config != nil {
		img.user = found.Config.User
	}
	return img, nil
}

func (d *Driver) inspectImage(ctx context.Context, ref string) (found imagetypes.InspectResponse, err error) {
	err = d.engine.read(ctx, d.engine.limits.inspect, "inspect image "+ref, func(ctx context.Context) (err error) {
		found, err = d.engine.api().ImageInspect(ctx, ref)
		return err
	})
	return found, err
}

// digestOf finds the digest by which the registry of an image gives its content to everybody.
func digestOf(ref string, all []string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	for _, d := range all {
		if other, err := reference.ParseNormalizedNamed(d); err == nil && other.Name() == named.Name() {
			_, digest, _ := strings.Cut(d, "@")
			return digest
		}
	}
	return ""
}

// judgeArchitecture warns of an image for other machines: whether this one can emulate those is not to be told from here.
func (d *Driver) judgeArchitecture(ref, arch string) {
	ours := d.engine.version.Arch
	if arch == "" || arch == ours {
		return
	}
	if _, again := d.warned.LoadOrStore([2]string{ref, arch}, true); !again {
		d.log.Warn("docker: an image is made for another machine: its workers run only where that is emulated, with an exec format error else",
			"image", ref, "architecture", arch, "engine", ours)
	}
}
