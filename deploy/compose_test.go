package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type compose struct {
	Services map[string]struct {
		Build struct{ Context, Dockerfile string }

		Command, Volumes, Ports, Entrypoint []string
		Environment                         map[string]string
		NetworkMode                         string `yaml:"network_mode"`
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
		if host := s.NetworkMode == "host"; host == (name == "understudy") {
			t.Errorf("%s is on the host's network: %v", name, host)
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

// TestNobodyButTheHostReachesTheBalancerInCompose: inside its container it listens on every address, and admin then needs a token.
func TestNobodyButTheHostReachesTheBalancerInCompose(t *testing.T) {
	services := composeFile(t).Services
	s := services["understudy"]
	if len(s.Ports) != 2 {
		t.Errorf("ports: %v", s.Ports)
	}
	for _, p := range s.Ports {
		if !strings.HasPrefix(p, "127.0.0.1:") {
			t.Errorf("port %s is published beyond loopback", p)
		}
	}
	const required = "${UNDERSTUDY_ADMIN_TOKEN:?"
	for _, name := range []string{"understudy", "prometheus"} {
		if token := services[name].Environment["UNDERSTUDY_ADMIN_TOKEN"]; !strings.HasPrefix(token, required) {
			t.Errorf("%s starts with the admin token %q", name, token)
		}
	}
	if s.Environment["UNDERSTUDY_PUBLISH"] != "network" {
		t.Error("workers are published on the host, whose loopback is not that of the container")
	}
	if config := read(t, "prometheus/compose.yml"); !strings.Contains(strings.Join(services["prometheus"].Entrypoint, " "), ">/prometheus/understudy.token;") ||
		!strings.Contains(config, "credentials_file: /prometheus/understudy.token}") {
		t.Error("the token is written to one file and read from another")
	}
}

// TestPrometheusInComposeDiffersByTheTokenAlone.
func TestPrometheusInComposeDiffersByTheTokenAlone(t *testing.T) {
	alone, compose := readYAML[map[string]any](t, "prometheus/prometheus.yml"), readYAML[map[string]any](t, "prometheus/compose.yml")
	job := compose["scrape_configs"].([]any)[0].(map[string]any)
	if job["authorization"] == nil {
		t.Error("there is no token")
	}
	delete(job, "authorization")
	if !reflect.DeepEqual(alone, compose) {
		t.Errorf("%v\n%v", alone, compose)
	}
}

// TestComposeTakesTheFile, whichever of the two programs is installed; both take the same file.
func TestComposeTakesTheFile(t *testing.T) {
	t.Setenv("UNDERSTUDY_ADMIN_TOKEN", "secret")
	if _, err := exec.LookPath("docker-compose"); err == nil {
		tool(t, ".", "docker-compose", "--file", "compose.yaml", "config", "--quiet")
		return
	}
	if exec.Command("docker", "compose", "version").Run() != nil {
		t.Skip("neither docker-compose nor docker compose is installed")
	}
	tool(t, ".", "docker", "compose", "--file", "compose.yaml", "config", "--quiet")
}
