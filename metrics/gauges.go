package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"understudy/fleet"
)

// Sources are asked at every scrape; each may be nil. They are called concurrently.
type Sources struct {
	Pools func() []fleet.PoolStatus
	Ports func() fleet.PortsStatus
	Goals func(pool string) Goals
}

// Goals are what a pool promised and the workers it may have. One that starts none has no bounds: all are 0.
type Goals struct {
	Percentile      float64 // of the requests within the target, 0 to 100
	Min, Max, Spare int
}

// gauges is a collector that remembers nothing: what it shows is read when it is scraped.
type gauges struct {
	sources atomic.Pointer[Sources]

	workers, ejected, desired, bounds, queue, inflight, target, share, ports *prometheus.Desc
}

func newGauges() *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	return &gauges{
		workers:  desc("workers", "Workers by state, those that registered and fixed members included.", "pool", "state"),
		ejected:  desc("workers_ejected", "Workers that get no requests for now, because requests broke on them.", "pool"),
		desired:  desc("workers_desired", "Workers the scaler wants, the spare included.", "pool"),
		bounds:   desc("workers_bound", "Workers the pool may have by its configuration: min, max, spare. 0 where none is ever started.", "pool", "bound"),
		queue:    desc("queue_depth", "Requests that wait for a worker.", "pool", "capability"),
		inflight: desc("requests_in_flight", "Requests the pool's workers are serving.", "pool"),
		target:   desc("latency_target_seconds", "The latency the pool promised.", "pool"),
		share:    desc("latency_target_ratio", "The share of requests that are promised within the target, 0 to 1.", "pool"),
		ports:    desc("ports", "Host ports of the range by state: leased, free, quarantined.", "state"),
	}
}

// Collect says whom to ask at a scrape; before it is called the gauges are missing.
func (m *Metrics) Collect(s Sources) { m.gauges.sources.Store(&s) }

// Describe is part of prometheus.Collector.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.workers, g.ejected, g.desired, g.bounds, g.queue, g.inflight, g.target, g.share, g.ports} {
		out <- d
	}
}

// Collect is part of prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	s := g.sources.Load()
	if s == nil {
		return
	}
	if s.Pools != nil {
		for _, p := range s.Pools() {
			g.collectPool(out, p)
			if s.Goals != nil {
				g.collectGoals(out, p.Name, s.Goals(p.Name))
			}
		}
	}
	if s.Ports != nil {
		p := s.Ports()
		out <- gauge(g.ports, float64(p.Leased), "leased")
		out <- gauge(g.ports, float64(p.Free), "free")
		out <- gauge(g.ports, float64(len(p.Quarantined)), "quarantined")
	}
}

func (g *gauges) collectPool(out chan<- prometheus.Metric, p fleet.PoolStatus) {
	count, ejected := map[fleet.State]int{}, 0
	for _, w := range p.Workers {
		count[w.State]++
		if w.Ejected > 0 {
			ejected++
		}
	}
	// every state is shown, zero too: "no spare" is something to alert on
	for s := fleet.Starting; s < fleet.Gone; s++ {
		out <- gauge(g.workers, float64(count[s]), p.Name, s.String())
	}
	out <- gauge(g.ejected, float64(ejected), p.Name)
	out <- gauge(g.desired, float64(p.Desired), p.Name)
	for capability, n := range p.Queues {
		out <- gauge(g.queue, float64(n), p.Name, capability)
	}
	out <- gauge(g.inflight, float64(p.InFlight), p.Name)
	out <- gauge(g.target, p.Target.Seconds(), p.Name)
}

func (g *gauges) collectGoals(out chan<- prometheus.Metric, pool string, goals Goals) {
	out <- gauge(g.share, goals.Percentile/100, pool)
	out <- gauge(g.bounds, float64(goals.Min), pool, "min")
	out <- gauge(g.bounds, float64(goals.Max), pool, "max")
	out <- gauge(g.bounds, float64(goals.Spare), pool, "spare")
}

// gauge is one value, or what is wrong with its labels; the registry reports that without losing the rest.
func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	m, err := prometheus.NewConstMetric(d, prometheus.GaugeValue, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	return m
}
