//go:build figures

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

const (
	sleepers   = 10 // spares of each kind
	wakeRounds = 5
	handRounds = 50
)

// A request that finds a sleeping spare, against one that finds a running spare, in turn; the engine's call alone; and what an idle spare of either kind costs.
func TestFigureASpareThatSleeps(t *testing.T) {
	requireDocker(t)
	image := scratchImage(t, "restless", "./testdata/restless")
	pools := "pools:\n"
	for _, mode := range []string{"paused", "running"} {
		pools += fmt.Sprintf("  - {name: %[1]s, capabilities: [%[1]s], image: %[2]s, pull: never, strip: true, workers: {min: 0, max: %[3]d, spare: %[3]d, spare_mode: %[1]s}}\n",
			mode, image, sleepers)
	}
	p := start(t, pools, "--driver", "docker")
	engine, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	allIdle(t, p)
	idleCosts(t, p, engine)

	var asleep, running []float64
	for range wakeRounds {
		allIdle(t, p)
		for range sleepers { // each lasts, so that the next finds another spare
			running = append(running, once(t, p, "running"))
			asleep = append(asleep, once(t, p, "paused"))
		}
	}
	shown := func(v []float64) string {
		return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", median(v), v[(len(v)*99-1)/100]) // median sorts
	}
	fmt.Printf("figure: %d requests each that found the spare asleep: %s; running: %s; difference of the p50 %.1f ms\n",
		len(asleep), shown(asleep), shown(running), median(asleep)-median(running))
	freezes, wakes := pausedByHand(t, engine, image)
	fmt.Printf("figure: the engine's call alone, %d each: unpause %s; pause %s\n", len(wakes), shown(wakes), shown(freezes))
	if added, call := median(asleep)-median(running), median(wakes); added > 2*call+5 {
		t.Errorf("a sleeping spare adds %.1f ms, the call alone takes %.1f ms", added, call)
	}
}

// allIdle waits until nobody is in rotation and all those sleep that may. The policy keeps workers for a while after the last request.
func allIdle(t *testing.T, p *process) {
	t.Helper()
	idle := func() bool {
		asleep := 0
		for _, w := range p.workers("paused", "spare") {
			if w.Asleep {
				asleep++
			}
		}
		return asleep == sleepers && len(p.workers("running", "spare")) == sleepers
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for deadline := time.After(4 * time.Minute); !idle(); {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("the spares are not idle:\n%s", get(t, p.admin+"/api/v1/status"))
		}
	}
}

// once sends one request that must find a spare, and returns the milliseconds until its answer began. The answer is left to last.
func once(t *testing.T, p *process, capability string) float64 {
	t.Helper()
	began := time.Now()
	resp, err := http.Get(p.url + "/" + capability + "/task/")
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, resp.Body) // how it ends is not measured
		resp.Body.Close()
	}()
	if start := resp.Header.Get("X-Understudy-Start"); resp.StatusCode != http.StatusOK || start != "spare" {
		t.Fatalf("%s: %s from a worker that was %q", capability, resp.Status, start)
	}
	return millisOf(took)
}

func millisOf(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// idleCosts prints what spares that nobody asks use.
func idleCosts(t *testing.T, p *process, engine *client.Client) {
	t.Helper()
	before, _ := used(t, p, engine)
	began := time.Now()
	<-time.After(20 * time.Second)
	after, memory := used(t, p, engine)
	lasted := time.Since(began).Seconds()
	cpu := func(mode string) float64 { return 100 * (after[mode] - before[mode]) / lasted / sleepers }
	fmt.Printf("figure: an idle spare of a worker that burns 2 %% of a core while idle, mean of %d over %.0f s: running %.2f %% of a core, %.1f MiB; asleep %.2f %%, %.1f MiB\n",
		sleepers, lasted, cpu("running"), memory["running"], cpu("paused"), memory["paused"])
	if cpu("running") < 1 || cpu("paused") > 0.05 {
		t.Error("that is no difference, or a sleeper that works")
	}
}

// used is the CPU seconds of the spares of each mode so far, and their mean memory in MiB now.
func used(t *testing.T, p *process, engine *client.Client) (seconds, memory map[string]float64) {
	t.Helper()
	seconds, memory = map[string]float64{}, map[string]float64{}
	for _, id := range containers(t, p.instance) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		c, err := engine.ContainerInspect(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := engine.ContainerStatsOneShot(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		var stats container.StatsResponse
		err = json.NewDecoder(answer.Body).Decode(&stats)
		answer.Body.Close()
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		mode := c.Config.Labels["understudy.pool"]
		seconds[mode] += float64(stats.CPUStats.CPUUsage.TotalUsage) / 1e9
		memory[mode] += float64(stats.MemoryStats.Usage) / sleepers / (1 << 20)
	}
	return seconds, memory
}

// pausedByHand freezes and wakes a container of its own, and returns the milliseconds of each call. It leaves the engine a moment in between: one that
// is busy takes so long to note what it did that it refuses the next call.
func pausedByHand(t *testing.T, engine *client.Client, image string) (freezes, wakes []float64) {
	t.Helper()
	made, err := engine.ContainerCreate(t.Context(), &container.Config{Image: image, Env: []string{"PORT=8080"}}, nil, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true})
	if err := engine.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	moment := time.NewTicker(500 * time.Millisecond)
	defer moment.Stop()
	refused := 0
	for len(wakes) < handRounds && refused < handRounds {
		<-moment.C
		began := time.Now()
		if err := engine.ContainerPause(t.Context(), made.ID); err != nil { // a busy host is too slow for the freezer now and then
			refused++
			continue
		}
		froze := time.Since(began)
		<-moment.C
		began = time.Now()
		if err := engine.ContainerUnpause(t.Context(), made.ID); err != nil {
			refused++
			continue
		}
		freezes, wakes = append(freezes, millisOf(froze)), append(wakes, millisOf(time.Since(began)))
	}
	if len(wakes) < handRounds {
		t.Fatalf("the engine refused %d calls", refused)
	}
	fmt.Printf("figure: the engine refused %d of %d such calls\n", refused, 2*handRounds+refused)
	return freezes, wakes
}
