package fleet

import (
	"slices"
	"strings"
	"time"
)

// group is all workers that can do exactly the same things, whichever pool they belong to. A request looks at the few groups that
// have its capability, never at workers one by one.
type group struct {
	key    string
	routes []*route
	levels []idleSet // by tasks in flight
	live   []int     // valid entries in each level
	low    int       // no level below has a valid entry
	pick   Pick

	workers int // that live
}

// wanted tells whether a request waits that a worker of this group could serve.
func (g *group) wanted() bool {
	for _, r := range g.routes {
		if r.queue.n > 0 {
			return true
		}
	}
	return false
}

// group finds or makes the group of workers with exactly these capabilities. home is the pool of the worker that needs it.
func (f *Fleet) group(capabilities []string, home *pool) *group {
	capabilities = distinct(capabilities)
	key := strings.Join(capabilities, "\x00")
	for _, g := range f.groups {
		if g.key == key {
			return g
		}
	}
	g := &group{key: key, pick: f.pickFor(capabilities, home)}
	for _, c := range capabilities {
		g.routes = append(g.routes, f.routes[c])
	}
	for _, r := range g.routes {
		r.groups = append(r.groups, g)
		slices.SortStableFunc(r.groups, func(a, b *group) int { return len(a.routes) - len(b.routes) })
	}
	f.groups = append(f.groups, g)
	return g
}

// pickFor: workers that can do exactly what a pool can are picked as that pool says, others as their own pool says.
func (f *Fleet) pickFor(capabilities []string, home *pool) Pick {
	for _, p := range f.pools {
		if slices.Equal(distinct(p.Capabilities), capabilities) {
			return p.Pick
		}
	}
	return home.Pick
}

func distinct(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// offer puts a worker with a free slot into the idle set of its level.
func (g *group) offer(w *Worker, now time.Duration) {
	if w.queued {
		g.withdraw(w)
	}
	if !w.free(now) {
		return
	}
	level := int(w.inflight)
	for len(g.levels) <= level {
		g.levels = append(g.levels, newIdleSet(g.pick))
		g.live = append(g.live, 0)
	}
	w.ticket++
	w.queued = true
	set := g.levels[level]
	if set.size() > 2*g.live[level]+16 {
		set.compact()
	}
	set.push(w)
	g.live[level]++
	g.low = min(g.low, level)
}

// withdraw takes a worker out of the idle set, wherever it is. Its inflight must still be what it was when it was offered.
func (g *group) withdraw(w *Worker) {
	if !w.queued {
		return
	}
	w.queued = false
	g.live[w.inflight]--
}

// take yields the next worker with a free slot, other than not, and removes it from the idle set.
func (g *group) take(not *Worker) *Worker {
	for level := g.low; level < len(g.levels); level++ {
		if g.live[level] == 0 {
			if level == g.low {
				g.low++
			}
			continue
		}
		if w := g.levels[level].pop(not); w != nil {
			w.queued = false
			g.live[level]--
			return w
		}
	}
	return nil
}
