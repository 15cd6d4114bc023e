//go:build figures

package dashboard_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	figureStreams = 10
	figureRate    = "500"
	figureTime    = 6 * time.Second
	figureRounds  = 3
)

// TestFigureStreams measures what ten open dashboards cost a balancer that serves 500 requests a second: the processor time it takes in six
// seconds without and with them, in turns.
func TestFigureStreams(t *testing.T) {
	bin := os.Getenv("UNDERSTUDY_BIN")
	if bin == "" {
		t.Fatal("UNDERSTUDY_BIN must name the program")
	}
	listen, admin, pid := startBalancer(t, bin)
	load := exec.Command(bin, "client", "--target", "http://"+listen, "--rate", figureRate, "--duration", "5m", "--mix", "echo=1", "--quiet")
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { load.Process.Kill(); load.Wait() }() // it was killed, and says so
	measure(t, pid, admin, 0)
	var without, with time.Duration
	for range figureRounds {
		without += measure(t, pid, admin, 0)
		with += measure(t, pid, admin, figureStreams)
	}
	all := figureRounds * figureTime
	share := func(d time.Duration) float64 { return 100 * d.Seconds() / all.Seconds() }
	t.Logf("CPU of a balancer at %s requests/s: %.2f %% of one core without a dashboard, %.2f %% with %d: %.2f %% for them (allowed 2 %%)",
		figureRate, share(without), share(with), figureStreams, share(with-without))
	if share(with-without) >= 2 {
		t.Error("dashboards cost too much")
	}
}

// TestFigurePaint measures how long a browser takes from asking for the page to painting it, the best of five.
func TestFigurePaint(t *testing.T) {
	b := newBrowser(t, 1200, 900)
	if b == nil {
		t.Fatal("this needs Chromium")
	}
	s := newStage(t)
	s.begin()
	best := time.Hour
	for range 5 {
		b.open(s.url())
		b.until("the first paint", `performance.getEntriesByName('first-contentful-paint').length`)
		ms, err := strconv.ParseFloat(b.text(`performance.getEntriesByName('first-contentful-paint')[0].startTime`), 64)
		if err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Duration(ms*float64(time.Millisecond)))
	}
	t.Logf("first paint after %s (allowed 500ms)", best.Round(time.Millisecond))
	if best >= 500*time.Millisecond {
		t.Error("that is too late")
	}
}

// startBalancer runs one whose worker is this process.
func startBalancer(t *testing.T, bin string) (listen, admin string, pid int) {
	t.Helper()
	worker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	t.Cleanup(worker.Close)
	listen, admin = freeAddress(t), freeAddress(t)
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("listen: %s\nadmin: %s\ndriver: process\ninstance: figure\npools:\n  - name: fixed\n    capabilities: [echo]\n    members: [%s]\n    concurrency: 100\n", listen, admin, worker.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	balancer := exec.Command(bin, "balancer", "--config", file)
	var said strings.Builder
	balancer.Stderr = &said
	if err := balancer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		balancer.Process.Signal(syscall.SIGTERM)
		if err := balancer.Wait(); err != nil {
			t.Errorf("%v: %s", err, &said)
		}
	})
	awaitListener(t, admin)
	return listen, admin, balancer.Process.Pid
}

// measure is the processor time that a process takes while so many streams are open.
func measure(t *testing.T, pid int, admin string, streams int) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var open, reading sync.WaitGroup
	for range streams {
		open.Add(1)
		reading.Go(func() { read(ctx, t, admin, open.Done) })
	}
	open.Wait()
	before := cpu(t, pid)
	<-time.After(figureTime)
	took := cpu(t, pid) - before
	cancel()
	reading.Wait()
	return took
}

func read(ctx context.Context, t *testing.T, admin string, opened func()) {
	told := sync.OnceFunc(opened)
	defer told()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/api/v1/stream", nil)
	if err != nil {
		t.Error(err)
		return
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Error("no stream: ", err)
		return
	}
	defer answer.Body.Close()
	if _, err := answer.Body.Read(make([]byte, 1)); err != nil {
		t.Error(err)
		return
	}
	told()
	io.Copy(io.Discard, answer.Body) // until it is cancelled
}

// cpu is the time a process has taken so far, in user and kernel mode; Linux counts it in hundredths of a second.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// awaitListener returns when somebody listens.
func awaitListener(t *testing.T, address string) {
	t.Helper()
	for t.Context().Err() == nil {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
	}
}
