package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/docker/cli/cli/config"
	imagetypes "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"

	"understudy/driver"
)

// pull pulls an image with the credentials the docker CLI keeps for its registry. Whatever the registry answers, the image is
// missing then, with the reason; only an engine that is away is driver.ErrUnavailable.
func (d *Driver) pull(ctx context.Context, ref string) error {
	auth, err := credentials(ref)
	if err != nil {
		return failure(fmt.Sprintf("image %s cannot be pulled: %v", ref, err), driver.ErrImageMissing)
	}
	d.log.Info("docker: pulling an image", "image", ref)
	err = d.engine.do(ctx, d.engine.limits.pull, "pull image "+ref, func(ctx context.Context) error {
		body, err := d.engine.api.ImagePull(ctx, ref, imagetypes.PullOptions{RegistryAuth: auth})
		if err != nil {
			return err
		}
		defer body.Close()
		return progress(body)
	})
	if err == nil || errors.Is(err, driver.ErrUnavailable) || ctx.Err() != nil {
		return err
	}
	return failure(fmt.Sprintf("image %s cannot be pulled: %v", ref, err), driver.ErrImageMissing)
}

// progress reads the engine's report on a pull or an import to its end; it is over only then, and fails in the middle of it.
func progress(r io.Reader) error {
	messages := json.NewDecoder(r)
	for {
		var m struct{ Error string }
		switch err := messages.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != "":
			return errors.New(m.Error)
		}
	}
}

// credentials returns what the docker CLI keeps for the registry of an image, encoded for the engine.
func credentials(ref string) (string, error) {
	cfg, err := config.Load(configDir())
	if err != nil {
		return "", fmt.Errorf("the docker CLI's configuration cannot be read: %w", err)
	}
	kept, err := cfg.GetAuthConfig(registryOf(ref))
	if err != nil {
		return "", fmt.Errorf("the docker CLI's credentials for %s cannot be read: %w", registryOf(ref), err)
	}
	return registry.EncodeAuthConfig(registry.AuthConfig(kept))
}

// registryOf is the key under which the docker CLI keeps the credentials for an image.
func registryOf(ref string) string {
	const hub = "https://index.docker.io/v1/"
	host, _, ok := strings.Cut(ref, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" && strings.ToLower(host) == host {
		return hub
	}
	if host == "docker.io" || host == "index.docker.io" {
		return hub
	}
	return host
}
