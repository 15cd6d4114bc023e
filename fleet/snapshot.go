package fleet

import (
	"fmt"
	"slices"
	"time"

	"understudy/meter"
)

// Measured is everything the fleet knows about one pool that a scaling policy may want, at one moment. Times are on the fleet's own clock.
type Measured struct {
	Now time.Duration

	Starting, Spare, Active, Draining, Failed int // workers of ours by state
	Idle                                      int // of Active, with nothing in flight and no limit below their concurrency
	Ejected                                   int // of Active: they get nothing for now, because they are ejected or lost
	Withheld                                  int // slots of ready workers that may not be used yet: the worker is fresh, or was limited
	Others                                    int // task slots of workers that are not ours

	Busy      int
	Queue     int
	Queued    []Group
	InService []Group
	Standing  int

	Windows  []Window
	Slow     Window
	MeanBusy float64
	BusyTime time.Duration // over the time that Service covers
	Service  []meter.Bucket
	Recent   []meter.Bucket
	Latency  Latency
}

// Window is what arrived in the last Width.
type Window struct {
	Width        time.Duration
	Arrivals     int
	BatchSquares int
}

// Latency counts completions of the last 10 s.
type Latency struct {
	N, Over, Missed, Failed, Requests int
}

func fastWindows() [6]time.Duration {
	return [...]time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}
}

// Measure reads one pool. It reports false when there is no such pool.
func (f *Fleet) Measure(name string) (Measured, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.pool(name)
	if p == nil {
		return Measured{}, false
	}
	now := f.since()
	f.resume(now)
	g := p.gauge
	m := Measured{Now: now, Busy: p.serving.n, Queue: p.queued, Standing: g.standing.Min(now, standWindow)}
	p.countInto(&m)
	m.Queued = groupAges(f.queuedAges(p, now))
	m.InService = groupAges(p.serviceAges(now))
	for _, w := range fastWindows() {
		m.Windows = append(m.Windows, g.window(now, w))
	}
	m.Slow = g.window(now, min(slowWindow, max(now, time.Second)))
	m.MeanBusy = g.busy.Mean(now, m.Slow.Width)
	m.BusyTime = g.busy.Integral(now, g.service.Span(now))
	m.Service = g.service.Buckets(now, nil)
	m.Recent = g.service.BucketsWithin(now, recentWindow, nil)
	m.Latency = g.latency(now)
	return m, true
}

func (g *gauge) window(now, width time.Duration) Window {
	n, squares := g.arrivals.Window(now, width)
	return Window{Width: width, Arrivals: n, BatchSquares: squares}
}

func (g *gauge) latency(now time.Duration) Latency {
	l := Latency{
		N:      g.total.Count(now),
		Over:   int(g.over.Sum(now, latencyWindow)),
		Missed: int(g.missed.Sum(now, latencyWindow)),
		Failed: int(g.failed.Sum(now, latencyWindow)),
	}
	l.Requests = l.N + l.Failed
	return l
}

func (p *pool) countInto(m *Measured) {
	m.Starting, m.Spare, m.Active = p.states[Starting], p.states[Spare], p.states[Active]
	m.Draining, m.Failed = p.states[Draining], p.states[Failed]
	for _, w := range p.workers {
		if (w.state == Active || w.state == Spare) && w.out == 0 && !w.lost {
			m.Withheld += int(w.full() - w.limit)
		}
		switch {
		case w.state != Active:
		case w.out > 0 || w.lost:
			if w.Origin.Ours() {
				m.Ejected++
			}
		case !w.Origin.Ours():
			m.Others += w.Concurrency
		case w.inflight == 0 && !w.withheld():
			m.Idle++
		}
	}
}

func (f *Fleet) queuedAges(p *pool, now time.Duration) []time.Duration {
	ages := make([]time.Duration, 0, p.queued)
	for _, r := range f.routes {
		for w := r.queue.head; w != nil; w = w.next {
			if w.home == p {
				ages = append(ages, now-w.arrived)
			}
		}
	}
	return ages
}

func (p *pool) serviceAges(now time.Duration) []time.Duration {
	ages := make([]time.Duration, 0, p.serving.n)
	for s := p.serving.head; s != nil; s = s.next {
		ages = append(ages, now-s.began)
	}
	return ages
}

