package metrics

import (
	"maps"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type seriesKey struct{ pool, capability string }

// series is everything one request of one capability with one home pool may touch, found by one look-up.
type series struct {
	key                                   seriesKey     // as labels
	target                                time.Duration // 0: none
	queue, service, total                 prometheus.Observer
	violatedByQueueing, violatedByService prometheus.Counter
	codes                                 atomic.Pointer[map[int]prometheus.Counter]
}

// Request counts one request whose home is the pool. service < 0: it never reached a worker. A client that left (code 499) is counted
// and not timed; a request that was refused is timed in the queue alone, so that quick refusals do not make latency look good.
func (m *Metrics) Request(home, capability string, code int, queue, service, total time.Duration) {
	s := m.seriesOf(home, capability)
	s.count(m, code)
	if code == clientGone {
		return
	}
	s.queue.Observe(queue.Seconds())
	if service >= 0 {
		s.service.Observe(service.Seconds())
		s.total.Observe(total.Seconds())
	}
	switch {
	case s.target <= 0 || total <= s.target:
	case service > s.target:
		s.violatedByService.Inc()
	default:
		s.violatedByQueueing.Inc()
	}
}

// Retry counts an attempt made again on another worker, by reason: busy, connect, reset, lacks.
func (m *Metrics) Retry(pool, reason string) { m.add(m.retries, pool, reason) }

// Shed counts a request refused with 503 or 429, by the code of the answer.
func (m *Metrics) Shed(pool, code string) { m.add(m.shed, pool, code) }

// Lost counts a request a worker had taken and did not answer, by cause.
func (m *Metrics) Lost(pool, cause string) { m.add(m.lost, pool, cause) }

// Ejected counts a worker that is left out because requests broke on it.
func (m *Metrics) Ejected(pool string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ejections.WithLabelValues(m.pool(pool)).Inc()
}

// Refused counts a connection that was closed before its first request, by step: connections, proxy_header, client, tls.
func (m *Metrics) Refused(step string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused.WithLabelValues(m.words.word("step", step)).Inc()
}

// pool yields the name of a pool there is, or "other". The caller holds the lock.
func (m *Metrics) pool(name string) string {
	if m.known(name) {
		return name
	}
	return other
}

func (m *Metrics) known(pool string) bool {
	_, ok := m.targets[pool]
	return ok
}

func (m *Metrics) seriesOf(home, capability string) *series {
	key := seriesKey{home, capability}
	if s, ok := (*m.table.Load())[key]; ok {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.makeSeries(m.bound(key))
}

// bound is what the key counts as. The caller holds the lock.
func (m *Metrics) bound(key seriesKey) seriesKey {
	if !m.known(key.pool) {
		return seriesKey{other, other}
	}
	key.capability = valid(key.capability)
	table := *m.table.Load()
	if _, ok := table[key]; ok {
		return key
	}
	n := 0
	for k := range table {
		if k.pool == key.pool && k.capability != other {
			n++
		}
	}
	if n >= maxCapability {
		key.capability = other
	}
	return key
}

// makeSeries finds the series or puts it into a new table. The caller holds the lock.
func (m *Metrics) makeSeries(key seriesKey) *series {
	table := *m.table.Load()
	if s, ok := table[key]; ok {
		return s
	}
	s := &series{
		key:                key,
		target:             m.targets[key.pool],
		queue:              m.durations.WithLabelValues(key.pool, key.capability, "queue"),
		service:            m.durations.WithLabelValues(key.pool, key.capability, "service"),
		total:              m.durations.WithLabelValues(key.pool, key.capability, "total"),
		violatedByQueueing: m.violations.WithLabelValues(key.pool, "queue"),
		violatedByService:  m.violations.WithLabelValues(key.pool, "service"),
	}
	s.codes.Store(&map[int]prometheus.Counter{})
	table = maps.Clone(table)
	table[key] = s
	m.table.Store(&table)
	return s
}

// count adds one request. A counter that is not at hand is made under the lock, unless its pool was forgotten meanwhile.
func (s *series) count(m *Metrics, code int) {
	if c, ok := (*s.codes.Load())[code]; ok {
		c.Inc()
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.key.pool != other && !m.known(s.key.pool) {
		return
	}
	label := m.codes.of(code)
	c := m.requests.WithLabelValues(s.key.pool, s.key.capability, label)
	c.Inc()
	if label == other {
		return // not kept: a worker may make up as many as it likes
	}
	codes := maps.Clone(*s.codes.Load())
	codes[code] = c
	s.codes.Store(&codes)
}
