//go:build long

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"understudy/admin"
	"understudy/client"
)

// workerImage builds an image of the worker from nothing but this program, told apart by a label. It is removed after the test.
func workerImage(t *testing.T, label, command string) (id string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Link(binary, filepath.Join(dir, "program")); err != nil {
		copied, err := os.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "program"), copied, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	recipe := fmt.Sprintf("FROM scratch\nCOPY program /program\nLABEL e2e=%s-%d\nENTRYPOINT [\"/program\"]\nCMD [%q]\n", label, os.Getpid(), command)
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(recipe), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("docker", "build", "-q", dir)
	build.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
	out, err := build.Output() // what it warns of is not the id
	if err != nil {
		t.Fatalf("building the image: %v", err)
	}
	id = strings.TrimSpace(string(out))
	t.Cleanup(func() { exec.Command("docker", "rmi", "-f", id).Run() })
	return id
}

func retag(t *testing.T, id, tag string) {
	t.Helper()
	if out, err := exec.Command("docker", "tag", id, tag).CombinedOutput(); err != nil {
		t.Fatalf("tagging: %v\n%s", err, out)
	}
}

// underLoad sends requests until the function returned is called, which says how many there were and how many failed.
func underLoad(t *testing.T, p *process) (end func() (total, failed int)) {
	stop := make(chan struct{})
	var group sync.WaitGroup
	var total, failed int
	group.Go(func() {
		for {
			report, err := client.Run(t.Context(), client.Options{Target: p.url, N: 40, Concurrency: 2, Mix: client.Mix{{Capability: "mult", Weight: 1}}}, nil)
			if err != nil {
				t.Error(err)
				return
			}
			total, failed = total+report.Count, failed+report.Errors
			if report.Errors > 0 {
				t.Logf("errors: %v", report.ErrorSamples)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	return func() (int, int) {
		close(stop)
		group.Wait()
		return total, failed
	}
}

// shows are the containers of the pool by what docker inspect shows of them.
func shows(t *testing.T, p *process, format string) (out []string) {
	t.Helper()
	for _, id := range containers(t, p.instance) {
		if said, err := exec.Command("docker", "inspect", "-f", format, id).Output(); err == nil { // else it has just gone
			out = append(out, strings.TrimSpace(string(said)))
		}
	}
	return out
}

func all(list []string, contains string) bool {
	for _, s := range list {
		if !strings.Contains(s, contains) {
			return false
		}
	}
	return len(list) > 0
}

func rolloutOf(p *process) admin.Rollout {
	p.t.Helper()
	if r := p.status().Pools[0].Rollout; r != nil {
		return *r
	}
	return admin.Rollout{}
}

func changingPool(image, variable string) string {
	return fmt.Sprintf(`
pools:
  - name: general
    image: %s
    pull: never
    env: [V=%s, DURATION=20ms..60ms]
    capabilities: [mult]
    workers: {min: 2, max: 3, spare: 1}
    ready: {identity: required, timeout: 10s}
`, image, variable)
}

func TestRollingChangesOfEnvironmentAndImageFailNoRequest(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	tag := fmt.Sprintf("understudy-e2e/rolling:%d", os.Getpid())
	first, second := workerImage(t, "one", "worker"), workerImage(t, "two", "worker")
	retag(t, first, tag)
	t.Cleanup(func() { exec.Command("docker", "rmi", "-f", tag).Run() })
	p := start(t, changingPool(tag, "1"), "--driver", "docker")
	await(t, "the spare is there", func() bool { return len(p.workers("general", "active", "spare")) == 3 })
	end := underLoad(t, p)

	p.rewrite(changingPool(tag, "2"))
	await(t, "every worker has the new environment", func() bool {
		return all(shows(t, p, "{{.Config.Env}}"), "V=2") && len(p.workers("general", "active", "spare")) == 3
	})
	if got := shows(t, p, "{{.Image}}"); !all(got, first) {
		t.Errorf("their images are %v", got)
	}
	retag(t, second, tag)
	if err := syscall.Kill(p.pid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await(t, "every worker has the new image", func() bool { return all(shows(t, p, "{{.Image}}"), second) && rolloutOf(p).Outdated == 0 })
	total, failed := end()
	if failed > 0 || total < 100 {
		t.Errorf("%d of %d requests failed", failed, total)
	}
	t.Logf("%d requests while two changes replaced three workers each: %d failed", total, failed)
	p.end()
	if left := containers(t, p.instance); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestRollingBackFromAnImageThatExitsAtOnceFailsNoRequest(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	good, bad := workerImage(t, "good", "worker"), workerImage(t, "bad", "no-such-command")
	p := start(t, changingPool(good, "1"), "--driver", "docker")
	await(t, "the spare is there", func() bool { return len(p.workers("general", "active", "spare")) == 3 })
	before := strings.Join(containers(t, p.instance), " ")
	end := underLoad(t, p)
	p.rewrite(changingPool(bad, "1"))
	await(t, "it is rolled back", func() bool { return rolloutOf(p).State == "rolled_back" })
	total, failed := end()
	if failed > 0 || total < 40 {
		t.Errorf("%d of %d requests failed", failed, total)
	}
	if r := rolloutOf(p); !strings.Contains(r.Error, "exited with code 2") {
		t.Errorf("it was rolled back because of %q", r.Error)
	}
	await(t, "what did not work is gone", func() bool { return all(shows(t, p, "{{.Image}}"), good) })
	for _, id := range strings.Fields(before) {
		if !strings.Contains(strings.Join(containers(t, p.instance), " "), id) {
			t.Errorf("container %s was replaced by nothing better", id)
		}
	}
	mustSay(t, p.output.String(), "rolled back")
}
