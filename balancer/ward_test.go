package balancer

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/probe"
)

// script is a Prober that answers as it is told, by address.
type script struct {
	mu      sync.Mutex
	errs    map[string]error
	hang    map[string]bool
	asked   map[string]int
	targets map[string]probe.Target
	now     int // probes running
	most    int
}

func newScript() *script {
	return &script{errs: map[string]error{}, hang: map[string]bool{}, asked: map[string]int{}, targets: map[string]probe.Target{}}
}

func (s *script) Check(ctx context.Context, t probe.Target) error {
	s.mu.Lock()
	s.asked[t.Address]++
	s.targets[t.Address] = t
	s.now++
	s.most = max(s.most, s.now)
	hang := s.hang[t.Address]
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now--
	}()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	<-timer.C
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.errs[t.Address]
}

func (s *script) Await(ctx context.Context, t probe.Target, _ int) error {
	for {
		err := s.Check(ctx, t)
		if err == nil || ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(50 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

func (s *script) set(address string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs[address] = err
}

func (s *script) hangs(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang[address] = true
}

func (s *script) count(address string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[address]
}

// ward is a balancer in virtual time whose workers are only probed.
type ward struct {
	*Balancer
	*script
	f       *fleet.Fleet
	records *records
}

// inWard runs the loops of a balancer in a synctest bubble.
func inWard(t *testing.T, pools []config.Pool, fn func(t *testing.T, w ward)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := ward{script: newScript(), f: fleetOf(pools), records: newRecords()}
		w.Balancer = New(Options{Fleet: w.f, Config: &config.Config{Pools: pools}, Prober: w.script, Recorder: w.records})
		ctx, cancel := context.WithCancel(t.Context())
		var loops sync.WaitGroup
		loops.Go(func() { w.Health().Run(ctx) })
		loops.Go(func() { w.Members().Run(ctx) })
		loops.Go(func() { w.Registry().Run(ctx) })
		defer loops.Wait()
		defer cancel()
		fn(t, w)
	})
}

func (w ward) add(t *testing.T, id string, origin fleet.Origin) *fleet.Worker {
	t.Helper()
	one, err := w.f.Add(fleet.Info{ID: id, Pool: "general", Address: "http://" + id, Generation: "g-" + id, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	w.f.Ready(id, "", 100)
	return one
}

// pass lets virtual time go by until everything that can happen in it has.
func pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

func (w ward) state(id string) string {
	_, state, ok := w.f.Worker(id)
	if !ok {
		return "none"
	}
	return state.String()
}

func general() []config.Pool { return []config.Pool{pool("general", "mult")} }
