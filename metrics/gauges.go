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
}

// gauges is a collector that remembers nothing: what it shows is read when it is scraped.
type gauges struct {
	sources atomic.Pointer[Sources]

	workers, desired, queue, inflight, target, ports *prometheus.Desc
}

func newGauges() *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	return &gauges{
		workers:  desc("workers", "Workers by state, those that registered and fixed members included.", "pool", "state"),
		desired:  desc("workers_desired", "Workers the scaler wants, the spare included.", "pool"),
		queue:    desc("queue_depth", "Requests that wait for a worker.", "pool", "capability"),
		inflight: desc("requests_in_flight", "Requests the pool's workers are serving.", "pool"),
		target:   desc("latency_target_seconds", "The latency the pool promised.", "pool"),
		ports:    desc("ports", "Host ports of the range by state: leased, free, quarantined.", "state"),
	}
}

// Collect says whom to ask at a scrape; before it is called the gauges are missing.
func (m *Metrics) Collect(s Sources) { m.gauges.sources.Store(&s) }

// Describe is part of prometheus.Collector.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.workers, g.desired, g.queue, g.inflight, g.target, g.ports} {
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
	count := map[fleet.State]int{}
	for _, w := range p.Workers {
		count[w.State]++
	}
	// every state is shown, zero too: "no spare" is something to alert on
	for s := fleet.Starting; s < fleet.Gone; s++ {
		out <- gauge(g.workers, float64(count[s]), p.Name, s.String())
	}
	out <- gauge(g.desired, float64(p.Desired), p.Name)
	for capability, n := range p.Queues {
		out <- gauge(g.queue, float64(n), p.Name, capability)
	}
	out <- gauge(g.inflight, float64(p.InFlight), p.Name)
	out <- gauge(g.target, p.Target.Seconds(), p.Name)
}

// gauge is one value, or what is wrong with its labels; the registry reports that without losing the rest.
func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	m, err := prometheus.NewConstMetric(d, prometheus.GaugeValue, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	return m
}
