//go:build long

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"understudy/admin"
	"understudy/client"
	"understudy/driver/drivertest"
)

// contained is a balancer in a container, as deploy/compose.yaml runs it, with the shipped configuration.
type contained struct {
	t        *testing.T
	instance string
	url      string
	admin    string
	env      []string
	image    string
	files    []string // of compose
}

const containedToken = "contained-admin-token"

// compose runs docker-compose, or docker compose, to its end.
func (c *contained) compose(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	name, all := "docker-compose", append([]string{}, c.files...)
	if _, err := exec.LookPath(name); err != nil {
		name, all = "docker", append([]string{"compose"}, all...)
	}
	cmd := exec.CommandContext(ctx, name, append(append(all, "--project-name", c.instance), args...)...)
	cmd.Env = append(os.Environ(), c.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// startContained builds the image from deploy/Dockerfile.balancer and runs that one service of deploy/compose.yaml, as this user.
func startContained(t *testing.T, user string) *contained {
	t.Helper()
	requireDocker(t)
	if _, err := exec.LookPath("docker-compose"); err != nil && exec.Command("docker", "compose", "version").Run() != nil {
		t.Skip("neither docker-compose nor docker compose is installed")
	}
	dir := t.TempDir()
	for _, file := range []string{"config.yaml", "deploy/compose.yaml", "deploy/Dockerfile.balancer", ".dockerignore"} {
		copyFile(t, filepath.Join("..", file), filepath.Join(dir, file), 0o644)
	}
	copyFile(t, binary, filepath.Join(dir, "bin", "understudy"), 0o755)
	c := &contained{t: t, instance: instanceOf(t)}
	c.image = fmt.Sprintf("understudy-e2e/balancer:%s", c.instance)
	override := filepath.Join(dir, "deploy", "test.yaml")
	text := fmt.Sprintf("services: {understudy: {image: %q, user: %q, restart: \"no\"}}\n", c.image, user)
	if err := os.WriteFile(override, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	public, control := drivertest.FreePort(t), drivertest.FreePort(t)
	c.url, c.admin = fmt.Sprintf("http://127.0.0.1:%d", public), fmt.Sprintf("http://127.0.0.1:%d", control)
	c.env = []string{"UNDERSTUDY_INSTANCE=" + c.instance, "UNDERSTUDY_ADMIN_TOKEN=" + containedToken, "DOCKER_BUILDKIT=0", "COMPOSE_DOCKER_CLI_BUILD=0",
		fmt.Sprintf("UNDERSTUDY_PORT=%d", public), fmt.Sprintf("UNDERSTUDY_ADMIN_PORT=%d", control)}
	c.files = []string{"--file", filepath.Join(dir, "deploy", "compose.yaml"), "--file", override}
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := c.compose("logs", "--no-color")
			t.Logf("the balancer printed:\n%s", out)
		}
		c.compose("down", "--volumes", "--timeout", "60")
		run(t, nil, "cleanup", "--instance", c.instance, "--force")
		exec.Command("docker", "rmi", "-f", c.image).Run()
	})
	if out, err := c.compose("up", "--build", "--detach", "understudy"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	await(t, "the balancer in the container is ready", func() bool { return c.status().Ready })
	return c
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, b, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// status is the zero Status while nobody answers.
func (c *contained) status() admin.Status {
	req, _ := http.NewRequest(http.MethodGet, c.admin+"/api/v1/status", nil)
	req.Header.Set("Authorization", "Bearer "+containedToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return admin.Status{}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return admin.Status{}
	}
	return decode[admin.Status](c.t, string(body))
}

// nothingOnTheHost: no worker is published, and no process of the engine passes bytes on for one.
func (c *contained) nothingOnTheHost() {
	c.t.Helper()
	workers := containers(c.t, c.instance)
	out, err := exec.Command("docker", append([]string{"inspect", "--format",
		"{{json .NetworkSettings.Ports}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"}, workers...)...).Output()
	if err != nil || len(workers) == 0 {
		c.t.Fatalf("%d workers, %v", len(workers), err)
	}
	if strings.Contains(string(out), "HostPort") {
		c.t.Errorf("workers are published on the host: %s", out)
	}
	proxies := portProxies(c.t)
	for _, address := range regexp.MustCompile(`\d+\.\d+\.\d+\.\d+ `).FindAllString(string(out), -1) {
		if strings.Contains(proxies, "-container-ip "+address) {
			c.t.Errorf("a process of the engine serves the worker at %s", address)
		}
	}
}

// portProxies are the command lines of the processes by which the engine passes bytes on. An engine that another test has in a network of its own
// gives out the same addresses.
func portProxies(t *testing.T) string {
	t.Helper()
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var all strings.Builder
	for _, dir := range dirs {
		if args, _ := os.ReadFile(dir + "/cmdline"); bytes.Contains(args, []byte("docker-proxy")) {
			if net, _ := os.Readlink(dir + "/ns/net"); net == ours {
				fmt.Fprintf(&all, "%s \n", bytes.ReplaceAll(args, []byte{0}, []byte(" ")))
			}
		}
	}
	return all.String()
}

func TestABalancerInAContainerScalesWorkersWithoutPortsAndLeavesNothing(t *testing.T) {
	t.Parallel() // with the next one: both wait for containers most of the time
	c := startContained(t, "0:0")
	st := c.status()
	if out, err := c.compose("logs", "--no-color"); err != nil || !strings.Contains(out, "can open connections to each other") {
		t.Errorf("nobody is told that workers reach each other: %v %s", err, out)
	}
	ready := func(w admin.Worker) bool { return strings.HasPrefix(w.Address, "http://1") } // the other may still be starting
	if st.Publish != "network" || st.Ports.Free != 0 || !slices.ContainsFunc(st.Pools[0].Workers, ready) {
		t.Errorf("status: %+v", st)
	}
	await(t, "the spare is there too", func() bool { return len(containers(t, c.instance)) == 2 })
	c.nothingOnTheHost()

	most, stop := make(chan int, 1), make(chan struct{})
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				most <- n
				return
			case <-time.After(200 * time.Millisecond):
				n = max(n, len(c.status().Pools[0].Workers))
			}
		}
	}()
	report, err := client.Run(t.Context(), client.Options{Target: c.url, N: 120, Concurrency: 6, Mix: client.Mix{{Capability: "mult", Weight: 1}}, Timeout: time.Minute}, nil)
	close(stop)
	if err != nil || report.Errors > 0 {
		t.Errorf("%v, %d of %d requests failed: %v", err, report.Errors, report.Count, report.ErrorSamples)
	}
	peak := <-most
	if peak < 3 {
		t.Errorf("six callers at a time were served by %d workers at most", peak)
	}
	c.nothingOnTheHost()
	await(t, "it scales down", func() bool { return len(containers(t, c.instance)) < peak }) // how far and how fast depends on what the callers met

	if out, err := c.compose("stop", "--timeout", "60"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if left := containers(t, c.instance); len(left) > 0 {
		t.Errorf("containers left: %v", left)
	}
	noNetworks(t, c.instance)
	if out, err := c.compose("start", "understudy"); err != nil { // the networks it was on are gone: it must not want them back
		t.Fatalf("it cannot be started again: %v: %s", err, out)
	}
	await(t, "it is ready again", func() bool { return c.status().Ready })
}

