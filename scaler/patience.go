package scaler

import (
	"time"

	"understudy/config"
	"understudy/scaler/policy"
)

func (s *Scaler) setQueueWait(p *poolState) {
	s.Fleet.SetQueueWait(p.cfg.Name, Patience(p.cfg, percentile90(p.startTimes), p.last))
}

// Patience is how long a request may wait after a decision: as configured where it is; else a queue that may wait as long as it needs rides
// through a start, one that nothing can help is kept short.
func Patience(c config.Pool, start time.Duration, d policy.Decision) time.Duration {
	wait := QueueWait(c, start)
	if d.Wait > 0 && c.Queue.Wait == 0 {
		return min(wait, d.Wait)
	}
	return wait
}

// QueueWait is the longest a request may wait: as configured, or with 0 the longest of 10 x target, 3 s and twice the p90 start.
func QueueWait(c config.Pool, start time.Duration) time.Duration {
	if c.Queue.Wait > 0 {
		return c.Queue.Wait
	}
	return max(10*c.Target.Latency, 3*time.Second, 2*start)
}
