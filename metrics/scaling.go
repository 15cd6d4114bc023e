package metrics

import "time"

// Started counts a start that ended: ok, failed, timeout, port, image, engine. Only good ones are timed.
func (m *Metrics) Started(pool string, took time.Duration, result string) {
	m.add(m.starts, pool, result)
	if result == "ok" {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.startTimes.WithLabelValues(m.pool(pool)).Observe(took.Seconds())
	}
}

// StartPhase times a part of a good start: create, start, ready.
func (m *Metrics) StartPhase(pool, phase string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phases.WithLabelValues(m.pool(pool), m.words.word("phase", phase)).Observe(took.Seconds())
}

// Stopped counts a worker that was removed, by why.
func (m *Metrics) Stopped(pool, reason string) { m.add(m.stops, pool, reason) }

// Exited counts a worker that nobody asked to end, by how it ended: exit, oom, signal, removed, hung, identity, broken, never_ready.
func (m *Metrics) Exited(pool, reason string) { m.add(m.exits, pool, reason) }

// Woken times and counts a sleeping spare that was woken, or could not be: ok, failed.
func (m *Metrics) Woken(pool string, took time.Duration, result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wakes.WithLabelValues(m.pool(pool), m.words.word("result", result)).Observe(took.Seconds())
}

// Decided counts a decision: up, down or hold, and the rule that won.
func (m *Metrics) Decided(pool, direction, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.decisions.WithLabelValues(m.pool(pool), m.words.word("direction", direction), m.words.word("decision", reason)).Inc()
}

// DriverError counts a call to the driver that failed, by driver and operation.
func (m *Metrics) DriverError(driver, op string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.driverErrs.WithLabelValues(m.words.word("driver", driver), m.words.word("op", op)).Inc()
}

// Reconciled times a list of the workers, until it was held against what there should be.
func (m *Metrics) Reconciled(took time.Duration) {
	m.reconciles.WithLabelValues().Observe(took.Seconds())
}

// Orphan counts a worker that was removed because nobody stood for it.
func (m *Metrics) Orphan() { m.orphans.Inc() }

// Rollout counts a change of what a pool's workers are made from that ended: done, rolled_back, superseded.
func (m *Metrics) Rollout(pool, result string) { m.add(m.rollouts, pool, result) }

// Drive names the driver there is, so that its errors are seen to be 0 before the first.
func (m *Metrics) Drive(driver string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range []string{"start", "stop", "list", "prepare"} {
		m.driverErrs.WithLabelValues(m.words.word("driver", driver), m.words.word("op", op))
	}
}
