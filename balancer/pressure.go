package balancer

import (
	"math"
	"sync"
	"time"

	"understudy/fleet"
)

const (
	pressureFresh  = 250 * time.Millisecond // one estimate serves all that are refused meanwhile
	shortestRetry  = 1                      // s
	longestRetry   = 60
	noWorkerRetry  = 5 // nothing to compute from: the scaler tries again in its own time
	drainingRetry  = 1 // whoever takes over is there by then or soon after
	busyRetry      = 1
	unknownService = 0.1 // s
)

// pressure estimates how long a queue takes to drain. Measuring a pool costs what a few hundred requests cost, and it is asked exactly when
// there are too many of those, so an estimate is kept for a while.
type pressure struct {
	mu   sync.Mutex
	last map[string]estimate
}

type estimate struct {
	at      time.Time
	seconds int
}

func (p *pressure) init() { p.last = map[string]estimate{} }

// retryAfter is the Retry-After of a refusal, in whole seconds, at least 1.
func (b *Balancer) retryAfter(home string, why *problem) int {
	switch why {
	case errNoWorker:
		return noWorkerRetry
	case errDraining:
		return drainingRetry
	case errQueueFull, errQueueTimeout:
	default:
		return busyRetry
	}
	p := &b.pressure
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.last[home]
	if !ok || time.Since(e.at) >= pressureFresh {
		m, _ := b.fleet.Measure(home)
		e = estimate{at: time.Now(), seconds: secondsToDrain(m)}
		p.last[home] = e
	}
	return e.seconds
}

// secondsToDrain is queue / (tasks at a time / mean service time), by Little's law: when those who wait now have been served.
func secondsToDrain(m fleet.Measured) int {
	service := unknownService
	n := 0
	for _, b := range m.Service {
		n += b.N
	}
	if n > 0 && m.BusyTime > 0 {
		service = m.BusyTime.Seconds() / float64(n)
	}
	wait := float64(m.Queue+1) * service / float64(max(m.Busy, 1))
	return int(math.Ceil(min(max(wait, shortestRetry), longestRetry)))
}
