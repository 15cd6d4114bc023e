package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	cyclesUsual   = 40 // with processes; Docker does a twentieth, but five at least: it takes that much longer
	cyclesPerSlow = 20
	cyclesLeast   = 5
)

// cyclesWanted is CYCLES of `make cycles`.
func cyclesWanted(t *testing.T) int {
	t.Helper()
	text := os.Getenv("CYCLES")
	if text == "" {
		return cyclesUsual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CYCLES is %q: it must be how many workers shall come and go, 1 or more", text)
	}
	return n
}

const cyclesPool = `
pools:
  - name: cycles
    capabilities: [work, talk]
    %s
    concurrency: 4
    workers: {min: 3, max: 12, spare: 1}
    ready: {path: /, status: "200"}
    queue: {length: 1000, wait: 30s}
    drain: 1s
`

func TestWorkersComeAndGoUnderLoadAndNobodyNotices(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cyclist")
	compile(t, path, "understudy/e2e/cyclist")
	cycles(t, start(t, fmt.Sprintf(cyclesPool, "command: ["+path+"]"), "--driver", "process"), cyclesWanted(t))
}

// cycles drains n workers, one after the other and up to three at a time, while the riders ride; the balancer starts others in their stead. It
// goes on until enough happened to the riders too: which worker has a long ride on it is chance.
func cycles(t *testing.T, p *process, n int) {
	r := ride(t, p.url, time.Second)
	const together = 3
	leaving := map[string]bool{}
	done, wanted := 0, n
	await := time.NewTicker(20 * time.Millisecond)
	defer await.Stop()
	for began, last := time.Now(), time.Now(); done < wanted; <-await.C {
		there := map[string]bool{}
		var active []string
		for _, w := range p.workers("cycles") {
			there[w.ID] = true
			if w.State == "active" && w.Served > 0 && !leaving[w.ID] {
				active = append(active, w.ID)
			}
		}
		for id := range leaving {
			if !there[id] {
				delete(leaving, id)
				done++
				last = time.Now()
			}
		}
		if done == wanted && wanted < 4*n && len(r.lacking(n)) > 0 {
			wanted++
		}
		if time.Since(last) > time.Minute {
			t.Fatalf("no worker has gone for a minute, %d have in %v", done, time.Since(began))
		}
		if len(active) > 1 && len(leaving) < together && done+len(leaving) < wanted {
			id := active[done%len(active)]
			leaving[id] = true
			r.drains(id)
			if err := p.drain(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.end()
	for _, f := range r.faults {
		t.Error(f)
	}
	t.Logf("%d workers came and went; %v", done, r.counts)
	unscathed(t, p, r, done)
	for _, kind := range r.lacking(n) {
		t.Errorf("%d times %s in %d cycles: too little happened for this to prove anything", r.counts[kind], kind, done)
	}
}

// unscathed checks what the balancer itself says of it.
func unscathed(t *testing.T, p *process, r *riders, n int) {
	t.Helper()
	for _, sample := range []string{
		`understudy_requests_lost_total{cause="scale_down",pool="cycles"}`, `understudy_requests_lost_total{cause="worker_failed",pool="cycles"}`,
		`understudy_retries_total{pool="cycles",reason="connect"}`, `understudy_retries_total{pool="cycles",reason="reset"}`,
		`understudy_ejections_total{pool="cycles"}`, `understudy_worker_starts_total{pool="cycles",result="failed"}`,
	} {
		if got := metric(t, p, sample); got != "0" && got != "" {
			t.Errorf("%s is %s", sample, got)
		}
	}
	if got, _ := strconv.Atoi(metric(t, p, `understudy_worker_stops_total{pool="cycles",reason="drained"}`)); got != n {
		t.Errorf("%d workers were drained, want %d", got, n)
	}
	if strings.Contains(p.output.String(), "panic") {
		t.Error("the balancer panicked")
	}
}

// lacking are the kinds of rides of which there were too few for n cycles to prove anything.
func (r *riders) lacking(n int) (kinds []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for kind, least := range map[string]int{"short": n, "long": n / 4, "chat": n / 4, "cut": max(1, n/100)} {
		if r.counts[kind] < least {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
