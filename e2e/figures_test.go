//go:build figures

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/nat"

	"understudy/driver/drivertest"
)

// The figures of the README, each a ratio within one run or a bound on memory. Run them with `make figures`.

const pairs = 30

// From the decision to the ready worker, against the same container created and started by hand: at most 1.15 times as long.
func TestFigureStartCostsLittleMoreThanTheEngineItself(t *testing.T) {
	requireDocker(t)
	pool := func(workers int) string {
		return fmt.Sprintf("pools:\n  - {name: general, capabilities: [mult], workers: {min: %d, max: %d, spare: 0}}\n", workers, pairs+2)
	}
	p := start(t, pool(1), "--driver", "docker")
	engine, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	port := drivertest.FreePort(t)

	var ours, direct []float64
	for i := range pairs {
		p.rewrite(pool(i + 2)) // one more worker: nothing else happens on the engine meanwhile
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		await(t, "one more is ready", func() bool { return len(p.workers("general", "active", "spare")) == i+2 })
		workers := p.workers("general")
		ours = append(ours, workers[len(workers)-1].StartMS)
		direct = append(direct, startByHand(t, engine, p.instance, port))
	}
	a, b := median(ours), median(direct)
	fmt.Printf("figure: decision to ready worker %.0f ms, the same by hand through the SDK %.0f ms (medians of %d interleaved pairs): ratio %.2f, allowed 1.15\n", a, b, pairs, a/b)
	if a > 1.15*b {
		t.Errorf("ratio %.2f", a/b)
	}
}

// startByHand makes a copy of the instance's running container and returns the milliseconds until its first answer.
func startByHand(t *testing.T, engine *client.Client, instance string, port int) float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	model, err := engine.ContainerInspect(ctx, containers(t, instance)[0])
	if err != nil {
		t.Fatal(err)
	}
	cfg, host := *model.Config, *model.HostConfig
	cfg.Labels, cfg.Hostname = nil, ""
	host.PortBindings = nat.PortMap{}
	for inside := range model.HostConfig.PortBindings {
		host.PortBindings[inside] = []nat.PortBinding{{HostIP: "127.0.0.1", HostPort: strconv.Itoa(port)}}
	}
	began := time.Now()
	made, err := engine.ContainerCreate(ctx, &cfg, &host, nil, nil, instance+"-by-hand")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true})
	if err := engine.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		if resp, err := fresh.Get(fmt.Sprintf("http://127.0.0.1:%d/", port)); err == nil {
			resp.Body.Close()
			return float64(time.Since(began).Microseconds()) / 1000
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatal("it never answered")
		}
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// A balancer with 50 workers stays below 64 MiB.
func TestFigureABalancerWithFiftyWorkersIsSmall(t *testing.T) {
	requireDocker(t)
	p := start(t, `
pools:
  - name: general
    capabilities: [mult]
    env: [DURATION=5ms..15ms]
    workers: {min: 50, max: 51, spare: 1}
`, "--driver", "docker")
	await(t, "fifty workers are ready", func() bool { return len(p.workers("general", "active", "spare")) >= 50 })
	code, out, stderr := run(t, nil, "client", "--target", p.url, "-n", "20000", "-c", "50", "--quiet", "--assert", "errors=0")
	if code != 0 {
		t.Fatalf("%s%s", out, stderr)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	kib := func(key string) int {
		m := regexp.MustCompile(key + `:\s+(\d+) kB`).FindStringSubmatch(string(status))
		n, _ := strconv.Atoi(m[1])
		return n
	}
	fmt.Printf("figure: a balancer with 50 workers after 20 000 requests by 50 callers: RSS %.1f MiB, highest %.1f MiB, allowed 64\n",
		float64(kib("VmRSS"))/1024, float64(kib("VmHWM"))/1024)
	if kib("VmRSS") >= 64<<10 {
		t.Error("too much")
	}
	if !strings.Contains(out, "20000 requests") {
		t.Errorf("the client says:\n%s", out)
	}
}
