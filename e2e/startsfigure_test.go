//go:build figures

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/nat"

	"understudy/driver/drivertest"
)

const atOneTime = 20 // workers wanted at once

// From the decision that twenty workers are wanted until all of them are ready, against the same containers created and started by hand with one,
// two, four and eight creates in flight: at most 1.2 times as long as the best of these. All take turns, so that whatever else the machine does
// hits all alike. ROUNDS says how many turns each has.
func TestFigureTwentyWorkersAtOnceCostLittleMoreThanTheBestByHand(t *testing.T) {
	requireDocker(t)
	rounds, err := strconv.Atoi(os.Getenv("ROUNDS"))
	if err != nil {
		rounds = 3
	}
	p := start(t, atOnce(0), "--driver", "docker", "--log-format", "json")
	engine, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	h := newByHand(t, engine, p)
	inFlight := []int{0, 1, 2, 4, 8} // 0 is ours
	took := map[int][]float64{}
	for round := range rounds {
		for i := range inFlight {
			n := inFlight[(i+round)%len(inFlight)]
			if n == 0 {
				took[n] = append(took[n], p.toTwenty())
			} else {
				took[n] = append(took[n], h.startAll(n))
			}
		}
	}
	best := 0.0
	fmt.Printf("figure: %d workers at once, from the decision until all are ready, and by hand through the SDK, medians (and least) of %d turns each, load %s\n", atOneTime, rounds, loadAverage())
	for _, n := range inFlight[1:] {
		m := median(took[n])
		fmt.Printf("        by hand, %d in flight: %5.0f ms (%.0f)\n", n, m, took[n][0])
		if best == 0 || m < best {
			best = m
		}
	}
	ours := median(took[0])
	fmt.Printf("        understudy:           %5.0f ms (%.0f), ratio to the best by hand %.2f, allowed 1.2\n", ours, took[0][0], ours/best)
	if ours > 1.2*best {
		t.Error("too slow")
	}
}

// atOnce has a pool that shows what a worker is like beside the one that grows.
func atOnce(n int) string {
	return fmt.Sprintf(`
pools:
  - {name: model, capabilities: [add], workers: {min: 1, max: 1, spare: 0}}
  - {name: general, capabilities: [mult], workers: {min: %d, max: %d, spare: 0}}
`, n, atOneTime)
}

func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	return strings.Fields(string(text) + " unknown")[0]
}

// toTwenty lets the pool grow from nothing, by the times in the log, and then empties it.
func (p *process) toTwenty() float64 {
	t := p.t
	t.Helper()
	seen := len(p.output.String())
	p.reloaded(atOnce(atOneTime))
	var decided, last time.Time
	patiently(t, "all are ready", func() bool {
		var ready int
		decided, last, ready = grown(t, p.output.String()[seen:])
		return ready == atOneTime
	})
	p.reloaded(atOnce(0))
	for _, w := range p.workers("general", "active", "spare") {
		_ = p.drain(w.ID) // it may be going already
	}
	patiently(t, "they are gone", func() bool { return len(containers(t, p.instance)) == 1 })
	return float64(last.Sub(decided).Microseconds()) / 1000
}

// patiently is await for a machine that is busy with other things, where twenty starts take minutes.
func patiently(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(5 * time.Minute)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for !cond() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited five minutes in vain: %s", what)
		}
	}
}

func (p *process) reloaded(pools string) {
	p.rewrite(pools)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		p.t.Fatal(err)
	}
}

// grown reads from the log when the pool was to grow, when its last worker was ready, and how many were.
func grown(t *testing.T, log string) (decided, last time.Time, ready int) {
	t.Helper()
	scan := bufio.NewScanner(strings.NewReader(log[:strings.LastIndexByte(log, '\n')+1]))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		line := decode[struct {
			Time time.Time
			Msg  string
			Pool string
			To   int
		}](t, scan.Text())
		switch {
		case line.Pool != "general":
		case line.Msg == "scale" && line.To == atOneTime && decided.IsZero():
			decided = line.Time
		case line.Msg == "worker ready":
			last, ready = line.Time, ready+1
		}
	}
	return decided, last, ready
}

// byHand starts copies of a balancer's worker straight through the SDK.
type byHand struct {
	t        *testing.T
	engine   *client.Client
	instance string
	from     int
	config   container.Config
	host     container.HostConfig
}

func newByHand(t *testing.T, engine *client.Client, p *process) *byHand {
	t.Helper()
	model, err := engine.ContainerInspect(t.Context(), containers(t, p.instance)[0])
	if err != nil {
		t.Fatal(err)
	}
	h := &byHand{t: t, engine: engine, instance: p.instance, config: *model.Config, host: *model.HostConfig}
	h.config.Labels, h.config.Hostname = nil, ""
	h.from = drivertest.FreePorts(t, atOneTime)
	return h
}

// startAll makes all workers with so many creates in flight and returns the milliseconds until the last has answered. Like the balancer it does not
// keep a place in flight for one that is started and has not answered yet.
func (h *byHand) startAll(inFlight int) float64 {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Minute)
	defer cancel()
	ids, errs := make([]string, atOneTime), make([]error, atOneTime)
	places := make(chan struct{}, inFlight)
	var all sync.WaitGroup
	began := time.Now()
	for i := range atOneTime {
		all.Go(func() {
			places <- struct{}{}
			ids[i], errs[i] = h.start(ctx, i)
			<-places
			if errs[i] == nil {
				errs[i] = firstAnswer(ctx, h.from+i)
			}
		})
	}
	all.Wait()
	took := float64(time.Since(began).Microseconds()) / 1000
	for _, id := range slices.DeleteFunc(ids, func(id string) bool { return id == "" }) {
		errs = append(errs, h.engine.ContainerRemove(context.WithoutCancel(ctx), id, container.RemoveOptions{Force: true}))
	}
	for _, err := range errs {
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return took
}

func (h *byHand) start(ctx context.Context, i int) (string, error) {
	host := h.host
	host.PortBindings = nat.PortMap{}
	for inside := range h.host.PortBindings {
		host.PortBindings[inside] = []nat.PortBinding{{HostIP: "127.0.0.1", HostPort: strconv.Itoa(h.from + i)}}
	}
	config := h.config
	made, err := h.engine.ContainerCreate(ctx, &config, &host, nil, nil, fmt.Sprintf("%s-by-hand-%d", h.instance, i))
	if err != nil {
		return "", err
	}
	return made.ID, h.engine.ContainerStart(ctx, made.ID, container.StartOptions{})
}

// firstAnswer waits until somebody answers on the port.
func firstAnswer(ctx context.Context, port int) error {
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		if resp, err := fresh.Get(fmt.Sprintf("http://127.0.0.1:%d/", port)); err == nil {
			return resp.Body.Close()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("port %d never answered: %w", port, context.Cause(ctx))
		}
	}
}
