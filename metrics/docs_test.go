package metrics

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/prometheus/client_golang/prometheus"
)

const document = "../docs/metrics.md"

// labelValues is what each label may say.
func labelValues() map[string]string {
	return map[string]string{
		"pool":       "the pool's name; of a request, the pool that it counts in (its home)",
		"capability": "as configured; `*` is whatever no other pool names",
		"code":       "of `requests_total`, the status; 499: the client left first. Of `requests_shed_total`, the `code` of the answer: queue-full, queue-timeout, no-worker, draining, worker-busy, too-many-requests",
		"phase":      "of a request: queue, service, total. Of a start: create, start, ready",
		"state":      "of a worker: starting, spare, active, draining, failed. Of a port: leased, free, quarantined",
		"bound":      "min, max, spare",
		"result":     "of a wake: ok, failed. Of a start: ok, failed (it ended or never answered right), timeout, port (somebody held it), image (there is none), engine (it did not answer). Of a change: done, rolled_back, superseded (a newer one came)",
		"reason":     "of a retry: busy, connect, reset, lacks. Of a stop: scale_down, failed, failed_start, drained, changed (a new worker took its place), port_taken, shutdown, handover. Of a decision, the rule that won: idle, usual, reserve, next, min",
		"direction":  "up, down, hold (another reason or limit, the same number)",
		"cause":      "of a violation: queue, service. Of a loss: scale_down, worker_failed",
		"step":       "connections, proxy_header, client, tls",
		"driver":     "docker, process",
		"op":         "start, stop, list, prepare, pause, resume",
		"version":    "as `understudy version` prints it",
		"goversion":  "the Go release it was built with",
	}
}

// examples has one query for each metric, worth having on a dashboard or in an alert.
func examples() map[string]string {
	return map[string]string{
		"build_info":                    `count by (version) (understudy_build_info)`,
		"config_last_reload_success":    `understudy_config_last_reload_success == 0`,
		"connections_refused_total":     `sum by (step) (rate(understudy_connections_refused_total[5m]))`,
		"driver_errors_total":           `sum by (driver, op) (increase(understudy_driver_errors_total[5m])) > 0`,
		"driver_up":                     `understudy_driver_up == 0`,
		"ejections_total":               `sum by (pool) (increase(understudy_ejections_total[1h]))`,
		"latency_target_ratio":          `1 - understudy_latency_target_ratio`,
		"latency_target_seconds":        `understudy_latency_target_seconds`,
		"latency_violations_total":      `sum by (pool, cause) (rate(understudy_latency_violations_total[5m]))`,
		"orphans_removed_total":         `increase(understudy_orphans_removed_total[1h]) > 0`,
		"ports":                         `understudy_ports{state="free"}`,
		"queue_depth":                   `sum by (pool) (understudy_queue_depth)`,
		"reconcile_duration_seconds":    `histogram_quantile(0.99, sum by (instance, le) (rate(understudy_reconcile_duration_seconds_bucket[1h])))`,
		"request_duration_seconds":      `histogram_quantile(0.95, sum by (pool, le) (rate(understudy_request_duration_seconds_bucket{phase="total"}[5m])))`,
		"requests_in_flight":            `sum by (pool) (understudy_requests_in_flight)`,
		"requests_lost_total":           `increase(understudy_requests_lost_total{cause="scale_down"}[15m]) > 0`,
		"requests_shed_total":           `sum by (pool, code) (rate(understudy_requests_shed_total[5m]))`,
		"requests_total":                `sum by (pool, code) (rate(understudy_requests_total[5m]))`,
		"retries_total":                 `sum by (pool, reason) (rate(understudy_retries_total[5m]))`,
		"scale_decisions_total":         `sum by (pool, direction) (increase(understudy_scale_decisions_total[5m]))`,
		"worker_start_duration_seconds": `histogram_quantile(0.9, sum by (pool, le) (rate(understudy_worker_start_duration_seconds_bucket[1h])))`,
		"worker_start_phase_seconds":    `sum by (pool, phase) (rate(understudy_worker_start_phase_seconds_sum[1h])) / sum by (pool, phase) (rate(understudy_worker_start_phase_seconds_count[1h]))`,
		"rollouts_total":                `sum by (pool, result) (increase(understudy_rollouts_total[1d]))`,
		"worker_starts_total":           `sum by (pool, result) (increase(understudy_worker_starts_total[1h]))`,
		"worker_exits_total":            `sum by (pool, reason) (increase(understudy_worker_exits_total[1h]))`,
		"worker_stops_total":            `sum by (pool, reason) (increase(understudy_worker_stops_total[1h]))`,
		"workers":                       `sum by (pool, state) (understudy_workers)`,
		"worker_wake_duration_seconds":  `histogram_quantile(0.99, sum by (pool, le) (rate(understudy_worker_wake_duration_seconds_bucket[1h])))`,
		"workers_asleep":                `understudy_workers{state="spare"} - on (job, instance, pool) understudy_workers_asleep`,
		"workers_bound":                 `understudy_workers_bound{bound="max"} - on (job, instance, pool) understudy_workers_desired`,
		"workers_desired":               `understudy_workers_desired`,
		"workers_outdated":              `understudy_workers_outdated > 0`,
		"workers_ejected":               `understudy_workers_ejected > 0`,
		"workers_stuck":                 `understudy_workers_stuck > 0`,
	}
}