// PoolStatus is what a person is shown about one pool.
type PoolStatus struct {
	Name          string
	Capabilities  []string
	Target        time.Duration
	P50, P95, P99 time.Duration // of the last 10 s; 0 when fewer than 2, 20, 100 answers tell
	Rate          float64       // arrivals per second over the last 8 s
	Queue         int
	Queues        map[string]int // of Queue, by capability
	InFlight      int
	Desired       int
	Reason        string
	Unavailable   string
	Workers       []WorkerStatus
}

// WorkerStatus is what a person is shown about one worker.
type WorkerStatus struct {
	Info
	State    State
	Asleep   bool // a spare that is frozen, as far as is known
	InFlight int
	Limit    int // tasks at a time it may have now, at most its concurrency
	Served   uint64
	Age      time.Duration // since it was added
	Lost     bool          // it gets nothing: it is out of reach, and so may be what runs it
	Ejected  time.Duration // for how long it gets nothing, because requests broke on it; 0: it serves
	Ready    time.Duration // how long it took to become ready; 0: not yet, or not started by us
	Phases   Phases        // of that; zero: not known
	Reason   string        // why it drains, failed, is lost or is ejected
}

// Status describes every pool, in the order of the configuration.
func (f *Fleet) Status() []PoolStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.since()
	out := make([]PoolStatus, 0, len(f.pools))
	for _, p := range f.pools {
		s := PoolStatus{
			Name: p.Name, Capabilities: slices.Clone(p.Capabilities), Target: p.Target,
			Rate: p.gauge.rate(now), Queue: p.queued, InFlight: p.serving.n,
			Desired: p.desired, Reason: p.reason, Unavailable: p.unavailable, Queues: map[string]int{},
		}
		s.P50 = p.gauge.quantile(now, 0.50, 2)
		s.P95 = p.gauge.quantile(now, 0.95, 20)
		s.P99 = p.gauge.quantile(now, 0.99, 100)
		for _, c := range p.Capabilities {
			s.Queues[c] = f.routes[c].queue.atHome(p)
		}
		for _, w := range p.workers {
			s.Workers = append(s.Workers, w.status(now))
		}
		out = append(out, s)
	}
	return out
}

// quantile is 0 when there are fewer than least answers: too few to tell.
func (g *gauge) quantile(now time.Duration, q float64, least int) time.Duration {
	v, n := g.total.Quantile(now, q)
	if n < least {
		return 0
	}
	return v
}

// rate is arrivals per second over 8 s, less while the fleet is younger.
func (g *gauge) rate(now time.Duration) float64 {
	width := min(8*time.Second, max(now, time.Second))
	n, _ := g.arrivals.Window(now, width)
	return float64(n) / width.Seconds()
}

func (w *Worker) status(now time.Duration) WorkerStatus {
	s := WorkerStatus{Info: w.Info, State: w.state, InFlight: int(w.inflight), Limit: int(w.limit), Served: w.served, Age: now - w.began, Phases: w.phases, Reason: w.reason}
	s.Lost = w.isLost()
	s.Asleep = w.sleep == asleep || w.sleep == waking
	if w.readyAt > 0 && w.Origin == Cold {
		s.Ready = w.readyAt - w.began
	}
	if w.out > 0 && w.state == Active {
		s.Ejected = max(w.out-now, 0)
		s.Reason = fmt.Sprintf("gets nothing for %s: %d requests in a row broke on it", s.Ejected.Round(time.Second), w.row)
	}
	return s
}

// Workers lists the workers in one of the states, or all of them.
func (f *Fleet) Workers(states ...State) []*Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*Worker
	for _, p := range f.pools {
		for _, w := range p.workers {
			if len(states) == 0 || slices.Contains(states, w.state) {
				out = append(out, w)
			}
		}
	}
	return out
}

// Worker finds one worker and its state. It reports false when there is none.
func (f *Fleet) Worker(id string) (*Worker, State, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w, ok := f.workers[id]
	if !ok {
		return nil, Gone, false
	}
	return w, w.state, true
}
