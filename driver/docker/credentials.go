package docker

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"
	"github.com/docker/docker/api/types/registry"
)

// credentials returns what the docker CLI keeps for the registry of an image, encoded for the engine. Where that cannot be read, what is
// returned is for nobody in particular, and still good for the images that everybody may have. patience bounds a credential helper.
func credentials(ctx context.Context, ref string, patience time.Duration) (encoded string, err error) {
	host := registryOf(ref)
	cfg, err := config.Load(configDir())
	if err != nil {
		return "", fmt.Errorf("the docker CLI's configuration cannot be read: %w", err)
	}
	kept, err := keptFor(ctx, cfg, host, patience)
	if err != nil {
		return "", fmt.Errorf("the docker CLI's credentials for %s cannot be read: %w", host, err)
	}
	return registry.EncodeAuthConfig(registry.AuthConfig(kept))
}

// keptFor asks where the docker CLI asks: the environment, then the registry's helper or the one for all, or the file. The CLI's own library
// waits for a helper for ever, so the helper is run here.
func keptFor(ctx context.Context, cfg *configfile.ConfigFile, host string, patience time.Duration) (types.AuthConfig, error) {
	if os.Getenv(configfile.DockerEnvConfigKey) != "" { // which stands alone here: what the file says counts only where no helper is asked
		if given, err := configfile.New("").GetAuthConfig(host); err == nil && given.Username != "" {
			return given, nil
		}
	}
	name, special := cfg.CredentialHelpers[host]
	if !special {
		name = cfg.CredentialsStore
	}
	if name != "" {
		return askHelper(ctx, "docker-credential-"+name, host, patience)
	}
	cfg.CredentialHelpers, cfg.CredentialsStore = nil, ""
	return cfg.GetAuthConfig(host)
}

// registryOf is the key under which the docker CLI keeps the credentials for an image.
func registryOf(ref string) string {
	host, _, ok := strings.Cut(ref, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" && strings.ToLower(host) == host {
		return hub
	}
	if host == "docker.io" || host == "index.docker.io" {
		return hub
	}
	return host
}

const hub = "https://index.docker.io/v1/"
