package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an instance whose balancers are Apps of this process, over a fake driver with real workers.
type world struct {
	t        *testing.T
	driver   *drivertest.Fake
	dir      string
	cfg      *config.Config
	log      *safeBuffer
	said     chan string
	notify   string // socket of a service manager
	patience *Patience
	workers  workers

	brief     func(*config.Config)     // what the next process finds in its configuration
	interfere func(in *Inherited) bool // plays the next process; false: there is a real one. nil: always
	mu        sync.Mutex
	apps      []*proc
}

// workers are what the fake driver runs: each counts the tasks it has at a time, and keeps them until the gate lets them go.
type workers struct {
	mu   sync.Mutex
	busy map[string]int
	most int
	gate chan struct{} // nil: open
}

func (w *workers) handler(spec driver.Spec) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set(drivertest.IdentityHeader, spec.Generation)
		if r.Method == http.MethodGet && r.URL.Path == "/" {
			return
		}
		w.mu.Lock()
		w.busy[spec.Worker]++
		w.most = max(w.most, w.busy[spec.Worker])
		gate := w.gate
		w.mu.Unlock()
		if gate != nil {
			<-gate
		}
		if r.Header.Get("Upgrade") != "" {
			echo(rw)
		} else {
			_, _ = io.Copy(rw, r.Body)
		}
		w.mu.Lock()
		w.busy[spec.Worker]--
		w.mu.Unlock()
	})
}

// echo is a tunnel that says everything back.
func echo(rw http.ResponseWriter) {
	conn, buffered, err := rw.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, _ = io.Copy(conn, buffered)
}

// close keeps every task from now on until open.
func (w *workers) close() { w.mu.Lock(); w.gate = make(chan struct{}); w.mu.Unlock() }

func (w *workers) open() { w.mu.Lock(); close(w.gate); w.gate = nil; w.mu.Unlock() }

func (w *workers) busiest() int { w.mu.Lock(); defer w.mu.Unlock(); return w.most }

func (w *workers) tasks() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, tasks := range w.busy {
		n += tasks
	}
	return n
}

type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Buffer.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Buffer.String()
}

// proc is one App as if it were a process.
type proc struct {
	*App
	cancel context.CancelFunc
	in     *Inherited
	ended  chan struct{}
	err    error
	killed atomic.Bool
}

func (p *proc) Pid() int               { return 1 }
func (p *proc) Ended() <-chan struct{} { return p.ended }
func (p *proc) State() string          { return "exit status 1" }

// Kill cannot kill a goroutine, but cut its line, which is what the other process sees.
func (p *proc) Kill() {
	p.killed.Store(true)
	p.cancel()
	p.in.predecessor.Close()
}

var errNone = errors.New("none")

// newWorld starts a balancer with n workers of that concurrency.
func newWorld(t *testing.T, firstPort, n, concurrency int) *world {
	w := &world{t: t, dir: t.TempDir(), log: &safeBuffer{}, said: make(chan string, 100), workers: workers{busy: map[string]int{}}}
	w.patience = defaultPatience()
	w.patience.Linger = 50 * time.Millisecond
	w.driver = drivertest.NewFake(drivertest.FakeOptions{Serve: w.workers.handler})
	w.cfg = config.Defaults()
	w.cfg.Listen, w.cfg.Admin, w.cfg.Instance = "127.0.0.1:0", "127.0.0.1:0", "x"
	w.cfg.Ports = config.Ports{From: firstPort, To: firstPort + 19}
	p := config.DefaultPool()
	p.Name, p.Capabilities, p.Concurrency = "general", []string{"mult"}, concurrency
	p.Workers = config.Workers{Min: n, Max: n, Spare: 0, SpareMax: 0}
	p.Drain = 20 * time.Second
	p.Queue.Wait, p.Ramp = 20*time.Second, 0
	p.Target.Latency = 10 * time.Second // nobody who waits here is late, so nobody is sent away
	w.cfg.Pools = []config.Pool{p}
	t.Cleanup(w.end)
	return w
}

