package docker

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	imagetypes "github.com/docker/docker/api/types/image"

	"understudy/driver"
)

const (
	workerRepository = "understudy-worker"
	workerPath       = "/understudy" // of the executable inside the image
)

// workerImage finds or makes the image of the worker inside this program: an empty one with nothing but the executable, named
// after its content. It is imported, not built, so it needs no builder, no registry and no second compilation.
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
	if err := d.importImage(ctx, bin, ref); err != nil {
		return image{}, err
	}
	if found, err = d.inspectImage(ctx, ref); err != nil {
		return image{}, err
	}
	return image{ref: ref, id: found.ID, user: defaultUser}, nil
}

// importImage is Dockerfile.worker in one call.
func (d *Driver) importImage(ctx context.Context, bin executable, ref string) error {
	return d.engine.do(ctx, d.engine.limits.build, "make image "+ref, func(ctx context.Context) error {
		reader, writer := io.Pipe()
		defer reader.Close() // ends pack when the engine did not read to the end
		go func() { writer.CloseWithError(pack(writer, bin)) }()
		body, err := d.engine.api().ImageImport(ctx, imagetypes.ImportSource{Source: reader, SourceName: "-"}, ref, imagetypes.ImportOptions{
			Message: "the worker inside understudy",
			Changes: []string{
				`ENTRYPOINT ["` + workerPath + `"]`,
				`CMD ["worker"]`,
				"USER " + defaultUser,
				fmt.Sprintf("EXPOSE %d", defaultPort),
				"LABEL " + labelWorkerImage + "=" + bin.hash,
			},
		})
		if err != nil {
			return err
		}
		defer body.Close()
		return messages(body, func(message) {})
	})
}

// pack writes the root of the image: one executable. Its times are fixed, so that equal content is an equal layer.
func pack(w io.Writer, bin executable) error {
	file, err := os.Open(bin.path)
	if err != nil {
		return err
	}
	defer file.Close()
	root := tar.NewWriter(w)
	if err := root.WriteHeader(&tar.Header{Name: workerPath[1:], Mode: 0o755, Size: bin.size, Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	if _, err := io.Copy(root, file); err != nil {
		return err
	}
	return root.Close()
}
