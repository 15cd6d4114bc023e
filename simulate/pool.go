package simulate

import (
	"math"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/scaler"
	"understudy/scaler/policy"
)

// DefaultPools is what is simulated when no configuration is given: one pool as shipped, but for room to grow, that takes every kind of request.
func DefaultPools() []config.Pool {
	p := config.DefaultPool()
	p.Name, p.Capabilities = "all", []string{config.Wildcard}
	p.Workers.Max = 64
	return []config.Pool{p}
}

func orDefault(pools []config.Pool) []config.Pool {
	if pools == nil {
		return DefaultPools()
	}
	return pools
}

func newFleet(pools []config.Pool, now func() time.Time) *fleet.Fleet {
	var kinds []fleet.PoolConfig
	for _, p := range pools {
		kinds = append(kinds, fleet.PoolConfig{
			Name: p.Name, Capabilities: p.Capabilities, Concurrency: p.Concurrency, Max: p.Workers.Max, Pick: fleet.Pick(p.Pick),
			QueueLength: p.Queue.Length, QueueWait: scaler.QueueWait(p, 0), Target: p.Target.Latency, Ramp: p.Ramp, Eject: fleet.Eject(p.Eject),
		})
	}
	return fleet.New(kinds, now)
}

// pool is one pool in a run: what the scaler would remember about it, and what there is of it.
type pool struct {
	wait   time.Duration // how long a request may wait, as last decided
	cfg    config.Pool
	policy Policy // nil: nothing is started, it has fixed members only
	last   policy.Decision

	starts     []time.Duration // when those in flight began, oldest first
	asked      int             // starts decided on and not begun
	startTimes []time.Duration // of the last 10

	slots int // tasks its ready workers can take
	busy  int // tasks in service on its workers
	queue int // requests waiting whose home it is
}

// bare tells whether a request would have to wait: neither a spare nor an idle worker in rotation is there.
func (p *pool) bare() bool { return p.policy != nil && p.slots <= p.busy }

// observe adds to what the fleet measured what the scaler knows, as the scaler does.
func (p *pool) observe(m fleet.Measured, cpu float64) policy.Snapshot {
	in := scaler.Observe(m)
	for _, began := range p.starts {
		in.Begun = append(in.Begun, m.Now-began)
	}
	in.Asked = p.asked
	in.StartTime = scaler.StartTime(p.startTimes)
	in.SinceStartFail = m.Now
	in.HostCPU = cpu
	return in
}

func (p *pool) took(start time.Duration) {
	p.startTimes = append(p.startTimes, start)
	if len(p.startTimes) > 10 {
		p.startTimes = p.startTimes[1:]
	}
}

// longestWait is how long a request may wait when nothing is amiss.
func (p *pool) longestWait() time.Duration {
	return scaler.QueueWait(p.cfg, scaler.StartTime(p.startTimes))
}

// slowed is how much longer work takes when so many tasks share so many cores: they also disturb each other a little. 0 cores is no limit.
func slowed(busy int, cores float64) float64 {
	if cores <= 0 || float64(busy) <= cores {
		return 1
	}
	return math.Pow(float64(busy)/cores, 1.1)
}
