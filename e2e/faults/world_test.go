// Package faults runs whole balancers on an engine that runs nothing and fails on demand: docs/FAULTS.md, row by row.
package faults

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy/admin"
	"understudy/app"
	"understudy/config"
	"understudy/driver/docker"
	"understudy/driver/docker/enginetest"
	"understudy/driver/drivertest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // they wait more than they work
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const (
	instance    = "faults"
	workerImage = "worker:1"
)

// world is an engine and the balancers on it.
type world struct {
	*testing.T
	engine *enginetest.Engine
	cfg    *config.Config
	dir    string // of locks
	app    *app.App
	end    func() // ends the App, and waits for that
	log    *logBuffer
	owners portOwners
}

type logBuffer struct {
	mu sync.Mutex
	strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.String()
}

// portOwners watches that no host port is ever asked for two containers that are both there.
type portOwners struct {
	mu    sync.Mutex
	twice []string
}

func (o *portOwners) check(all []enginetest.Container) {
	seen := map[string]string{}
	for _, c := range all {
		for _, b := range c.Ports["8080/tcp"] {
			if other := seen[b.HostPort]; other != "" {
				o.mu.Lock()
				o.twice = append(o.twice, fmt.Sprintf("port %s: %s and %s", b.HostPort, other, c.Name))
				o.mu.Unlock()
			}
			seen[b.HostPort] = c.Name
		}
	}
}

// ports are n of this test alone.
func ports(t *testing.T, n int) config.Ports {
	t.Helper()
	first := drivertest.FreePorts(t, n)
	return config.Ports{From: first, To: first + n - 1}
}

// program is what runs in a container: a worker that answers as itself, unless its pool is called otherwise.
func program(c enginetest.Container) enginetest.Program {
	switch c.Labels["understudy.pool"] {
	case "deaf": // it never listens
		return enginetest.Idle
	case "brief":
		return func(p *enginetest.Process) int { fmt.Fprintln(p.Output, "cannot find the model"); return 3 }
	}
	return enginetest.Serve(func(env map[string]string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Understudy-Identity", env["UNDERSTUDY_IDENTITY"])
			if r.Method == http.MethodPost {
				fmt.Fprint(w, c.ID)
			}
		})
	})
}

// pool is one of min workers and a spare.
func pool(name, capability string, least, spare int) config.Pool {
	p := config.DefaultPool()
	p.Name, p.Capabilities, p.Image, p.Pull = name, []string{capability}, workerImage, "never"
	p.Workers = config.Workers{Min: least, Max: least + spare, Spare: spare, SpareMax: spare}
	p.Ready.Identity, p.Ready.Timeout = "required", 20*time.Second
	p.Ramp, p.Drain = 0, 5*time.Second
	return p
}

// newWorld makes an engine and the configuration of a balancer on it, which start runs.
func newWorld(t *testing.T, pools ...config.Pool) *world {
	t.Parallel()
	w := &world{T: t, dir: t.TempDir(), log: &logBuffer{}, end: func() {}}
	w.engine = enginetest.New(t, enginetest.Options{Publish: true, Program: program})
	w.engine.PutImage(workerImage, "", nil)
	w.cfg = config.Defaults()
	w.cfg.Listen, w.cfg.Admin, w.cfg.Instance, w.cfg.Driver, w.cfg.Guard = "127.0.0.1:0", "127.0.0.1:0", instance, "docker", 0
	w.cfg.Ports, w.cfg.Pools = ports(t, 20), pools
	t.Cleanup(func() {
		w.end()
		w.owners.mu.Lock()
		defer w.owners.mu.Unlock()
		if len(w.owners.twice) > 0 {
			t.Errorf("ports with two owners: %v", w.owners.twice)
		}
		for _, c := range w.ours() {
			t.Errorf("left behind: %s, %s", c.Name, c.State)
		}
		if n := w.engine.Most(); n > 5 {
			t.Errorf("%d calls were in flight at a time", n)
		}
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
	return w
}

// start runs a balancer; the one before it has ended.
func (w *world) start() {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d, err := docker.New(ctx, docker.Options{Instance: instance, Host: w.engine.Host(), Log: log})
	if err != nil {
		w.Fatal(err)
	}
	a, err := app.New(ctx, app.Options{Config: w.cfg, Log: log, Driver: d, LockDir: w.dir, Say: func(string) {}})
	if err != nil {
		cancel()
		w.Fatal(err)
	}
	ended, watched := make(chan error, 1), make(chan struct{})
	go func() { ended <- a.Run(ctx) }()
	go func() {
		defer close(watched)
		for ctx.Err() == nil {
			changed := w.engine.Changed()
			w.owners.check(w.engine.Containers())
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}()
	w.app = a
	w.end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.Errorf("the balancer ended with %v", err)
		}
		<-watched
	})
}

// ours are this instance's containers.
func (w *world) ours() []enginetest.Container {
	return slices.DeleteFunc(w.engine.Containers(), func(c enginetest.Container) bool { return c.Labels["understudy.instance"] != instance })
}

// ids of the containers that run.
func (w *world) ids() (out []string) {
	for _, c := range w.ours() {
		if c.State == enginetest.Running {
			out = append(out, c.ID)
		}
	}
	return out
}

// until waits for what the test is about.
func (w *world) until(what string, ok func() bool) { w.Helper(); w.engine.Eventually(what, ok) }

func (w *world) status() admin.Status {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := (&admin.Client{Base: w.app.AdminURL()}).Status(ctx)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// states counts the workers of a pool in any of these states.
func (w *world) states(pool string, states ...string) (n int) {
	w.Helper()
	for _, p := range w.status().Pools {
		for _, worker := range p.Workers {
			if p.Name == pool && slices.Contains(states, worker.State) {
				n++
			}
		}
	}
	return n
}

// ready waits until a pool has so many workers that are ready.
func (w *world) ready(pool string, n int) {
	w.Helper()
	w.until(fmt.Sprintf("%d workers of %s are ready", n, pool), func() bool { return w.states(pool, "active", "spare") == n })
}

// ask sends one task and returns the status and what came back.
func (w *world) ask(capability string) (int, string) {
	w.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}
	resp, err := client.Post(w.app.URL()+"/"+capability, "text/plain", strings.NewReader("x"))
	if err != nil {
		w.Errorf("a task got no answer: %v", err)
		return 0, ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// serves asks n times, and each time there must be a result.
func (w *world) serves(capability string, n int) {
	w.Helper()
	for range n {
		if code, body := w.ask(capability); code != http.StatusOK {
			w.Errorf("a task got %d %s", code, body)
		}
	}
}

// metric reads one sample; empty when it is not there.
func (w *world) metric(sample string) string {
	w.Helper()
	resp, err := http.Get(w.app.AdminURL() + "/metrics")
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, sample+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// pass lets d pass: for what must not happen meanwhile.
func (w *world) pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}
