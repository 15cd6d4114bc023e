// Package metrics counts what the balancer and the scaler do and shows it to Prometheus.
//
// It has its own registry, so nothing else in the process can add to it or be in its way. What happened is counted when it happens, through the
// small Recorder interfaces that other packages declare and *Metrics satisfies; what is (workers, queues, ports) is read when somebody
// scrapes, so that no gauge is ever stale and none outlives its pool.
//
// Every label is bounded, whoever feeds it: a pool that SetTargets did not name, a capability beyond a pool's share and a word that
// looks like free text all count as "other".
package metrics

import (
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const namespace = "understudy"

// Metrics is the registry and everything counted in it. All methods may be called concurrently, and none of those that record blocks
// on anything slower than a short lock.
type Metrics struct {
	registry *prometheus.Registry
	handler  http.Handler
	gauges   *gauges

	requests   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	violations *prometheus.CounterVec
	ejections  *prometheus.CounterVec
	refused    *prometheus.CounterVec
	retries    *tally
	shed       *tally
	lost       *tally

	startTimes *prometheus.HistogramVec
	wakes      *prometheus.HistogramVec
	phases     *prometheus.HistogramVec
	starts     *tally
	stops      *tally
	exits      *tally
	rollouts   *tally
	decisions  *prometheus.CounterVec
	driverErrs *prometheus.CounterVec
	orphans    prometheus.Counter
	reconciles *prometheus.HistogramVec

	reload prometheus.Gauge

	codes statusLabels

	// table is replaced as a whole under mu and read without it: the data path pays for one map look-up.
	table atomic.Pointer[map[seriesKey]*series]

	mu      sync.Mutex               // also held while a labelled series is made, so that Forget cannot be undone by a late arrival
	targets map[string]time.Duration // the pools there are
	words   vocabulary
}

// New makes the registry with the Go, process and build collectors. version is what `understudy version` prints.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		gauges:   newGauges(),
		codes:    newStatusLabels(),
		targets:  map[string]time.Duration{},
		words:    vocabulary{},
	}
	m.table.Store(&map[seriesKey]*series{})
	m.describe()
	for _, step := range []string{"connections", "proxy_header", "client", "tls"} {
		m.refused.WithLabelValues(m.words.word("step", step))
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": valid(version), "goversion": runtime.Version()},
	})
	build.Set(1)
	m.reload.Set(1) // nobody serves without a configuration that loaded
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build, m.gauges,
		m.requests, m.durations, m.violations, m.retries.vec, m.shed.vec, m.lost.vec, m.ejections, m.refused,
		m.startTimes, m.phases, m.wakes, m.starts.vec, m.stops.vec, m.exits.vec, m.rollouts.vec, m.decisions, m.driverErrs, m.orphans, m.reconciles, m.reload,
	)
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry:            m.registry,
		ErrorHandling:       promhttp.ContinueOnError, // one series that cannot be read must not blind the operator to the rest
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: 8,
	})
	return m
}

// describe makes every metric that is counted as it happens. The names and labels are fixed: people write alerts on them.
func (m *Metrics) describe() {
	m.requests = counter("requests_total", "Requests by status code; 499: the client left first.", "pool", "capability", "code")
	m.durations = histogram("request_duration_seconds",
		"Time a request waited for a worker (queue), had one (service), and took in all (total).",
		prometheus.DefBuckets, "pool", "capability", "phase")
	m.violations = counter("latency_violations_total",
		"Requests slower than their pool's target: because the worker took that long (service) or because they waited (queue).", "pool", "cause")
	m.retries = newTally("retries_total", "Attempts that were made again on another worker.", "reason")
	m.shed = newTally("requests_shed_total", "Requests refused with 503 or 429.", "code")
	m.lost = newTally("requests_lost_total", "Requests a worker had taken and did not answer; cause scale_down must stay 0.", "cause")
	m.ejections = counter("ejections_total", "Times a worker was left out because requests broke on it.", "pool")
	m.refused = counter("connections_refused_total", "Clients' connections closed before their first request, by the step that closed them.", "step")
	m.startTimes = histogram("worker_start_duration_seconds",
		"Time from the decision to start a worker until it was ready, of good starts.", startBuckets(), "pool")
	m.phases = histogram("worker_start_phase_seconds",
		"Parts of that time: made (create), run (start), until the first good answer (ready).", startBuckets(), "pool", "phase")
	m.wakes = histogram("worker_wake_duration_seconds",
		"Time from the call for a spare that sleeps until it was awake (ok), or known not to wake (failed).", wakeBuckets(), "pool", "result")
	m.starts = newTally("worker_starts_total", "Starts of workers that ended, by how.", "result")
	m.stops = newTally("worker_stops_total", "Workers removed, by why.", "reason")
	m.exits = newTally("worker_exits_total", "Workers that ended, or were given up, without having been asked to end, by how.", "reason")
	m.rollouts = newTally("rollouts_total", "Changes of what a pool's workers are made from that ended: done, rolled_back, superseded by a newer one.", "result")
	m.decisions = counter("scale_decisions_total", "Decisions that changed something or had a new reason.", "pool", "direction", "reason")
	m.driverErrs = counter("driver_errors_total", "Calls to what runs the workers that failed.", "driver", "op")
	m.orphans = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "orphans_removed_total", Help: "Workers removed that carried this instance's label and that it knew nothing of.",
	})
	m.reconciles = histogram("reconcile_duration_seconds",
		"Time to list the workers and hold the list against what there should be.", []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})
	m.reload = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "config_last_reload_success", Help: "1 when the last load of the configuration was taken over, 0 when it was refused.",
	})
}

func startBuckets() []float64 {
	return []float64{0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30, 60}
}

func wakeBuckets() []float64 {
	return []float64{0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2}
}

// Handler serves the metrics in whichever format the scraper asks for.
func (m *Metrics) Handler() http.Handler { return m.handler }

// SetReload records whether the last load of the configuration was taken over.
func (m *Metrics) SetReload(ok bool) { m.reload.Set(oneIf(ok)) }

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

// histogram has classic buckets for every Prometheus there is, and native ones (about 10 % wide) for those that ask for them.
func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}, labels)
}
