//go:build figures

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"understudy/bench/stage"
	"understudy/client"
)

// What a request costs by either way to a worker: through its published port, which is the engine's docker-proxy, or straight to its address. Two
// balancers with a worker each take turns; ROUNDS says how many each has, the best counts. Nothing is required of it.
func TestFigurePublishLoopbackAgainstNetwork(t *testing.T) {
	requireDocker(t)
	rounds, err := strconv.Atoi(os.Getenv("ROUNDS"))
	if err != nil {
		rounds = 5
	}
	const requests = 2000
	ways := []*way{{name: "loopback"}, {name: "network"}}
	for _, w := range ways {
		w.p = launch(t, instanceOf(t)+"-"+w.name, "publish: "+w.name+`
pools:
  - {name: general, capabilities: [mult], env: [DURATION=0ms..0ms], concurrency: 100, workers: {min: 1, max: 1, spare: 0}}
`, "--driver", "docker")
		w.p.awaitReady()
	}
	for range rounds {
		for _, w := range ways {
			w.turn(t, requests)
		}
	}
	fmt.Printf("figure: publish: loopback against network, %d requests one after the other, best of %d turns each, load %s\n", requests, rounds, loadAverage())
	for _, w := range ways {
		fmt.Printf("        %-8s  p50 %.2f ms, p99 %.2f ms; CPU per request: balancer %.0f µs, docker-proxy %.0f µs\n",
			w.name, slices.Min(w.p50), slices.Min(w.p99), slices.Min(w.balancer), slices.Min(w.proxy))
	}
	fmt.Printf("        loopback adds %.2f ms at p50, %.2f ms at p99\n", slices.Min(ways[0].p50)-slices.Min(ways[1].p50), slices.Min(ways[0].p99)-slices.Min(ways[1].p99))
}

// way is a balancer that reaches its worker in one way, and what its turns cost: milliseconds, and microseconds of CPU for a request.
type way struct {
	name                      string
	p                         *process
	p50, p99, balancer, proxy []float64
}

func (w *way) turn(t *testing.T, requests int) {
	t.Helper()
	own, proxy := w.cpu(t)
	r, err := client.Run(t.Context(), client.Options{Target: w.p.url, N: requests, Concurrency: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Errors > 0 {
		t.Fatalf("%s: %d errors: %v", w.name, r.Errors, r.ErrorSamples)
	}
	ownAfter, proxyAfter := w.cpu(t)
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(r.Count) }
	w.p50, w.p99 = append(w.p50, r.FromSend.P50), append(w.p99, r.FromSend.P99)
	w.balancer, w.proxy = append(w.balancer, each(ownAfter-own)), append(w.proxy, each(proxyAfter-proxy))
}

// cpu is what the balancer has used, and the docker-proxy of its worker's port, where it has one.
func (w *way) cpu(t *testing.T) (own, proxy time.Duration) {
	t.Helper()
	own, err := stage.CPU(w.p.pid())
	if err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range all {
		line, _ := os.ReadFile("/proc/" + entry.Name() + "/cmdline") // it may have ended
		args := strings.Split(string(line), "\x00")
		at := slices.Index(args, "-host-port")
		if at < 0 || at+1 >= len(args) || !strings.HasSuffix(args[0], "docker-proxy") {
			continue
		}
		port, _ := strconv.Atoi(args[at+1])
		if pid, err := strconv.Atoi(entry.Name()); err == nil && w.p.from <= port && port < w.p.from+64 {
			used, _ := stage.CPU(pid)
			proxy += used
		}
	}
	return own, proxy
}
