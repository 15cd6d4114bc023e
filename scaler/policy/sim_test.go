package policy_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"understudy/meter"
	"understudy/scaler/policy"
	"understudy/scaler/policy/reference"
)

// conditions is the world a pool is simulated in. What is not said is as in the findings: lognormal service of 100 ms on average,
// starts of 0.4 to 0.8 s, one queue, one task a worker.
type conditions struct {
	cfg       policy.Config
	seed      uint64
	mean      time.Duration    // of service; 0: 100 ms
	start     time.Duration    // every start takes so long; 0: 0.4 to 0.8 s
	failStart float64          // share of starts that fail
	cores     float64          // more busy workers than that slow each other down; 0: no such limit
	even      bool             // arrivals at even distances, and service that never varies
	adopted   int              // workers that are there at the beginning
	reference reference.Policy // decides instead of the policy under test, when given
}

// outcome is what a simulated run came to.
type outcome struct {
	requests, over, avoidable int
	refused                   int // of those over the target
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
	began time.Duration
	dead  bool
	guest bool // not ours
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
	rng    *rand.Rand
	now    time.Duration
	events agenda
	seq    int
	coming []time.Duration // arrivals, in order: so many that among the events each of those would be dear
	loaded int             // when they were made, among the events
	state  policy.State
	out    outcome
	watch  func(policy.Decision) // called after each decision was done

	queue   []request
	wait    time.Duration // who waits longer is refused; 0: nobody
	idle    []*simWorker  // active ones, longest idle first
	spares  []*simWorker
	working map[*simWorker]request
	begun   []*simWorker
	asked   int
	guests  []*simWorker // idle ones that are not ours
	others  int          // those in all
	hang    bool         // tasks do not end
	hung    []func()     // those that should have
	fail    bool         // tasks end in a worker's failure
	cpu     float64      // of the host, when cores does not say
	fails   int          // failed starts in a row
	failed  time.Duration
	taken   []time.Duration // last start times

	arrivals              *meter.Arrivals
	service, total        *meter.Histogram
	level, work           *meter.Level
	overs, missed, errors *meter.Counter
}

const tick = 250 * time.Millisecond

func newSim(c conditions) *sim {
	if c.mean == 0 {
		c.mean = 100 * time.Millisecond
	}
	counter := func() *meter.Counter { return meter.NewCounter(10, time.Second) }
	s := &sim{
		conditions: c, rng: rand.New(rand.NewPCG(c.seed, 0x5eed)), working: map[*simWorker]request{}, cpu: -1,
		arrivals: meter.NewArrivals(),
		service:  meter.NewHistogram(60, time.Second), total: meter.NewHistogram(10, time.Second),
		level: meter.NewLevel(600, 100*time.Millisecond), work: meter.NewLevel(20, 50*time.Millisecond),
		overs: counter(), missed: counter(), errors: counter(),
	}
	for range c.adopted {
		s.spares = append(s.spares, &simWorker{})
	}
	s.out.most = c.adopted
	s.at(0, s.tick)
	return s
}

// run plays a workload to its end and says what came of it.
func (s *sim) run(w workload) outcome {
	s.load(w)
	s.until(s.now + w.length)
	for _, r := range s.queue { // never answered
		s.count(s.now-r.arrived+r.service, r.service)
	}
	return s.out
}

// load schedules the arrivals of a workload that begins now.
func (s *sim) load(w workload) {
	s.seq++
	s.loaded = s.seq
	for at := range w.times(s.rng, s.even) {
		s.coming = append(s.coming, s.now+at)
	}
}

// until lets everything happen that happens before end. Every worker costs, from the beginning of its start on.
func (s *sim) until(end time.Duration) {
	for {
		arrival := s.arrivalIsNext()
		switch {
		case arrival && s.coming[0] < end:
			s.pass(pop(&s.coming))
			s.arrive(request{arrived: s.now, service: s.draw()})
		case !arrival && len(s.events) > 0 && s.events[0].at < end:
			e := heap.Pop(&s.events).(event)
			s.pass(e.at)
			e.do()
		default:
			s.pass(end)
			return
		}
	}
}

func (s *sim) arrivalIsNext() bool {
	if len(s.coming) == 0 || len(s.events) == 0 {
		return len(s.coming) > 0
	}
	at, e := s.coming[0], s.events[0]
	return at < e.at || at == e.at && s.loaded < e.seq
}

func (s *sim) pass(to time.Duration) {
	s.out.workerTime += time.Duration(s.ready()+len(s.begun)) * (to - s.now)
	s.out.length = to
	s.now = to
}

func (s *sim) at(t time.Duration, do func()) {
	s.seq++
	heap.Push(&s.events, event{t, s.seq, do})
}

func (s *sim) active() int { return len(s.working) - (s.others - len(s.guests)) + len(s.idle) }
func (s *sim) ready() int  { return s.active() + len(s.spares) }

// draw is lognormal with sigma 0.5 around the mean.
func (s *sim) draw() time.Duration {
	const sigma = 0.5
	if s.even {
		return s.mean
	}
	return time.Duration(float64(s.mean) * math.Exp(sigma*s.rng.NormFloat64()-sigma*sigma/2))
}
