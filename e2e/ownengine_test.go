//go:build long || engine

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"understudy/client"
)

// ownEngine is a real engine that belongs to one test, see alone.
type ownEngine struct {
	t      *testing.T
	dir    string
	socket string
	cmd    *exec.Cmd
	ended  chan struct{}
	log    *lockedBuffer
}

func newOwnEngine(t *testing.T, dir string) *ownEngine {
	return &ownEngine{t: t, dir: dir, socket: filepath.Join(dir, "docker.sock"), log: &lockedBuffer{}}
}

// start runs the engine, and waits until it answers.
func (e *ownEngine) start(flags ...string) *ownEngine {
	e.t.Helper()
	e.launch(flags...)
	e.awaitUp()
	return e
}

func (e *ownEngine) launch(flags ...string) {
	e.t.Helper()
	settings := filepath.Join(e.dir, "daemon.json") // not those of this machine's engine
	if err := os.WriteFile(settings, []byte("{}"), 0o600); err != nil {
		e.t.Fatal(err)
	}
	e.cmd = exec.Command("dockerd", append([]string{"--config-file", settings, "--data-root", filepath.Join(e.dir, "data"),
		"--exec-root", filepath.Join(e.dir, "exec"), "--pidfile", filepath.Join(e.dir, "pid"), "-H", "unix://" + e.socket,
		"--cgroup-parent", "/" + filepath.Base(e.dir)}, flags...)...)
	e.cmd.Stdout, e.cmd.Stderr = e.log, e.log
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	ended := make(chan struct{})
	cmd := e.cmd
	go func() { _ = cmd.Wait(); close(ended) }()
	e.ended = ended
	e.t.Cleanup(func() {
		if e.t.Failed() && e.cmd == cmd {
			lines := strings.Split(e.log.String(), "\n")
			e.t.Logf("the engine printed last:\n%s", strings.Join(lines[max(0, len(lines)-25):], "\n"))
		}
	})
}

func (e *ownEngine) awaitUp() {
	e.t.Helper()
	way := throughSocket(e.socket)
	defer way.CloseIdleConnections()
	asker := http.Client{Transport: way, Timeout: time.Second}
	await(e.t, "the engine answers", func() bool {
		select {
		case <-e.ended:
			e.t.Fatalf("the engine ended:\n%s", e.log)
		default:
		}
		resp, err := asker.Get("http://engine/_ping")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// signal tells the engine something; end waits until it has ended of it.
func (e *ownEngine) signal(s syscall.Signal) {
	e.t.Helper()
	if err := e.cmd.Process.Signal(s); err != nil {
		e.t.Fatal(err)
	}
}

func (e *ownEngine) end(s syscall.Signal) {
	e.t.Helper()
	e.signal(s)
	await(e.t, "the engine has ended", func() bool {
		select {
		case <-e.ended:
			return true
		default:
			return false
		}
	})
}

// docker runs one command of the docker CLI on it.
func (e *ownEngine) docker(args ...string) string {
	e.t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		e.t.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// steadyPool is three workers and a spare; tasks wait two seconds at most.
const steadyPool = `
pools:
  - name: general
    capabilities: [mult, add]
    env: [DURATION=5ms..10ms]
    workers: {min: 3, max: 6, spare: 1}
    queue: {wait: 2s}
`

// ids are the workers that are ready, in order.
func (p *process) ids() (out []string) {
	p.t.Helper()
	for _, w := range p.workers("general", "active", "spare") {
		out = append(out, w.ID)
	}
	return sorted(out)
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(id string) bool { return slices.Contains(b, id) })
}

// full waits until n workers are ready.
func (p *process) full(n int) {
	p.t.Helper()
	await(p.t, fmt.Sprintf("%d workers are ready", n), func() bool { return len(p.workers("general", "active", "spare")) == n })
}

// awaitEngine waits until the balancer says that the engine is up, or away.
func (p *process) awaitEngine(state string) {
	p.t.Helper()
	await(p.t, "the status says that the engine is "+state, func() bool { return p.status().Engine.State == state })
}

// load sends 20 requests a second until the test says that it is over, and returns what became of them.
func (p *process) load() (over func() *client.Report) {
	p.t.Helper()
	ended := make(chan *client.Report, 1)
	ctx, stop := context.WithCancel(p.t.Context())
	go func() {
		r, err := client.Run(ctx, client.Options{Target: p.url, Rate: 20, Duration: 2 * time.Minute, Timeout: 10 * time.Second, Grace: 10 * time.Second,
			Mix: client.Mix{{Capability: "mult", Weight: 1}, {Capability: "add", Weight: 1}}}, nil)
		if err != nil {
			p.t.Error(err)
		}
		ended <- r
	}()
	return func() *client.Report { stop(); return <-ended }
}

// startedAtMost holds the starts there were, good or not, to a number.
func (p *process) startedAtMost(n int) {
	p.t.Helper()
	total := 0
	for line := range strings.Lines(get(p.t, p.admin+"/metrics")) {
		if strings.HasPrefix(line, "understudy_worker_starts_total{") {
			v, _ := strconv.Atoi(strings.TrimSpace(line[strings.LastIndex(line, " ")+1:]))
			total += v
		}
	}
	if total > n {
		p.t.Errorf("%d starts, want %d at most", total, n)
	}
}
