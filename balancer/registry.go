package balancer

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"understudy/fleet"
)

const (
	newcomersPending = 64               // workers being checked at the same time
	newcomerTimeout  = 30 * time.Second // for one to answer its first probe
	registryTick     = time.Second
)

// Registry takes workers that register themselves. One that answers a probe joins the pools that have one of its capabilities; Health
// removes it when it stops answering. Registering under an id again does nothing when the rest is the same, else it replaces the worker
// that had the id.
//
// Whoever may register makes the balancer send requests to an address of their choice. That is why these handlers belong on the admin listener,
// which is on the loopback or guarded by a token, and on the planner listener, which is for the networks that were allowed.
type Registry struct {
	b      *Balancer
	prober Prober
	news   chan *fleet.Worker // added, not yet checked
	places chan struct{}      // one for each that is being checked

	mu sync.Mutex // makes replacing one step
}

func newRegistry(b *Balancer, p Prober) *Registry {
	return &Registry{
		b: b, prober: p,
		news:   make(chan *fleet.Worker, newcomersPending),
		places: make(chan struct{}, newcomersPending),
	}
}

// Run checks newcomers until ctx ends. Call it once.
func (g *Registry) Run(ctx context.Context) {
	var checks sync.WaitGroup
	defer checks.Wait()
	ticker := time.NewTicker(registryTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-g.news:
			checks.Go(func() { g.check(ctx, w) })
		case <-ticker.C:
			g.sweep()
		}
	}
}

// check lets a newcomer serve once it answers, and forgets it when it does not.
func (g *Registry) check(ctx context.Context, w *fleet.Worker) {
	defer func() { <-g.places }()
	ctx, cancel := context.WithTimeout(ctx, newcomerTimeout)
	defer cancel()
	err := g.prober.Await(ctx, g.b.settings.Load().target(w), 0)
	g.mu.Lock()
	defer g.mu.Unlock()
	if now, _, ok := g.b.fleet.Worker(w.ID); !ok || now != w {
		return // replaced meanwhile
	}
	if err != nil {
		g.b.log.Warn("a worker that registered does not answer", slog.String("worker", w.ID), slog.Any("error", err))
		g.b.fleet.Remove(w.ID)
		return
	}
	g.b.fleet.Ready(w.ID, w.Address, 0)
	g.b.log.Info("worker registered", slog.String("pool", w.Pool), slog.String("worker", w.ID), slog.String("url", w.Address))
}

// sweep removes registered workers that were drained and have nothing left in flight.
func (g *Registry) sweep() {
	for _, w := range g.b.fleet.Workers(fleet.Draining) {
		if w.Origin != fleet.Registered {
			continue
		}
		idle, err := g.b.fleet.Drain(w.ID, "")
		if err != nil {
			continue
		}
		select {
		case <-idle:
			g.b.fleet.Remove(w.ID)
		default: // the next sweep looks again
		}
	}
}

// add takes a worker on. It returns at once; the worker serves after its first answer to a probe.
func (g *Registry) add(c card) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w, state, ok := g.b.fleet.Worker(c.ID); ok {
		switch {
		case w.Origin != fleet.Registered:
			return errConflict
		case g.same(w, c) && state != fleet.Failed && state != fleet.Draining:
			return nil
		}
	}
	select {
	case g.places <- struct{}{}:
	default:
		return errTooManyNew
	}
	g.b.fleet.Remove(c.ID) // does nothing when there is none
	w, err := g.b.fleet.Add(fleet.Info{
		ID: c.ID, Address: c.URL, Generation: rand.Text(), Capabilities: c.Capabilities, Concurrency: c.Concurrency, Origin: fleet.Registered,
	})
	if err != nil {
		<-g.places
		return unfit{err.Error()}
	}
	g.news <- w // never blocks: there is a place for each
	return nil
}

// same tells whether the worker is what it says it is now. A concurrency it does not name is up to its pool.
func (g *Registry) same(w *fleet.Worker, c card) bool {
	return strings.TrimRight(w.Address, "/") == strings.TrimRight(c.URL, "/") && slices.Equal(w.Capabilities, c.Capabilities) &&
		(c.Concurrency == 0 || c.Concurrency == w.Concurrency)
}
