package dashboard

import (
	"maps"
	"slices"
	"time"

	"understudy/fleet"
)

// How much is remembered of each pool: a quarter of an hour at a sample a second. More is what metrics are for.
const (
	maxSamples = 900
	maxMoments = 300
)

// Sample is what was measured of one pool at one moment. Percentiles are of the 10 s before, 0 when there were too few answers to tell.
type Sample struct {
	At       int64   `json:"at"` // Unix milliseconds
	P50      float32 `json:"p50_ms"`
	P95      float32 `json:"p95_ms"`
	P99      float32 `json:"p99_ms"`
	Rate     float32 `json:"rate"` // arrivals a second
	Queue    int32   `json:"queue"`
	InFlight int32   `json:"inflight"`
	Desired  int32   `json:"desired"`
	Active   int32   `json:"active"` // workers by state, this one and the next four
	Spare    int32   `json:"spare"`
	Starting int32   `json:"starting"`
	Draining int32   `json:"draining"`
	Failed   int32   `json:"failed"`
}

// Moment is a worker that changed its state. What changes twice between two samples is seen once.
type Moment struct {
	At     int64  `json:"at"` // Unix milliseconds
	Pool   string `json:"pool"`
	Worker string `json:"worker"`
	From   string `json:"from"`    // a state of fleet.State; empty: it is new
	To     string `json:"to"`      // a state, or "ejected", or "back" from that
	TookMS int64  `json:"took_ms"` // from its start to its first answer, when that is what happened and we started it
	Reason string `json:"reason"`
}

// History keeps the last quarter of an hour of every pool in memory that does not grow. Not safe for concurrent use: one goroutine owns it.
type History struct {
	pools map[string]*past
}

// past is what is remembered of one pool.
type past struct {
	samples ring[Sample]
	moments ring[Moment]
	workers map[string]shown
	round   uint64 // counts the samples
	fresh   int    // moments that came with the last sample
}

// shown is how a worker was when it was last looked at.
type shown struct {
	state   fleet.State
	ejected bool
	round   uint64
}

// NewHistory remembers nothing yet.
func NewHistory() *History { return &History{pools: map[string]*past{}} }

// Add remembers how the pools are now. A pool that is not among them is forgotten.
func (h *History) Add(at time.Time, pools []fleet.PoolStatus) {
	now := at.UnixMilli()
	maps.DeleteFunc(h.pools, func(name string, _ *past) bool {
		return !slices.ContainsFunc(pools, func(p fleet.PoolStatus) bool { return p.Name == name })
	})
	for _, p := range pools {
		known := h.pools[p.Name]
		if known == nil {
			known = &past{samples: newRing[Sample](maxSamples), moments: newRing[Moment](maxMoments), workers: map[string]shown{}}
			h.pools[p.Name] = known
		}
		known.samples.add(sampleOf(now, p))
		known.watch(now, p)
	}
}

func sampleOf(now int64, p fleet.PoolStatus) Sample {
	s := Sample{
		At: now, P50: millis(p.P50), P95: millis(p.P95), P99: millis(p.P99), Rate: tenths(float32(p.Rate)),
		Queue: int32(p.Queue), InFlight: int32(p.InFlight), Desired: int32(p.Desired),
	}
	for _, w := range p.Workers {
		switch w.State {
		case fleet.Active:
			s.Active++
		case fleet.Spare:
			s.Spare++
		case fleet.Starting:
			s.Starting++
		case fleet.Draining:
			s.Draining++
		case fleet.Failed:
			s.Failed++
		}
	}
	return s
}

// watch finds the workers that have changed since the last look.
func (k *past) watch(now int64, p fleet.PoolStatus) {
	k.round++
	k.fresh = 0
	first := k.round == 1 // what was there before us did not just come
	for _, w := range p.Workers {
		was, known := k.workers[w.ID]
		is := shown{state: w.State, ejected: w.Ejected > 0, round: k.round}
		k.workers[w.ID] = is
		if first && !known {
			continue
		}
		m := Moment{At: now, Pool: p.Name, Worker: w.ID, To: w.State.String()}
		if known {
			m.From = was.state.String()
		}
		switch {
		case !known, was.state != w.State:
			m.describe(w)
		case is.ejected && !was.ejected:
			m.To, m.Reason = "ejected", w.Reason
		case was.ejected && !is.ejected:
			m.To = "back"
		default:
			continue
		}
		k.remember(m)
	}
	k.gone(now, p.Name)
}

func (m *Moment) describe(w fleet.WorkerStatus) {
	switch {
	case w.State == fleet.Draining || w.State == fleet.Failed:
		m.Reason = w.Reason
	case m.From == "" || m.From == fleet.Starting.String():
		m.TookMS = w.Ready.Milliseconds()
	}
}

// gone forgets the workers that were not seen in this round.
func (k *past) gone(now int64, pool string) {
	var lost []string
	for id, w := range k.workers {
		if w.round != k.round {
			lost = append(lost, id)
		}
	}
	slices.Sort(lost)
	for _, id := range lost {
		k.remember(Moment{At: now, Pool: pool, Worker: id, From: k.workers[id].state.String(), To: fleet.Gone.String()})
		delete(k.workers, id)
	}
}

func (k *past) remember(m Moment) {
	k.moments.add(m)
	k.fresh++
}

// Latest is the last sample of a pool, and the moments since the one before it.
func (h *History) Latest(pool string) (Sample, []Moment) {
	k := h.pools[pool]
	if k == nil || k.samples.len() == 0 {
		return Sample{}, nil
	}
	all := h.Moments(pool)
	return k.samples.at(k.samples.len() - 1), all[max(0, len(all)-k.fresh):]
}

// Moments are all that are remembered of a pool, oldest first.
func (h *History) Moments(pool string) []Moment {
	all := []Moment{}
	if k := h.pools[pool]; k != nil {
		for i := range k.moments.len() {
			all = append(all, k.moments.at(i))
		}
	}
	return all
}

func millis(d time.Duration) float32 { return tenths(float32(d.Microseconds()) / 1000) }

// tenths keeps one digit: a chart shows no more, and the text is shorter.
func tenths(f float32) float32 { return float32(int64(f*10+0.5)) / 10 }
