package policy_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"understudy/meter"
	"understudy/scaler/policy"
)

// conditions is the world a pool is simulated in. The zero value of a field takes nothing away from the plain world of the findings:
// lognormal service of 100 ms on average, starts of 0.4 to 0.8 s, four at a time, one queue, one task a worker.
type conditions struct {
	cfg       policy.Config
	seed      uint64
	mean      time.Duration // of service; 0: 100 ms
	failStart float64       // share of starts that fail
	cores     float64       // more busy workers than that slow each other down; 0: no such limit
	even      bool          // arrivals at even distances and service that never varies
	adopted   int           // workers that are there at the beginning
}

// outcome is what a simulated run came to.
type outcome struct {
	requests, over, avoidable int
	starts, removals          int
	workerTime                time.Duration
	length                    time.Duration
	most                      int // workers at a time, starting ones included
	latencies                 []time.Duration
	decisions                 []policy.Decision
}

func (o *outcome) overShare() float64 { return 100 * float64(o.over) / float64(max(1, o.requests)) }
func (o *outcome) workers() float64   { return o.workerTime.Seconds() / o.length.Seconds() }
func (o *outcome) p99() time.Duration {
	slices.Sort(o.latencies)
	return o.latencies[len(o.latencies)*99/100]
}

type simWorker struct {
	began, idle time.Duration
	ready       bool
}

type request struct{ arrived, service, began time.Duration }

// event is something that happens later: do is called at that time, and events of one time in the order they were made.
type event struct {
	at  time.Duration
	seq int
	do  func()
}

type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(event)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// sim is a pool in virtual time: the actuator of the findings around Decide, measured with the real meters.
type sim struct {
	conditions
	rng     *rand.Rand
	now     time.Duration
	events  agenda
	seq     int
	state   policy.State
	out     outcome
	queue   []request
	idle    []*simWorker // active ones, longest idle first
	spares  []*simWorker
	begun   []*simWorker
	asked   int
	busy    int
	fails   int
	failed  time.Duration
	taken   []time.Duration // last start times
	present int             // workers and starts begun

	arrivals       *meter.Arrivals
	service, total *meter.Histogram
	level, work    *meter.Level
	overs, missed  *meter.Counter
}

const tick = 250 * time.Millisecond

func newSim(c conditions) *sim {
	if c.mean == 0 {
		c.mean = 100 * time.Millisecond
	}
	s := &sim{
		conditions: c, rng: rand.New(rand.NewPCG(c.seed, 0x5eed)),
		arrivals: meter.NewArrivals(),
		service:  meter.NewHistogram(60, time.Second), total: meter.NewHistogram(10, time.Second),
		level: meter.NewLevel(600, 100*time.Millisecond), work: meter.NewLevel(20, 50*time.Millisecond),
		overs: meter.NewCounter(10, time.Second), missed: meter.NewCounter(10, time.Second),
	}
	for range c.adopted {
		s.spares = append(s.spares, &simWorker{ready: true})
	}
	s.present, s.out.most = c.adopted, c.adopted
	return s
}

// run plays the workload to its end and says what came of it.
func (s *sim) run(w workload) outcome {
	for at := range w.times(s.rng, s.even) {
		s.at(at, func() { s.arrive(request{arrived: at, service: s.draw()}) })
	}
	for at := time.Duration(0); at < w.length; at += tick {
		s.at(at, s.decide)
	}
	for len(s.events) > 0 {
		e := heap.Pop(&s.events).(event)
		if e.at > w.length {
			break
		}
		s.pass(e.at)
		e.do()
	}
	s.pass(w.length)
	for _, r := range s.queue { // never answered
		s.count(s.now-r.arrived+r.service, r.service)
	}
	s.out.length = w.length
	return s.out
}

func (s *sim) at(t time.Duration, do func()) {
	s.seq++
	heap.Push(&s.events, event{t, s.seq, do})
}

// pass lets time go by; every worker costs, from the beginning of its start on.
func (s *sim) pass(to time.Duration) {
	s.out.workerTime += time.Duration(s.present) * (to - s.now)
	s.now = to
}

// draw is lognormal with sigma 0.5 around the mean.
func (s *sim) draw() time.Duration {
	const sigma = 0.5
	if s.even {
		return s.mean
	}
	return time.Duration(float64(s.mean) * math.Exp(sigma*s.rng.NormFloat64()-sigma*sigma/2))
}

func (s *sim) arrive(r request) {
	s.arrivals.Add(s.now)
	switch {
	case len(s.idle) > 0:
		s.serve(pop(&s.idle), r)
	case len(s.spares) > 0: // promoted within the arrival
		s.serve(pop(&s.spares), r)
	default:
		s.queue = append(s.queue, r)
		s.gauge()
	}
}

func pop[T any](list *[]T) T {
	first := (*list)[0]
	*list = (*list)[1:]
	return first
}

func (s *sim) serve(w *simWorker, r request) {
	s.busy++
	s.gauge()
	r.began = s.now
	takes := r.service
	if s.cores > 0 && float64(s.busy) > s.cores {
		takes = time.Duration(float64(takes) * math.Pow(float64(s.busy)/s.cores, 1.1))
	}
	s.at(s.now+takes, func() { s.finish(w, r) })
}

func (s *sim) finish(w *simWorker, r request) {
	s.busy--
	service := s.now - r.began
	s.service.Observe(s.now, service)
	s.count(s.now-r.arrived, service)
	if len(s.queue) > 0 {
		s.serve(w, pop(&s.queue))
		return
	}
	w.idle = s.now
	s.idle = append(s.idle, w)
	s.gauge()
}

func (s *sim) count(took, service time.Duration) {
	s.total.Observe(s.now, took)
	s.out.requests++
	s.out.latencies = append(s.out.latencies, took)
	if took <= s.cfg.Target {
		return
	}
	s.out.over++
	s.overs.Add(s.now, 1)
	if service <= s.cfg.Target {
		s.out.avoidable++
		s.missed.Add(s.now, 1)
	}
}

func (s *sim) gauge() {
	s.level.Set(s.now, s.busy)
	s.work.Set(s.now, s.busy+len(s.queue))
}
