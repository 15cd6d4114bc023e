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

// Drive names the driver there is, so that its errors are seen to be 0 before the first.
func (m *Metrics) Drive(driver string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range []string{"start", "stop"} {
		m.driverErrs.WithLabelValues(m.words.word("driver", driver), m.words.word("op", op))
	}
}
