// Package e2e runs whole balancers against real Docker: the program as a user has it, and its parts as app puts them together.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"understudy/admin"
	"understudy/driver/drivertest"
)

// binary is the static program under test.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given { // they wait more than they work
		if err := flag.Set("test.parallel", "3"); err != nil {
			panic(err)
		}
	}
	dir, err := os.MkdirTemp("", "understudy-e2e-")
	if err != nil {
		panic(err)
	}
	code := 1
	if binary, err = built(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// built yields the binary that make built, or builds one.
func built(dir string) (string, error) {
	if path := os.Getenv("UNDERSTUDY_BIN"); path != "" {
		return path, nil
	}
	path := filepath.Join(dir, "understudy")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "understudy")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return path, nil
}

// requireDocker skips where there is no engine, and fails there when the environment says that one is required.
func requireDocker(t *testing.T) {
	t.Helper()
	out, err := exec.Command("docker", "version", "--format", "{{.Server.Version}}").CombinedOutput()
	if err == nil {
		return
	}
	if os.Getenv("UNDERSTUDY_REQUIRE_DOCKER") == "1" {
		t.Fatalf("a Docker engine is required: %s", out)
	}
	t.Skipf("no Docker engine: %s", out)
}

// process is a running `understudy balancer`.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	instance string
	config   string // its file
	head     string // what is in the file before the pools
	from     int    // the first of its 64 ports
	url      string
	admin    string
	output   *lockedBuffer
	exited   chan struct{} // closed when it has ended, and whoever took its place
	heir     int           // the process that took its place; 0: none
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// instanceOf names a test's instance: unique per run, so that runs side by side do not meet.
func instanceOf(t *testing.T) string {
	name := strings.ToLower(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(t.Name(), "-"))
	return fmt.Sprintf("e2e-%d-%.20s", os.Getpid(), strings.TrimPrefix(name, "test"))
}

// start runs a balancer with this configuration (its pools; the rest is added) and waits until it is ready. It is ended and cleaned up
// after the test, however the test ends.
func start(t *testing.T, pools string, extra ...string) *process {
	t.Helper()
	p := launch(t, instanceOf(t), pools, extra...)
	p.awaitReady()
	return p
}

// launch runs a balancer and waits until it says where it listens.
func launch(t *testing.T, instance, pools string, extra ...string) *process {
	t.Helper()
	p := prepare(t, instance, pools)
	p.cmd = exec.Command(binary, append([]string{"balancer", "--config", p.config}, extra...)...)
	p.run()
	return p
}

// prepare writes the configuration of a balancer.
func prepare(t *testing.T, instance, pools string) *process {
	t.Helper()
	from := drivertest.FreePorts(t, 64)
	p := &process{t: t, instance: instance, from: from, output: &lockedBuffer{}, exited: make(chan struct{})}
	p.head = fmt.Sprintf("instance: %s\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\nports: {from: %d, to: %d}\n", instance, from, from+63)
	p.config = filepath.Join(t.TempDir(), "config.yaml")
	p.rewrite(pools)
	return p
}

// run starts cmd and waits until it says where it listens.
func (p *process) run() {
	t := p.t
	t.Helper()
	p.cmd.Stderr = p.output
	if p.cmd.Stdout == nil {
		p.cmd.Stdout = p.output
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.exited) }()
	t.Cleanup(func() {
		p.end()
		p.sweep()
		p.unlock()
		if t.Failed() {
			t.Logf("the balancer printed:\n%s", p.output)
		}
	})
	said := regexp.MustCompile(`clients (http://\S+), status (http://\S+)`)
	await(t, "the balancer says where it listens", func() bool {
		m := said.FindStringSubmatch(p.output.String())
		if m == nil {
			select {
			case <-p.exited:
				t.Fatalf("it ended:\n%s", p.output)
			default:
			}
			return false
		}
		p.url, p.admin = m[1], strings.TrimSuffix(m[2], "\"")
		return true
	})
}

// rewrite replaces the configuration file in one step.
func (p *process) rewrite(pools string) {
	p.t.Helper()
	next := p.config + ".next"
	if err := os.WriteFile(next, []byte(p.head+pools), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(next, p.config); err != nil {
		p.t.Fatal(err)
	}
}

// end asks the balancer to end and waits for it.
func (p *process) end() {
	select {
	case <-p.exited:
		return
	default:
	}
	_ = syscall.Kill(p.pid(), syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(2 * time.Minute):
		p.t.Errorf("it did not end within two minutes")
		p.kill()
	}
}

// pid is the process that is the balancer now. It has our pipe from the one we started, so it counts as running until both have ended.
func (p *process) pid() int {
	if p.heir != 0 {
		return p.heir
	}
	return p.cmd.Process.Pid
}

// sweep removes what a killed balancer left. It is not called where nothing is left, because it would also remove the worker image, which
// the next test would have to make anew.
func (p *process) sweep() {
	if exec.Command("docker", "version").Run() != nil || len(containers(p.t, p.instance)) == 0 {
		return
	}
	if out, err := exec.Command(binary, "cleanup", "--instance", p.instance, "--force").CombinedOutput(); err != nil {
		p.t.Errorf("cleanup: %v: %s", err, out)
	}
}

// unlock removes the file of the lock, which a balancer that is killed leaves: a guard that waits for a successor takes it for one.
func (p *process) unlock() {
	left, _ := filepath.Glob("/tmp/understudy-*-" + p.instance + ".lock")
	for _, path := range left {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			p.t.Error(err)
		}
	}
}

func (p *process) kill() {
	_ = syscall.Kill(p.pid(), syscall.SIGKILL)
	<-p.exited
}

func (p *process) awaitReady() {
	p.t.Helper()
	await(p.t, "the balancer is ready", func() bool {
		resp, err := http.Get(p.admin + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// status asks the admin plane.
func (p *process) status() admin.Status {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := (&admin.Client{Base: p.admin}).Status(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// drain asks for one worker to be taken out.
func (p *process) drain(id string) error {
	return admin.Client{Base: p.admin}.Drain(context.Background(), id)
}

// workers lists the pool's workers in one of the states, or all of them.
func (p *process) workers(pool string, states ...string) []admin.Worker {
	p.t.Helper()
	var out []admin.Worker
	for _, ps := range p.status().Pools {
		for _, w := range ps.Workers {
			if ps.Name == pool && (len(states) == 0 || strings.Contains(strings.Join(states, " "), w.State)) {
				out = append(out, w)
			}
		}
	}
	return out
}

// post sends one task and returns the answer.
func (p *process) post(path, body string) (*http.Response, string) {
	p.t.Helper()
	resp, err := http.Post(p.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp, string(b)
}

// await polls until cond holds; it is for what other processes do, which gives no event to wait for.
func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !cond() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited a minute in vain: %s", what)
		}
	}
}

// containers lists the ids of all containers of an instance, running or not.
func containers(t *testing.T, instance string) []string {
	t.Helper()
	out, err := exec.Command("docker", "ps", "-aq", "--no-trunc", "--filter", "label=understudy.instance="+instance).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// run runs the program to its end.
func run(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errOut.String()
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