type documented struct {
	Labels  []labelRow
	Metrics []metricRow
}

type labelRow struct{ Name, Values string }

type metricRow struct {
	Name, Type, Help, Example string
	Labels                    []string
}

// TestDocument holds docs/metrics.md to what is registered. With UNDERSTUDY_WRITE_DOCS it writes the page.
func TestDocument(t *testing.T) {
	page, err := template.ParseFiles("testdata/metrics.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := page.Execute(&want, describeAll(t)); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UNDERSTUDY_WRITE_DOCS") != "" {
		if err := os.WriteFile(document, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(document); err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what the collectors say; make docs writes it: %v", document, err)
	}
}

func describeAll(t *testing.T) documented {
	t.Helper()
	var all documented
	values, queries := labelValues(), examples()
	used, registered := used(t), map[string]bool{}
	for _, name := range registeredNames(used.registry) {
		registered[name] = true
	}
	families, err := used.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range families {
		name, ours := strings.CutPrefix(f.GetName(), namespace+"_")
		if !ours {
			continue
		}
		row := metricRow{Name: f.GetName(), Type: strings.ToLower(f.GetType().String()), Help: f.GetHelp(), Example: queries[name]}
		for _, l := range f.Metric[0].Label {
			row.Labels = append(row.Labels, l.GetName())
			if values[l.GetName()] == "" {
				t.Errorf("%s: nobody says what the label %s may be", name, l.GetName())
			}
			seen[l.GetName()] = true
		}
		if !strings.Contains(row.Example, row.Name) {
			t.Errorf("%s has no example that uses it", name)
		}
		all.Metrics = append(all.Metrics, row)
		delete(registered, row.Name)
	}
	for name := range registered {
		t.Errorf("%s is registered and not documented, because nothing in this test records it", name)
	}
	for name, text := range values {
		if !seen[name] {
			t.Errorf("no metric has the label %s", name)
		}
		all.Labels = append(all.Labels, labelRow{name, text})
	}
	slices.SortFunc(all.Labels, func(a, b labelRow) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// registeredNames are our metrics as their collectors announce them, used or not.
func registeredNames(r *prometheus.Registry) []string {
	descs := make(chan *prometheus.Desc, 1024)
	r.Describe(descs)
	close(descs)
	var names []string
	for d := range descs {
		if m := regexp.MustCompile(`fqName: "(` + namespace + `_\w+)"`).FindStringSubmatch(d.String()); m != nil {
			names = append(names, m[1])
		}
	}
	return names
}
