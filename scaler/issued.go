package scaler

import (
	"time"

	"understudy/driver"
)

// issued are the identities this process has given to workers, and when each was last known to be a worker's. A worker of ours with another
// was asked for by a balancer that is gone: nobody waits for it, and nobody will start it.
type issued map[string]time.Duration

// grace is how long a worker without an owner is left alone.
func (i issued) grace(inst driver.Instance) time.Duration {
	if _, ours := i[inst.Generation]; ours {
		return orphanGrace
	}
	return 0
}

// refresh forgets those whose start is long over.
func (i issued) refresh(now time.Duration, owned map[string]*owned) {
	for _, o := range owned {
		if _, ours := i[o.worker.Generation]; ours {
			i[o.worker.Generation] = now
		}
	}
	for generation, last := range i {
		if now-last > orphanGrace {
			delete(i, generation)
		}
	}
}
