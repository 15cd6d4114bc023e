package docker

import (
	"context"
	"errors"
	"io"

	"understudy/driver"
)

const (
	workerRepository = "understudy-worker"
	workerPath       = "/understudy" // of the executable inside the image
)

// workerImage finds or makes the image of the worker inside this program: an empty one with nothing but the executable, named
// after its content. It is loaded, not built, so it needs no builder, no registry and no second compilation.
func (d *Driver) workerImage(ctx context.Context) (image, error) {
	bin, err := findExecutable(d.binary, d.engine.version.Arch)
	if err != nil {
		return image{}, failure(err.Error(), driver.ErrImageMissing)
	}
	ref := workerRepository + ":" + bin.hash[:12]
	found, err := d.inspectImage(ctx, ref)
	switch {
	case err == nil && found.Config != nil && found.Config.Labels[labelWorkerImage] == bin.hash:
		return image{ref: ref, id: found.ID, user: found.Config.User}, nil
	case err != nil && !errors.Is(err, errNotFound):
		return image{}, err
	}
	d.log.Info("docker: making the worker image", "image", ref, "from", bin.path)
	if err := d.loadImage(ctx, bin, ref); err != nil {
		return image{}, err
	}
	if found, err = d.inspectImage(ctx, ref); err != nil {
		return image{}, err
	}
	return image{ref: ref, id: found.ID, user: defaultUser}, nil
}

// loadImage gives the engine the image.
func (d *Driver) loadImage(ctx context.Context, bin executable, ref string) error {
	return d.engine.do(ctx, d.engine.limits.build, "make image "+ref, func(ctx context.Context) error {
		reader, writer := io.Pipe()
		defer reader.Close() // ends writeArchive when the engine did not read to the end
		go func() { writer.CloseWithError(writeArchive(writer, bin, d.engine.version.Arch, ref)) }()
		answer, err := d.engine.api().ImageLoad(ctx, reader)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		return messages(answer.Body, func(message) {})
	})
}
