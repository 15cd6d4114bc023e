package metrics

import (
	"maps"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// tally is a counter by pool and one word more, each from a short list of the caller's. What has been counted before is found without a
// lock: a flood of refused requests must not queue up here.
type tally struct {
	name  string // whose words these are
	vec   *prometheus.CounterVec
	table atomic.Pointer[map[tallyKey]prometheus.Counter]
}

type tallyKey struct{ pool, word string }

// newTally makes a counter whose labels are pool and label.
func newTally(name, help, label string) *tally {
	t := &tally{name: name, vec: counter(name, help, "pool", label)}
	t.table.Store(&map[tallyKey]prometheus.Counter{})
	return t
}

func (m *Metrics) add(t *tally, pool, word string) {
	if c, ok := (*t.table.Load())[tallyKey{pool, word}]; ok {
		c.Inc()
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.child(t, pool, word).Inc()
}

// child finds or makes one counter. Only what counts under its own name is kept at hand: of other words there may be any number. The caller
// holds the lock.
func (m *Metrics) child(t *tally, pool, word string) prometheus.Counter {
	key := tallyKey{m.pool(pool), m.words.word(t.name, word)}
	c := t.vec.WithLabelValues(key.pool, key.word)
	if table := *t.table.Load(); key == (tallyKey{pool, word}) && table[key] == nil {
		table = maps.Clone(table)
		table[key] = c
		t.table.Store(&table)
	}
	return c
}

// forget drops a pool. The caller holds the lock.
func (t *tally) forget(pool string) {
	table := maps.Clone(*t.table.Load())
	maps.DeleteFunc(table, func(k tallyKey, _ prometheus.Counter) bool { return k.pool == pool })
	t.table.Store(&table)
	t.vec.DeletePartialMatch(prometheus.Labels{"pool": pool})
}
