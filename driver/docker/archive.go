package docker

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/opencontainers/go-digest"
	imagespec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	layerName    = "layer.tar"
	configName   = "config.json"
	manifestName = "manifest.json"
)

// writeArchive writes the worker image as `docker save` does. Nothing in it depends on when, where or by whom it is written, so that an
// executable is one image: its id, which is the digest of its configuration, is the same whoever makes it, and again after it was removed.
func writeArchive(w io.Writer, bin executable, arch, ref string) error {
	sum := sha256.New()
	size := counter(0)
	if err := writeLayer(io.MultiWriter(sum, &size), bin); err != nil {
		return err
	}
	config, err := json.Marshal(workerConfig(bin, arch, digest.NewDigest(digest.SHA256, sum)))
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": configName, "RepoTags": []string{ref}, "Layers": []string{layerName}}})
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	if err := errors.Join(writeFile(archive, configName, config), writeFile(archive, manifestName, manifest)); err != nil {
		return err
	}
	if err := archive.WriteHeader(entry(layerName, int64(size))); err != nil {
		return err
	}
	if err := writeLayer(archive, bin); err != nil {
		return err
	}
	return archive.Close()
}

// workerConfig is Dockerfile.worker, and the label by which the image is known.
func workerConfig(bin executable, arch string, layer digest.Digest) imagespec.Image {
	return imagespec.Image{
		Platform: imagespec.Platform{OS: "linux", Architecture: arch},
		Config: imagespec.ImageConfig{
			User:         defaultUser,
			Entrypoint:   []string{workerPath},
			Cmd:          []string{"worker"},
			ExposedPorts: map[string]struct{}{fmt.Sprintf("%d/tcp", defaultPort): {}},
			Labels:       map[string]string{labelWorkerImage: bin.hash},
		},
		RootFS:  imagespec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer}},
		History: []imagespec.History{{Comment: "the worker inside understudy"}},
	}
}

// writeLayer writes the root of the image: one executable.
func writeLayer(w io.Writer, bin executable) error {
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

func writeFile(archive *tar.Writer, name string, content []byte) error {
	if err := archive.WriteHeader(entry(name, int64(len(content)))); err != nil {
		return err
	}
	_, err := archive.Write(content)
	return err
}

func entry(name string, size int64) *tar.Header {
	return &tar.Header{Name: name, Mode: 0o644, Size: size, Typeflag: tar.TypeReg}
}

// counter counts what is written to it, in bytes.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
