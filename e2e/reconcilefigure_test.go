//go:build figures

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
)

// A pass over 64 workers on a real engine, the list included: at most 100 ms in the mean. That it is one call, package scaler counts.
func TestFigureAPassOver64WorkersIsQuick(t *testing.T) {
	requireDocker(t)
	const workers, passes = 64, 4
	p := start(t, fmt.Sprintf(`
pools:
  - {name: general, capabilities: [mult], workers: {min: 1, max: %d, spare: %d, spare_max: %[2]d}}
`, workers, workers-1), "--driver", "docker")
	await(t, "half of the workers are ready", func() bool { return len(p.workers("general", "active", "spare")) >= workers/2 })
	await(t, "64 workers are ready", func() bool { return len(p.workers("general", "active", "spare")) >= workers })
	sum, n := p.reconciled(t)
	await(t, "four passes more", func() bool { _, now := p.reconciled(t); return now >= n+passes })
	total, now := p.reconciled(t)
	mean := 1000 * (total - sum) / (now - n)
	fmt.Printf("figure: %.0f passes over %d containers took %.1f ms in the mean, allowed 100\n", now-n, workers, mean)
	if mean > 100 {
		t.Error("too slow")
	}
}

// reconciled is how long all passes took so far, in seconds, and how many there were.
func (p *process) reconciled(t *testing.T) (sum, n float64) {
	t.Helper()
	resp, err := http.Get(p.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	figure := func(name string) float64 {
		m := regexp.MustCompile(`(?m)^understudy_reconcile_duration_seconds_` + name + ` (\S+)$`).FindSubmatch(body)
		if m == nil {
			return 0
		}
		v, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	return figure("sum"), figure("count")
}
