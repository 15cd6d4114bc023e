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
	// Driver tells whether what runs the workers answered when it was last asked, and how many workers it would not remove.
	Driver   func() (up bool, stuck int)
	Outdated func(pool string) int // workers that are to be replaced
}

// Goals are what a pool promised and the workers it may have. One that starts none has no bounds: all are 0.
type Goals struct {
	Percentile      float64 // of the requests within the target, 0 to 100
	Min, Max, Spare int
}

// gauges is a collector that remembers nothing: what it shows is read when it is scraped.
type gauges struct {
	sources atomic.Pointer[Sources]

	workers, ejected, outdated, asleep, desired, bounds, queue, inflight, target, share, ports, up, stuck *prometheus.Desc
}

func newGauges() *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	return &gauges{
		workers:  desc("workers", "Workers by state, those that registered and fixed members included.", "pool", "state"),
		ejected:  desc("workers_ejected", "Workers that get no requests for now, because requests broke on them.", "pool"),
		outdated: desc("workers_outdated", "Workers made from another configuration or image than is started now: they are being replaced.", "pool"),
		asleep:   desc("workers_asleep", "Spares that are frozen until a request needs them.", "pool"),
		desired:  desc("workers_desired", "Workers the scaler wants, the spare included.", "pool"),
		bounds:   desc("workers_bound", "Workers the pool may have by its configuration: min, max, spare. 0 where none is ever started.", "pool", "bound"),
		queue:    desc("queue_depth", "Requests that wait for a worker.", "pool", "capability"),
		inflight: desc("requests_in_flight", "Requests the pool's workers are serving.", "pool"),
		target:   desc("latency_target_seconds", "The latency the pool promised.", "pool"),
		share:    desc("latency_target_ratio", "The share of requests that are promised within the target, 0 to 1.", "pool"),
		ports:    desc("ports", "Host ports of the range by state: leased, free, quarantined.", "state"),
		up:       desc("driver_up", "1 when what runs the workers answered the last time it was asked for them, 0 when it did not."),
		stuck:    desc("workers_stuck", "Workers whose removal failed, to be tried again. Their ports are set aside."),
	}
}

// Collect says whom to ask at a scrape; before it is called the gauges are missing.
func (m *Metrics) Collect(s Sources) { m.gauges.sources.Store(&s) }

// Describe is part of prometheus.Collector.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.workers, g.ejected, g.outdated, g.asleep, g.desired, g.bounds, g.queue, g.inflight, g.target, g.share, g.ports, g.up, g.stuck} {
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
			if s.Outdated != nil {
				out <- gauge(g.outdated, float64(s.Outdated(p.Name)), p.Name)
			}
		}
	}
	if s.Ports != nil {
		p := s.Ports()
		out <- gauge(g.ports, float64(p.Leased), "leased")
		out <- gauge(g.ports, float64(p.Free), "free")
		out <- gauge(g.ports, float64(len(p.Quarantined)), "quarantined")
	}
	if s.Driver != nil {
		up, stuck := s.Driver()
		out <- gauge(g.up, oneIf(up))
		out <- gauge(g.stuck, float64(stuck))
	}
}

func (g *gauges) collectPool(out chan<- prometheus.Metric, p fleet.PoolStatus) {
	count, ejected, asleep := map[fleet.State]int{}, 0, 0
	for _, w := range p.Workers {
		count[w.State]++
		if w.Ejected > 0 {
			ejected++
		}
		if w.Asleep {
			asleep++
		}
	}
	// every state is shown, zero too: "no spare" is something to alert on
	for s := fleet.Starting; s < fleet.Gone; s++ {
		out <- gauge(g.workers, float64(count[s]), p.Name, s.String())
	}
	out <- gauge(g.ejected, float64(ejected), p.Name)
	out <- gauge(g.asleep, float64(asleep), p.Name)
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

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// gauge is one value, or what is wrong with its labels; the registry reports that without losing the rest.
func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	m, err := prometheus.NewConstMetric(d, prometheus.GaugeValue, value, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(d, err)
	}
	return m
}
