package client

import (
	"sync"
	"time"
)

// recorder folds results in memory that does not grow with their number. Safe for concurrent use.
type recorder struct {
	mu sync.Mutex

	// Everything below is guarded by mu.
	count        int
	answers      int
	errors       int
	latency      histogram // from the intended send
	fromSend     histogram // from the actual send
	queue        histogram
	service      histogram
	late         histogram // actual minus intended send
	capabilities map[string]*capabilityRecord
	workers      map[string]*workerRecord // at most maxWorkers, the rest under otherWorkers
	starts       Starts
	statuses     map[int]int
	causes       map[Cause]int
	samples      map[Cause]string // the first of each cause
	recent       recent
	series       series
	intended     span          // when requests should have left
	sent         span          // when they did
	ended        time.Duration // when the last result came
}

type capabilityRecord struct {
	count, errors, answers  int
	latency, queue, service histogram
}

type workerRecord struct {
	number int // from 0, in order of appearance
	count  int
}

const (
	maxWorkers   = 10_000
	otherWorkers = "(others)"
)

func newRecorder() *recorder {
	return &recorder{
		capabilities: map[string]*capabilityRecord{},
		workers:      map[string]*workerRecord{},
		statuses:     map[int]int{},
		causes:       map[Cause]int{},
		samples:      map[Cause]string{},
		series:       newSeries(),
	}
}

// record adds one result.
func (r *recorder) record(x Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recordLocked(&x)
}

// recordLocked is called with mu held.
func (r *recorder) recordLocked(x *Result) {
	c := r.capability(x.Capability)
	r.count++
	c.count++
	r.ended = max(r.ended, x.Intended+x.Latency)
	if x.Cause != OK {
		r.errors++
		c.errors++
		r.causes[x.Cause]++
		if r.causes[x.Cause] == 1 {
			r.samples[x.Cause] = x.Detail
		}
	}
	r.intended.add(x.Intended)
	if x.Cause != Overload {
		r.sent.add(x.Actual)
		r.late.record(x.Actual - x.Intended)
	}
	worker := noWorker
	if x.Status != 0 {
		worker = r.recordAnswer(x, c)
	}
	if x.measured() {
		r.latency.record(x.Latency)
		r.fromSend.record(x.Latency - (x.Actual - x.Intended))
		c.latency.record(x.Latency)
	}
	r.recent.record(x, worker)
	r.series.record(x, worker)
}

// recordAnswer returns the number of the worker.
func (r *recorder) recordAnswer(x *Result, c *capabilityRecord) (worker int) {
	r.answers++
	r.statuses[x.Status]++
	c.answers++
	switch x.Start {
	case "warm":
		r.starts.Warm++
	case "spare":
		r.starts.Spare++
	case "cold":
		r.starts.Cold++
	}
	if x.Queue >= 0 {
		r.queue.record(x.Queue)
		c.queue.record(x.Queue)
	}
	if x.Service >= 0 {
		r.service.record(x.Service)
		c.service.record(x.Service)
	}
	if x.Worker == "" {
		return noWorker
	}
	w := r.worker(x.Worker)
	w.count++
	return w.number
}

func (r *recorder) worker(id string) *workerRecord {
	w, known := r.workers[id]
	if known {
		return w
	}
	if len(r.workers) >= maxWorkers {
		if w, known = r.workers[otherWorkers]; known {
			return w
		}
		id = otherWorkers
	}
	w = &workerRecord{number: len(r.workers)}
	r.workers[id] = w
	return w
}

// capability is bounded because the capabilities of a run are: maxKinds at most.
func (r *recorder) capability(name string) *capabilityRecord {
	c, ok := r.capabilities[name]
	if !ok {
		c = &capabilityRecord{}
		r.capabilities[name] = c
	}
	return c
}

// progress fills in what was recorded so far and moves the window of the last seconds on by one tick.
func (r *recorder) progress(p Progress) Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.Done, p.Errors = r.count, r.errors
	r.recent.fill(&p)
	return p
}
