package metrics

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"understudy/fleet"
)

// large is a balancer with 8 pools of 8 workers and two capabilities each, all of which have been used in every way.
func large() *Metrics {
	m := New("1.2.3")
	targets := map[string]time.Duration{}
	var pools []fleet.PoolStatus
	for p := range 8 {
		name := fmt.Sprintf("pool-%d", p)
		targets[name] = 300 * ms
		s := fleet.PoolStatus{Name: name, Target: 300 * ms, Queues: map[string]int{"mult": 1, "add": 2}}
		for range 8 {
			s.Workers = append(s.Workers, fleet.WorkerStatus{State: fleet.Active})
		}
		pools = append(pools, s)
	}
	m.SetTargets(targets)
	m.Drive("docker")
	m.Collect(Sources{
		Pools: func() []fleet.PoolStatus { return pools }, Goals: func(string) Goals { return Goals{Percentile: 95, Max: 8} },
		Ports: func() fleet.PortsStatus { return fleet.PortsStatus{Leased: 64} },
	})
	for name := range targets {
		for i := range 1000 {
			took := time.Duration(i*i) * 10 * time.Microsecond
			m.Request(name, []string{"mult", "add"}[i%2], []int{200, 200, 200, 502, 503}[i%5], took/10, took, took+took/10)
			m.Started(name, took, "ok")
			for _, phase := range []string{"create", "start", "ready"} {
				m.StartPhase(name, phase, took)
			}
		}
		for _, direction := range []string{"up", "down", "hold"} {
			for _, reason := range []string{"idle", "usual", "reserve", "next", "min"} {
				m.Decided(name, direction, reason)
			}
		}
	}
	return m
}

func scrape(m *Metrics, encoding string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", encoding)
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, r)
	return rec
}

// TestAScrapeOf64WorkersInEightPoolsIsSmall: at most 30 KiB on the wire. What it says is what an uncompressed one says.
func TestAScrapeOf64WorkersInEightPoolsIsSmall(t *testing.T) {
	m := large()
	packed := scrape(m, "gzip")
	if packed.Code != http.StatusOK || packed.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("status %d, encoding %q", packed.Code, packed.Header().Get("Content-Encoding"))
	}
	size := packed.Body.Len()
	r, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if size > 30<<10 {
		t.Errorf("a scrape has %d bytes gzipped, at most 30 KiB are allowed", size)
	}
	if n := bytes.Count(text, []byte("understudy_workers{")); n != 8*5 {
		t.Errorf("%d series of workers, want 5 states of 8 pools", n)
	}
	t.Logf("%d lines, %.0f KiB, %.1f KiB gzipped", bytes.Count(text, []byte("\n")), float64(len(text))/1024, float64(size)/1024)
}

// TestCountingARequestAllocatesNothing, whether it was served or refused.
func TestCountingARequestAllocatesNothing(t *testing.T) {
	m := large()
	record := func() {
		m.Request("pool-1", "mult", 200, 2*ms, 100*ms, 102*ms)
		m.Request("pool-2", "add", 503, 2*ms, -1, 2*ms)
		m.Shed("pool-2", "queue-full")
		m.Retry("pool-1", "busy")
		m.Lost("pool-1", "worker_failed")
	}
	if n := testing.AllocsPerRun(1000, record); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRequest(b *testing.B) {
	m := large()
	b.ReportAllocs()
	for b.Loop() {
		m.Request("pool-1", "mult", 200, 2*ms, 100*ms, 102*ms)
	}
}

func BenchmarkRefusedRequest(b *testing.B) {
	m := large()
	b.ReportAllocs()
	for b.Loop() {
		m.Request("pool-1", "mult", 503, 2*ms, -1, 2*ms)
		m.Shed("pool-1", "queue-full")
	}
}

func BenchmarkScrape(b *testing.B) {
	m := large()
	for b.Loop() {
		scrape(m, "gzip")
	}
}
