package balancer

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/config"
	"understudy/fleet"
)

// bench is a balancer on a listener, with one HTTP worker behind every address.
type bench struct {
	fleet    *fleet.Fleet
	balancer *Balancer
	url      string
	worker   string
	waits    *waits
}

// waits keeps the time each request spent until it had a worker.
type waits struct {
	Noop
	mu   sync.Mutex
	list []time.Duration
}

func (w *waits) Request(_, _ string, _ int, queue, _, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, queue)
}

func (w *waits) quantile(q float64) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.list)
	return w.list[min(int(q*float64(len(w.list))), len(w.list)-1)]
}

func newBench(b *testing.B, concurrency int) *bench {
	b.Helper()
	worker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"res":42,"duration":1,"id":"w"}`)
	}))
	p := builtIn("general", "mult")
	p.Concurrency, p.Workers.Max = concurrency, 1<<30
	c := &config.Config{Limits: config.Limits{Header: 32 << 10, Idle: time.Minute}, Pools: []config.Pool{p}}
	w := &waits{}
	x := &bench{fleet: fleetOf(c.Pools), worker: worker.URL, waits: w}
	balancer := New(Options{Fleet: x.fleet, Config: c, Recorder: w, Log: slog.New(slog.DiscardHandler)})
	x.balancer = balancer
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	x.url = "http://" + l.Addr().String()
	server := balancer.Server()
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	b.Cleanup(func() {
		_ = server.Close()
		<-done
		for _, one := range x.fleet.Workers() {
			x.fleet.Remove(one.ID)
		}
		worker.Close()
	})
	return x
}

func (x *bench) add(b *testing.B, id string, active int) {
	if _, err := x.fleet.Add(fleet.Info{ID: id, Pool: "general", Address: x.worker, Generation: id, Origin: fleet.Cold}); err != nil {
		b.Fatal(err)
	}
	x.fleet.Ready(id, x.worker, active)
}

func post(b *testing.B, client *http.Client, url string) {
	resp, err := client.Post(url, "application/json", strings.NewReader(`{"a":6,"b":7}`))
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b.Fatalf("status %d", resp.StatusCode)
	}
}

// BenchmarkProxied is a small POST through the balancer, beside the same one straight to the worker.
func BenchmarkProxied(b *testing.B) {
	x := newBench(b, 64)
	x.add(b, "w", 1)
	for name, url := range map[string]string{"straight": x.worker + "/mult", "balanced": x.url + "/mult"} {
		b.Run(name, func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			defer client.CloseIdleConnections()
			b.ReportAllocs()
			for b.Loop() {
				post(b, client, url)
			}
		})
	}
}

// BenchmarkPromotedSpare is a request that finds every worker in rotation busy and the spare ready: it waits for the promotion alone.
func BenchmarkPromotedSpare(b *testing.B) {
	x := newBench(b, 1)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	n := 0
	for b.Loop() {
		b.StopTimer()
		id := fmt.Sprint("w", n)
		n++
		x.add(b, id, 0) // a spare
		b.StartTimer()
		post(b, client, x.url+"/mult")
		b.StopTimer()
		x.fleet.Remove(id)
		b.StartTimer()
	}
	b.ReportMetric(float64(x.waits.quantile(0.50).Nanoseconds())/1000, "wait-p50-µs")
	b.ReportMetric(float64(x.waits.quantile(0.99).Nanoseconds())/1000, "wait-p99-µs")
}

// BenchmarkServeHTTP is the balancer's part without the client's connection.
func BenchmarkServeHTTP(b *testing.B) {
	worker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer worker.Close()
	p := builtIn("general", "mult")
	f := fleetOf([]config.Pool{p})
	balancer := New(Options{Fleet: f, Config: &config.Config{Pools: []config.Pool{p}}})
	if _, err := f.Add(fleet.Info{ID: "w", Pool: "general", Address: worker.URL, Origin: fleet.Cold}); err != nil {
		b.Fatal(err)
	}
	f.Ready("w", "", 1)
	defer f.Remove("w")
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/mult", nil)
		balancer.ServeHTTP(httptest.NewRecorder(), r)
	}
}
