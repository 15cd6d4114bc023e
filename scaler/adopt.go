package scaler

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"understudy/driver"
	"understudy/fleet"
	"understudy/probe"
)

const (
	lookTimeout  = 10 * time.Second // for one question to the driver
	adoptTimeout = 2 * time.Second  // for a worker that already runs to answer as itself
	adoptAtOnce  = 16
)

// Adopt takes over what an earlier balancer of this instance left: workers that run and answer as themselves serve at once, everything
// else of ours is removed, beginning with Run. Call it once, before that. An error means that the driver could not say what there is; nothing was changed then.
func (s *Scaler) Adopt(ctx context.Context) (adopted, removed int, err error) {
	return s.AdoptFrom(ctx, Legacy{})
}

// AdoptFrom is Adopt with the word of the earlier balancer, which still runs.
func (s *Scaler) AdoptFrom(ctx context.Context, from Legacy) (adopted, removed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	found, err := s.Driver.List(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("cannot list the workers there are: %w", err)
	}
	s.legacy = from
	verdicts := s.judge(ctx, found, from)
	for i, inst := range found {
		if err := verdicts[i]; err == nil && s.take(inst, from) {
			adopted++
			continue
		} else if err != nil {
			s.Log.Info("not adopted", slog.String("worker", inst.Worker), slog.String("pool", inst.Pool), slog.Any("error", err))
		}
		removed++
		s.orphans[inst.ID] = &orphan{inst: inst, doomed: true}
	}
	for _, p := range s.pools {
		p.startTimes = from.Starts[p.cfg.Name]
		s.setQueueWait(p)
	}
	return adopted, removed, nil
}

// judge asks every worker found whether it is what its labels say, some at a time.
func (s *Scaler) judge(ctx context.Context, found []driver.Instance, from Legacy) []error {
	verdicts := make([]error, len(found))
	slots := make(chan struct{}, adoptAtOnce)
	var wg sync.WaitGroup
	for i, inst := range found {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			verdicts[i] = s.fit(ctx, inst, from)
		})
	}
	wg.Wait()
	return verdicts
}

// fit tells why a worker cannot be adopted. One made by an older configuration can: it serves until it is replaced.
func (s *Scaler) fit(ctx context.Context, inst driver.Instance, from Legacy) error {
	p := s.pool(inst.Pool)
	switch {
	case p == nil || !p.cfg.Scaled():
		return fmt.Errorf("there is no such pool any more")
	case !inst.Running:
		return fmt.Errorf("it does not run")
	case inst.Address == "":
		return fmt.Errorf("it has no address")
	}
	if inst.Paused {
		if err := s.thaw(ctx, inst); err != nil {
			return err
		}
	}
	if from.vouches(inst) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, adoptTimeout)
	defer cancel()
	lo, hi := p.cfg.Ready.StatusRange()
	return s.Prober.Await(ctx, probe.Target{
		Address: inst.Address, Path: p.cfg.Ready.Path, Lo: lo, Hi: hi, Identity: identityOf(p.cfg, inst.Generation),
	}, 0)
}

// take puts a worker found at start into rotation. It reports false when its port has another owner or its id is taken. One that is reached
// as this configuration does not say serves until it is replaced.
func (s *Scaler) take(inst driver.Instance, from Legacy) bool {
	p := s.pool(inst.Pool)
	if inst.HostPort != 0 && !s.Ports.Adopt(inst.HostPort) {
		return false
	}
	w, err := s.Fleet.Add(fleet.Info{
		ID: inst.Worker, Pool: inst.Pool, Address: inst.Address, Generation: inst.Generation, Hash: inst.Hash, Port: inst.HostPort,
		Concurrency: p.cfg.Concurrency, Origin: fleet.Adopted,
	})
	if err != nil {
		s.Ports.Return(inst.HostPort)
		return false
	}
	s.owned[w.ID] = &owned{worker: w, pool: p, id: inst.ID, port: inst.HostPort, making: making{image: inst.Image}}
	s.Fleet.Ready(w.ID, inst.Address, from.rotation(w.ID, p.cfg.Workers.Max))
	return true
}
