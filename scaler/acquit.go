package scaler

import "time"

// engineEnds is how long an engine that ends in order may take over ending its workers: what broke so shortly before it was missed, it ended.
const engineEnds = 15 * time.Second

// crash books that a worker of the pool died soon after it was ready.
func (p *poolState) crash(now time.Duration) {
	p.crashes++
	p.crashedAt = append(p.recentCrashes(now), now)
}

// recentCrashes are those that an engine missed now would answer for.
func (p *poolState) recentCrashes(now time.Duration) (recent []time.Duration) {
	for _, at := range p.crashedAt {
		if now-at < engineEnds {
			recent = append(recent, at)
		}
	}
	return recent
}

// diedWithEngine tells whether a worker that broke says nothing of how its pool's workers start: the engine is away, or was since the worker
// was ready, and an engine that ends takes its workers with it.
func (s *Scaler) diedWithEngine(o *owned) bool {
	return s.lists.missed != 0 || s.lists.returned != 0 && o.readyAt <= s.lists.returned
}

// acquit takes back what pools were blamed for just before the engine was missed.
func (s *Scaler) acquit() {
	for _, p := range s.pools {
		n := min(p.crashes, len(p.recentCrashes(s.Fleet.Clock())))
		p.crashedAt = nil
		if n == 0 {
			continue
		}
		p.crashes -= n
		p.misses = max(0, p.misses-n)
		if p.misses == 0 {
			p.retryAt = 0
		}
		if p.crashes+p.fails == 0 {
			s.Fleet.SetUnavailable(p.cfg.Name, "")
			s.clearTrouble(p)
			s.repeats.Over(startsOf(p))
		}
	}
}
