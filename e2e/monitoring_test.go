package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"understudy/client"
)

// watched is a pool that grows under the load below, and one of fixed members that refuses and breaks.
const watched = `
pools:
  - name: general
    capabilities: [mult, add]
    workers: {min: 1, max: 4, spare: 1}
    env: [DURATION=40ms..80ms]
  - name: legacy
    capabilities: [echo]
    members: [%s, %s]
    target: {latency: 5ms, percentile: 95}
    queue: {length: 1}
`

// TestEveryQueryOfDashboardRulesAndDocumentsHasAnAnswer: a real Prometheus with the rules as shipped scrapes a real balancer that is used and
// abused. What Grafana would ask is asked, with its variables filled in, until each query has been answered with data.
func TestEveryQueryOfDashboardRulesAndDocumentsHasAnAnswer(t *testing.T) {
	t.Parallel()
	one, two := unreliable(t), unreliable(t)
	p := start(t, fmt.Sprintf(watched, one.URL, two.URL), "--driver", "process")
	prom := startPrometheus(t, p.admin)
	await(t, "the first scrape", func() bool { return prom.ask(`up{job="understudy"}`) == "1" })
	use(t, p)

	open := dashboardQueries(t)
	open = slices.Concat(open, prom.records(t), facts())
	if len(open) < 50 {
		t.Fatalf("only %d queries", len(open))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("without data:\n%s", strings.Join(open, "\n"))
		}
	})
	await(t, "every query has data", func() bool {
		open = slices.DeleteFunc(open, func(q string) bool { return prom.ask(q) != "" })
		return len(open) == 0
	})
	await(t, "every rule was evaluated", func() bool { return prom.rulesAreWell(t) })
	for _, q := range documentedQueries(t) {
		prom.ask(q)
	}
	if lost := prom.ask(`sum(understudy_requests_lost_total{cause="scale_down"})`); lost != "0" {
		t.Errorf("%q requests were lost by scaling", lost)
	}
}

// facts are what this load must lead to: what was refused, broken and late is seen, and only where it happened.
func facts() []string {
	return []string{
		`sum(understudy_latency_violations_total{pool="legacy",cause="service"}) > 0`,
		`sum(understudy_requests_shed_total{pool="legacy",code="queue-full"}) > 0`,
		`sum(understudy_requests_lost_total{pool="legacy",cause="worker_failed"}) > 0`,
		`sum(understudy_requests_lost_total{pool="general"}) == 0`,
		`understudy_workers_bound{pool="general",bound="max"} == 4`,
		`understudy_workers_bound{pool="legacy",bound="max"} == 0`,
		`pool:understudy_over_target:allowance_rate5m{pool="legacy"} > 1`,
		`ALERTS{alertname="UnderstudyTargetMissed",pool="legacy",alertstate="pending"}`,
		`pool:understudy_request_duration_seconds:p95_rate5m{pool="general"} > 0.03`,
	}
}

// unreliable is a member that takes 10 ms and closes every fourth connection instead of answering.
func unreliable(t *testing.T) *httptest.Server {
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" { // a probe
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(10 * time.Millisecond):
		case <-r.Context().Done():
		}
		if n.Add(1)%4 == 0 {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// use puts load on both pools until the test ends: on the second more than its two members can take.
func use(t *testing.T, p *process) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}, 2)
	for _, o := range []client.Options{
		{Target: p.url, Duration: 10 * time.Minute, Rate: 40, Seed: 1, Mix: client.Mix{{Capability: "mult", Weight: 2}, {Capability: "add", Weight: 1}}},
		{Target: p.url, Duration: 10 * time.Minute, Rate: 300, Seed: 1, Mix: client.Mix{{Capability: "echo", Weight: 1}}},
	} {
		go func() {
			defer func() { ended <- struct{}{} }()
			_, _ = client.Run(ctx, o, nil) // that it is cut short is no error of this test; that nothing arrived would be seen
		}()
	}
	t.Cleanup(func() {
		cancel()
		<-ended
		<-ended
	})
}

// dashboardQueries is what the panels and the variables ask, filled in as Grafana does when everything is chosen.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../deploy/grafana/dashboards/understudy.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	chosen := strings.NewReplacer("$__rate_interval", "10s", "$__range", "10m", "$instance", ".*", "$pool", ".*")
	queries := []string{"understudy_build_info", "understudy_workers_desired"}
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			expr := chosen.Replace(q.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("a variable of %s is unknown", q.Expr)
			}
			queries = append(queries, expr)
		}
	}
	return queries
}

// documentedQueries are the examples of docs/metrics.md. Some ask for what must not be, so that they need not have data.
func documentedQueries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^    (.+)$`).FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	if len(out) < 20 {
		t.Errorf("%d examples", len(out))
	}
	return out
}
