package docker

import (
	"maps"
	"sync"
	"time"
)

// parked are the containers that have hung the engine when it was asked about them. An engine with one such container goes on
// with all others, but each question about it takes the whole of its time, and a slot that others wait for.
type parked struct {
	mu    sync.Mutex
	until map[string]time.Time // guarded by mu
}

// park keeps the container from being asked about for d.
func (p *parked) park(id string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(p.until, func(_ string, until time.Time) bool { return until.Before(now) })
	if p.until == nil {
		p.until = map[string]time.Time{}
	}
	p.until[id] = now.Add(d)
}

// free lets the container be asked about again.
func (p *parked) free(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.until, id)
}

// has says whether the container is parked now.
func (p *parked) has(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.until[id])
}
