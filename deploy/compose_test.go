package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

type compose struct {
	Services map[string]struct {
		Build struct{ Context, Dockerfile string }

		Command, Volumes []string
		NetworkMode      string `yaml:"network_mode"`
	}
}

func composeFile(t *testing.T) compose {
	t.Helper()
	return readYAML[compose](t, "compose.yaml")
}

// TestTheComposeFileNamesFilesThatExist: an engine makes an empty folder of a bind mount whose source is missing, and says nothing.
func TestTheComposeFileNamesFilesThatExist(t *testing.T) {
	services := composeFile(t).Services
	if len(services) != 3 {
		t.Fatalf("%d services", len(services))
	}
	for name, s := range services {
		if s.NetworkMode != "host" {
			t.Errorf("%s is not on the host's network, where the workers are", name)
		}
		for _, v := range s.Volumes {
			if source, _, _ := strings.Cut(v, ":"); strings.HasPrefix(source, ".") {
				if _, err := os.Stat(source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	b := services["understudy"].Build
	if _, err := os.Stat(filepath.Join(b.Context, b.Dockerfile)); err != nil {
		t.Error(err)
	}
}

// TestComposeTakesTheFile, whichever of the two programs is installed; both take the same file.
func TestComposeTakesTheFile(t *testing.T) {
	if _, err := exec.LookPath("docker-compose"); err == nil {
		tool(t, ".", "docker-compose", "--file", "compose.yaml", "config", "--quiet")
		return
	}
	if exec.Command("docker", "compose", "version").Run() != nil {
		t.Skip("neither docker-compose nor docker compose is installed")
	}
	tool(t, ".", "docker", "compose", "--file", "compose.yaml", "config", "--quiet")
}