// start runs an App, as a process would be started.
func (w *world) start(in *Inherited) *proc {
	ctx, cancel := context.WithCancel(context.Background())
	cfg := *w.cfg
	if w.brief != nil {
		w.brief(&cfg)
	}
	p := &proc{cancel: cancel, in: in, ended: make(chan struct{}), err: errNone}
	w.mu.Lock()
	w.apps = append(w.apps, p)
	w.mu.Unlock()
	options := Options{
		Config: &cfg, Log: slog.New(slog.NewTextHandler(w.log, nil)), Driver: w.driver, LockDir: w.dir, Inherited: in, Spawn: w.spawn,
		Patience: w.patience, Notify: w.notify, Say: func(line string) { w.said <- line },
	}
	made := make(chan struct{})
	go func() {
		defer close(p.ended)
		defer cancel()
		p.App, p.err = New(ctx, options)
		close(made)
		if p.err == nil {
			p.err = p.Run(ctx)
		}
	}()
	if in == nil {
		<-made
		if p.App == nil {
			w.t.Fatal(p.err)
		}
	}
	return p
}

// spawn is a Spawner: what a new process would get is copied as exec would.
func (w *world) spawn(names []string, files []*os.File) (Child, error) {
	var copies []*os.File
	for i, f := range files {
		fd, err := syscall.Dup(int(f.Fd()))
		if err != nil {
			return nil, err
		}
		copies = append(copies, os.NewFile(uintptr(fd), names[i]))
	}
	in, err := unpack(names, copies)
	if err != nil {
		return nil, err
	}
	if w.interfere == nil || !w.interfere(in) {
		return w.start(in), nil
	}
	p := &proc{cancel: func() {}, in: in, ended: make(chan struct{})}
	close(p.ended)
	return p, nil
}

func (w *world) end() {
	w.mu.Lock()
	apps := w.apps
	w.mu.Unlock()
	for _, p := range apps {
		p.cancel()
	}
	for _, p := range apps {
		<-p.ended
	}
	if w.t.Failed() {
		w.t.Log(w.log)
	}
	if faults := w.driver.Faults(); len(faults) > 0 {
		w.t.Errorf("the driver was misused: %s", strings.Join(faults, "; "))
	}
	if left := w.driver.Workers(); len(left) > 0 {
		w.t.Errorf("left behind: %v", left)
	}
	if left, _ := os.ReadDir(w.dir); len(left) > 0 {
		w.t.Errorf("the lock is left behind: %v", left)
	}
}

// ready waits until the App has its workers.
func (w *world) ready(p *proc) {
	w.t.Helper()
	w.await("the workers are ready", func() bool {
		n := 0
		for _, pool := range p.Status() {
			for _, worker := range pool.Workers {
				if worker.State == fleet.Active {
					n++
				}
			}
		}
		return n == w.cfg.Pools[0].Workers.Min
	})
}

// await polls for what happens in other goroutines without an event to wait for.
func (w *world) await(what string, cond func() bool) {
	w.t.Helper()
	deadline := time.After(30 * time.Second)
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !cond() {
		select {
		case <-ticker.C:
		case <-deadline:
			w.t.Fatalf("waited in vain: %s\n%s", what, w.log)
		}
	}
}

// replaced asks for a hand-over and waits for the old process to end.
func (w *world) replaced(old *proc) *proc {
	w.t.Helper()
	old.Replace()
	<-old.ended
	if old.err != nil {
		w.t.Fatalf("the old process: %v", old.err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.apps[len(w.apps)-1]
}

// post sends one request on a connection of its own, or on those of a client that keeps them.
func post(c *http.Client, url string) error {
	resp, err := c.Post(url+"/mult", "text/plain", strings.NewReader("hello"))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || string(body) != "hello") {
		err = errors.New(resp.Status + " " + string(body))
	}
	return err
}

// client makes an HTTP client, with connections that are kept or not.
func (w *world) client(keep bool) *http.Client {
	t := &http.Transport{DisableKeepAlives: !keep, MaxIdleConnsPerHost: 10, DialContext: (&net.Dialer{}).DialContext}
	w.t.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

// ids are the workers the driver has.
func (w *world) ids() string {
	var ids []string
	for _, inst := range w.driver.Workers() {
		ids = append(ids, inst.Worker)
	}
	return strings.Join(ids, " ")
}
