//go:build long

package e2e

import (
	"strings"
	"sync"
	"testing"

	"understudy/client"
)

// The figure: 1 000 requests back to back while workers are started, drained and removed the whole time, 30 of each: none fails.
func TestAThousandRequestsWhileWorkersComeAndGoLoseNothing(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	p := start(t, strings.ReplaceAll(quickPool, "min: 1, max: 8", "min: 2, max: 6"), "--driver", "docker")
	done := make(chan struct{})
	removed := make(chan int, 1)
	go func() {
		n := 0
		defer func() { removed <- n }()
		for n < 30 {
			victim := oldestReady(p)
			if victim == "" {
				continue
			}
			if p.drain(victim) == nil {
				n++
			}
			await(t, "it is gone", func() bool { return !has(p, victim) })
		}
	}()
	var mu sync.Mutex
	total, failed := 0, 0
	var sample map[client.Cause]string
	go func() {
		defer close(done)
		for churning := true; churning; {
			report, err := client.Run(t.Context(), client.Options{Target: p.url, N: 250, Concurrency: 2, Mix: client.Mix{{Capability: "mult", Weight: 1}, {Capability: "add", Weight: 1}}}, nil)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			total += report.Count
			failed += report.Errors
			if report.Errors > 0 {
				sample = report.ErrorSamples
			}
			mu.Unlock()
			select {
			case n := <-removed:
				removed <- n
				churning = total < 1000
			default:
			}
		}
	}()
	<-done
	n := <-removed
	t.Logf("%d requests while %d workers were drained, removed and replaced: %d failed", total, n, failed)
	if n < 30 || total < 1000 || failed > 0 {
		t.Errorf("%d removals, %d requests, %d failed: %v", n, total, failed, sample)
	}
	if lost := metric(t, p, `understudy_requests_lost_total{cause="scale_down",pool="general"}`); lost != "" && lost != "0" {
		t.Errorf("requests lost to scale-down: %s", lost)
	}
}
