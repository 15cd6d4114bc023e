//go:build reality

package e2e

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"understudy/client"
	"understudy/simulate"
	"understudy/trace"
)

// TestRealitySimulationPredictsARun plays a trace against a real balancer on real Docker and in the simulation, and compares: p95 within 30 %, worker-seconds
// within 15 %. It is `make verify-simulation TRACE=file [LASTS=10m]`. The trace must have durations: the workers sleep for them, so that the CPU of the host decides nothing.
func TestRealitySimulationPredictsARun(t *testing.T) {
	requireDocker(t)
	path, lasts := os.Getenv("TRACE"), cmp.Or(os.Getenv("LASTS"), "10m")
	info, err := trace.Check(path)
	if err != nil {
		t.Fatal(err)
	}
	kinds := cmp.Or(strings.Join(info.Kinds, ", "), "mult")
	pools := fmt.Sprintf(`
pools:
  - name: reality
    capabilities: [%s]
    target: {latency: 2s}
    workers: {min: 1, max: 40, spare: 1}
    resources: {memory: 64MiB, cpus: 0.5}
`, kinds)
	p := start(t, pools, "--driver", "docker")
	seen := watchWorkers(p)
	load := exec.Command(binary, "client", "--target", p.url, "--trace", path, "--duration", lasts, "--format", "json", "--quiet")
	load.Stderr = os.Stderr
	out, err := load.Output()
	workerSeconds, starts := seen.stop()
	if err != nil {
		t.Fatal(err)
	}
	real := decode[client.Report](t, string(out))
	if real.Errors > 0 {
		t.Errorf("%d requests failed: what was measured says little", real.Errors)
	}
	if !real.KeptUp {
		fmt.Println("The host is busy: the client itself was late at times.")
	}

	config := filepath.Join(t.TempDir(), "simulated.yaml")
	if err := os.WriteFile(config, []byte(pools), 0o600); err != nil {
		t.Fatal(err)
	}
	code, report, errOut := run(t, nil, "simulate", "--trace", path, "--duration", lasts, "--config", config, "--policy", "understudy",
		"--start-time", starts.String(), "--json")
	if code != 0 {
		t.Fatal(errOut)
	}
	simulated := decode[simulate.Report](t, report).Policies[0]
	fmt.Printf("%d requests in %s; starts of %s\n", real.Count, lasts, starts)
	fmt.Printf("p50             %7.0f ms measured, %7.0f ms simulated\n", real.Latency.P50, simulated.P50)
	compare(t, "p95", real.Latency.P95, simulated.P95, 0.30)
	compare(t, "worker-seconds", workerSeconds, simulated.WorkerSeconds, 0.15)
}

func compare(t *testing.T, what string, measured, simulated, within float64) {
	t.Helper()
	off := simulated/measured - 1
	fmt.Printf("%-15s %7.0f measured, %7.0f simulated: %+.1f %%, at most %.0f %%\n", what, measured, simulated, 100*off, 100*within)
	if math.Abs(off) > within {
		t.Errorf("%s is off by %+.1f %%", what, 100*off)
	}
}

// workersSeen adds up how many workers there are, twenty times a second, and how long they took to start.
type workersSeen struct {
	quit  chan struct{}
	done  chan struct{}
	total float64
	took  map[string]float64 // ms, by worker
}

func watchWorkers(p *process) *workersSeen {
	w := &workersSeen{quit: make(chan struct{}), done: make(chan struct{}), took: map[string]float64{}}
	go func() {
		defer close(w.done)
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		last := time.Now()
		for {
			now := time.Now()
			workers := p.workers("reality", "starting", "spare", "active")
			w.total += float64(len(workers)) * now.Sub(last).Seconds()
			last = now
			for _, one := range workers {
				if one.StartMS > 0 {
					w.took[one.ID] = one.StartMS
				}
			}
			select {
			case <-ticker.C:
			case <-w.quit:
				return
			}
		}
	}()
	return w
}

// stop returns the worker-seconds, and how long starts took without the quickest and the slowest twentieth.
func (w *workersSeen) stop() (workerSeconds float64, starts interval) {
	close(w.quit)
	<-w.done
	var took []float64
	for _, ms := range w.took {
		took = append(took, ms)
	}
	slices.Sort(took)
	cut := len(took) / 20
	return w.total, interval{took[cut], took[len(took)-1-cut]}
}

// interval is from and to, in ms.
type interval [2]float64

func (i interval) String() string { return fmt.Sprintf("%.0fms..%.0fms", i[0], i[1]) }
