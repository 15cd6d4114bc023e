package fleet

import (
	"time"

	"understudy/meter"
)

// gauge is what is measured about one pool. Guarded by Fleet.mu.
type gauge struct {
	arrivals *meter.Arrivals
	busy     *meter.Level     // tasks in service on its workers
	standing *meter.Level     // those, and the requests waiting whose home it is
	service  *meter.Histogram // service times on its workers, 60 s
	total    *meter.Histogram // latency of the requests whose home it is, 10 s
	over     *meter.Counter   // of those, slower than the target
	missed   *meter.Counter   // of those, because they waited
	failed   *meter.Counter   // requests that ended in a worker's failure
}

// The windows the policy looks at.
const (
	recentWindow  = 5 * time.Second
	latencyWindow = 10 * time.Second
	slowWindow    = 30 * time.Second
	standWindow   = 500 * time.Millisecond
)

func newGauge() *gauge {
	return &gauge{
		arrivals: meter.NewArrivals(),
		busy:     meter.NewLevel(600, 100*time.Millisecond),
		standing: meter.NewLevel(20, 50*time.Millisecond),
		service:  meter.NewHistogram(60, time.Second),
		total:    meter.NewHistogram(10, time.Second),
		over:     meter.NewCounter(10, time.Second),
		missed:   meter.NewCounter(10, time.Second),
		failed:   meter.NewCounter(10, time.Second),
	}
}

// level records how much there is to do now.
func (g *gauge) level(now time.Duration, p *pool) {
	g.busy.Set(now, p.serving.n)
	g.standing.Set(now, p.serving.n+p.queued)
}

func (g *gauge) served(now, service time.Duration) { g.service.Observe(now, service) }

func (g *gauge) answered(now, total, service, target time.Duration) {
	g.total.Observe(now, total)
	if total <= target {
		return
	}
	g.over.Add(now, 1)
	if service <= target {
		g.missed.Add(now, 1)
	}
}
