package balancer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"understudy/config"
	"understudy/fleet"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http complains there about workers that send what nobody asked for
	// net/http lingers for half a second on a connection it closes with something unread.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// patience bounds every wait for an event. It is never waited out when the code is right.
const patience = 10 * time.Second

// world is a balancer on a real listener with a real fleet.
type world struct {
	t        *testing.T
	config   *config.Config
	fleet    *fleet.Fleet
	balancer *Balancer
	records  *records
	server   *Server
	url      string
	addr     string
	client   *http.Client
	workers  int
}

// pool is a pool with settings that no test waits for.
func pool(name string, capabilities ...string) config.Pool {
	return config.Pool{
		Name: name, Image: "their/image", Capabilities: capabilities, Concurrency: 1, Timeout: patience, IdleTimeout: patience,
		Target: config.Target{Latency: 300 * time.Millisecond, Percentile: 95}, Workers: config.Workers{Max: 8},
		Queue: config.Queue{Length: 100, Wait: patience}, Ready: config.Ready{Path: "/", Status: "200-499"},
	}
}

func builtIn(name string, capabilities ...string) config.Pool {
	p := pool(name, capabilities...)
	p.Image = ""
	return p
}

func newWorld(t *testing.T, pools ...config.Pool) *world {
	t.Helper()
	return newWorldWith(t, config.Config{Instance: "test", Limits: config.Limits{Header: 32 << 10, Idle: patience}, Pools: pools})
}

func fleetOf(pools []config.Pool) *fleet.Fleet {
	var list []fleet.PoolConfig
	for _, p := range pools {
		list = append(list, fleet.PoolConfig{
			Name: p.Name, Capabilities: p.Capabilities, Concurrency: p.Concurrency, Max: p.Workers.Max,
			QueueLength: p.Queue.Length, QueueWait: p.Queue.Wait, Target: p.Target.Latency, Ramp: p.Ramp, Eject: fleet.Eject(p.Eject),
		})
	}
	return fleet.New(list, time.Now)
}

func newWorldWith(t *testing.T, c config.Config) *world {
	t.Helper()
	w := &world{t: t, config: &c, fleet: fleetOf(c.Pools), records: newRecords()}
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.balancer = New(Options{Fleet: w.fleet, Config: &c, Recorder: w.records, Log: log})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	w.url = "http://" + w.addr
	server := w.balancer.Server()
	w.server = server
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	transport := &http.Transport{DisableCompression: true}
	w.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		w.balancer.Abort()
		_ = server.Close()
		<-served
		for _, one := range w.fleet.Workers() {
			w.fleet.Remove(one.ID)
		}
	})
	return w
}

// testLog keeps log lines with the test they belong to.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	if l.t.Context().Err() == nil { // after the test its log is closed
		l.t.Log(strings.TrimSpace(string(p)))
	}
	return len(p), nil
}

// add puts a worker at address into rotation.
func (w *world) add(info fleet.Info) *fleet.Worker {
	w.t.Helper()
	w.workers++
	if info.ID == "" {
		info.ID = fmt.Sprintf("w%d", w.workers)
	}
	if info.Generation == "" {
		info.Generation = "g-" + info.ID
	}
	if info.Origin == "" {
		info.Origin = fleet.Cold
	}
	one, err := w.fleet.Add(info)
	if err != nil {
		w.t.Fatal(err)
	}
	w.fleet.Ready(one.ID, info.Address, 100)
	return one
}

// worker starts an HTTP worker in the pool and puts it into rotation.
func (w *world) worker(pool string, handler http.HandlerFunc) *fleet.Worker {
	w.t.Helper()
	return w.add(fleet.Info{Pool: pool, Address: serve(w.t, handler).URL})
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(func() {
		s.CloseClientConnections() // a test that failed may have left requests in flight
		s.Close()
	})
	return s
}

// raw starts a worker that speaks bytes: fn gets each connection, which is closed when it returns.
func raw(t *testing.T, fn func(c net.Conn, r *bufio.Reader)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			wg.Go(func() {
				fn(c, bufio.NewReader(c))
				_ = c.Close()
				mu.Lock()
				delete(open, c)
				mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return "http://" + l.Addr().String()
}

func (w *world) do(req *http.Request) *http.Response {
	w.t.Helper()
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (w *world) request(method, path, body string) *http.Request {
	w.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return req
}

func (w *world) get(path string) (*http.Response, string) {
	w.t.Helper()
	return w.fetch(w.request(http.MethodGet, path, ""))
}

func (w *world) post(path, body string) (*http.Response, string) {
	w.t.Helper()
	return w.fetch(w.request(http.MethodPost, path, body))
}

func (w *world) fetch(req *http.Request) (*http.Response, string) {
	w.t.Helper()
	resp := w.do(req)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, string(text)
}

// dial opens a plain connection to the balancer and sends text.
func (w *world) dial(text string) (net.Conn, *bufio.Reader) {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, text); err != nil {
		w.t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// background sends a request and hands its end over.
func (w *world) background(req *http.Request) <-chan result {
	done := make(chan result, 1)
	go func() {
		resp, err := w.client.Do(req)
		if err != nil {
			done <- result{err: err}
			return
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		done <- result{resp, string(text), err}
	}()
	return done
}

type result struct {
	resp *http.Response
	text string
	err  error
}

// wait takes the next value of a channel, or fails the test.
func wait[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// until polls something that has no event to wait for.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// records keeps what a Recorder is told.
type records struct {
	mu       sync.Mutex
	requests []recorded
	counts   map[string]int
	finished chan recorded
}

type recorded struct {
	home, capability      string
	code                  int
	queue, service, total time.Duration
}

func newRecords() *records {
	return &records{counts: map[string]int{}, finished: make(chan recorded, 10000)}
}

func (r *records) Request(home, capability string, code int, queue, service, total time.Duration) {
	one := recorded{home, capability, code, queue, service, total}
	r.mu.Lock()
	r.requests = append(r.requests, one)
	r.mu.Unlock()
	r.finished <- one
}

func (r *records) count(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[key]++
}

func (r *records) Retry(pool, reason string) { r.count("retry " + pool + " " + reason) }
func (r *records) Shed(pool, code string)    { r.count("shed " + pool + " " + code) }
func (r *records) Refused(step string)       { r.count("refused " + step) }
func (r *records) Lost(pool, cause string)   { r.count("lost " + pool + " " + cause) }
func (r *records) Ejected(pool string)       { r.count("ejected " + pool) }

func (r *records) of(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[key]
}

func (r *records) total(prefix string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for key, count := range r.counts {
		if strings.HasPrefix(key, prefix) {
			n += count
		}
	}
	return n
}

// idle tells whether nothing is in flight on any worker.
func (w *world) idle() bool {
	for _, p := range w.fleet.Status() {
		if p.InFlight > 0 || p.Queue > 0 {
			return false
		}
	}
	return true
}

// echo answers with what arrived.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Seen-Uri", r.RequestURI)
	w.Header().Set("Seen-Host", r.Host)
	fmt.Fprintf(w, "%s %s", r.Method, body)
}

func testConfig() *config.Config {
	return &config.Config{Pools: []config.Pool{pool("general", "mult")}}
}
