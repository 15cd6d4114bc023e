package worker

import (
	"slices"
	"sync"
)

// desk holds the tasks that are running, and says when there is no room for another.
//
// With a limit there is room for that many, of whatever kinds. Without one there is room for one of each kind, which is the rule of the
// planner protocol: a general worker may run a mult and an add at once, and answers a second mult with 403.
type desk struct {
	limit int // 0: one of each kind

	mu      sync.Mutex
	running []*task // guarded by mu; in the order they started
}

// take puts t on the desk, or tells that there is no room. Who took must drop, once.
func (d *desk) take(t *task) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full(t.kind) {
		return false
	}
	d.running = append(d.running, t)
	return true
}

func (d *desk) full(kind string) bool {
	if d.limit > 0 {
		return len(d.running) >= d.limit
	}
	return slices.ContainsFunc(d.running, func(other *task) bool { return other.kind == kind })
}

func (d *desk) drop(t *task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = slices.DeleteFunc(d.running, func(other *task) bool { return other == t })
}

// oldest is the task that has been running longest, or nil.
func (d *desk) oldest() *task {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.running) == 0 {
		return nil
	}
	return d.running[0]
}
