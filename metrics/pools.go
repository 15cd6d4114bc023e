package metrics

import (
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SetTargets names the pools there are and the latency each promised. Call it before serving and after every reload: pools not named
// are forgotten, and whatever is still counted for them counts as "other".
func (m *Metrics) SetTargets(targets map[string]time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for pool := range m.targets {
		if _, ok := targets[pool]; !ok {
			m.forget(pool)
		}
	}
	m.targets = map[string]time.Duration{}
	for pool, target := range targets {
		if valid(pool) == pool {
			m.targets[pool] = target
		}
	}
	m.table.Store(&map[seriesKey]*series{}) // series carry the old targets; they are found again at the next request
	for pool := range m.targets {
		m.begin(pool)
	}
}

// begin makes the series whose zero is worth seeing: an alert on a series that does not exist yet misses its first event.
func (m *Metrics) begin(pool string) {
	for _, cause := range []string{"queue", "service"} {
		m.violations.WithLabelValues(pool, cause)
	}
	m.ejections.WithLabelValues(pool)
	for t, words := range map[*tally][]string{
		m.lost:     {"scale_down", "worker_failed"},
		m.shed:     {"queue-full", "queue-timeout", "no-worker", "draining", "worker-busy", "too-many-requests"},
		m.retries:  {"busy", "connect", "reset", "lacks"},
		m.starts:   {"ok", "failed", "timeout", "port", "image", "engine"},
		m.stops:    {"scale_down", "failed", "failed_start", "drained", "changed"},
		m.exits:    {"exit", "oom", "signal", "removed", "hung", "identity", "broken", "never_ready"},
		m.rollouts: {"done", "rolled_back", "superseded"},
	} {
		for _, word := range words {
			m.child(t, pool, word)
		}
	}
}

// Forget drops every series of a pool that is no more.
func (m *Metrics) Forget(pool string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.targets, pool)
	m.forget(pool)
	table := maps.Clone(*m.table.Load())
	maps.DeleteFunc(table, func(k seriesKey, _ *series) bool { return k.pool == pool })
	m.table.Store(&table)
}

func (m *Metrics) forget(pool string) {
	label := prometheus.Labels{"pool": pool}
	for _, vec := range []*prometheus.CounterVec{m.requests, m.violations, m.ejections, m.decisions} {
		vec.DeletePartialMatch(label)
	}
	for _, vec := range []*prometheus.HistogramVec{m.durations, m.startTimes, m.phases, m.wakes} {
		vec.DeletePartialMatch(label)
	}
	for _, t := range []*tally{m.retries, m.shed, m.lost, m.starts, m.stops, m.exits, m.rollouts} {
		t.forget(pool)
	}
}
