package metrics

import "time"

// Started counts a start that ended: ok, failed, timeout, port, image. Only good ones are timed.
func (m *Metrics) Started(pool string, took time.Duration, result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	pool = m.pool(pool)
	m.starts.WithLabelValues(pool, m.words.word("start", result)).Inc()
	if result == "ok" {
		m.startTimes.WithLabelValues(pool).Observe(took.Seconds())
	}
}

// Stopped counts a worker that was removed, by why.
func (m *Metrics) Stopped(pool, reason string) { m.add(m.stops, pool, reason, "stop") }

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