// The guard dies with its container; what it would have done the next start does.
func TestABalancerWhoseContainerIsKilledAdoptsItsWorkersAtTheNextStart(t *testing.T) {
	t.Parallel()
	c := startContained(t, "65532:"+socketGroup(t))
	await(t, "worker and spare", func() bool { return len(containers(t, c.instance)) == 2 })
	second, err := c.compose("run", "--rm", "understudy", "balancer", "--listen", "0.0.0.0:8080")
	if err == nil || !strings.Contains(second, "is already run by") {
		t.Errorf("a second balancer of the instance runs: %v %s", err, second)
	}
	// The same where the two share no folder with a lock in it: on the workers' network they meet.
	apart, err := exec.Command("docker", "run", "--rm", "--tmpfs", "/tmp", "--volume", "/run:/host/run:ro", "--env", "DOCKER_HOST=unix:///host/run/docker.sock",
		"--env", "UNDERSTUDY_INSTANCE="+c.instance, "--user", "65532:"+socketGroup(t), c.image).CombinedOutput()
	if err == nil || !strings.Contains(string(apart), "is already run by the balancer in container") {
		t.Errorf("a second balancer without the same /tmp runs: %v %s", err, apart)
	}
	before := containers(t, c.instance)
	if out, err := c.compose("kill", "understudy"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := c.compose("rm", "--force", "understudy"); err != nil { // a new container, which is on none of its networks
		t.Fatalf("%v: %s", err, out)
	}
	if now := containers(t, c.instance); len(now) != len(before) {
		t.Fatalf("%d workers before the kill, %d after", len(before), len(now))
	}
	if out, err := c.compose("up", "--detach", "understudy"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	await(t, "it is ready", func() bool { return c.status().Ready })
	adopted := 0
	for _, w := range c.status().Pools[0].Workers {
		if w.Start == "adopted" {
			adopted++
		}
	}
	if adopted != 2 {
		t.Errorf("%d workers were adopted, want 2", adopted)
	}
	// Swept from outside while its container is down, it must still be able to start.
	if out, err := c.compose("kill", "understudy"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if code, out, stderr := run(t, nil, "cleanup", "--instance", c.instance); code != 0 {
		t.Fatalf("cleanup: %d %s%s", code, out, stderr)
	}
	noNetworks(t, c.instance)
	if out, err := c.compose("start", "understudy"); err != nil {
		t.Fatalf("it cannot be started again: %v: %s", err, out)
	}
	await(t, "it is ready again", func() bool { return c.status().Ready })
}

// socketGroup is the group that may use the engine's socket.
func socketGroup(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("stat", "-L", "-c", "%g", "/run/docker.sock").Output()
	if err != nil {
		t.Skipf("the engine's socket is not where the compose file has it: %v", err)
	}
	return strings.TrimSpace(string(out))
}
