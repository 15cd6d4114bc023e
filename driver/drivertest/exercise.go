// Package drivertest holds what every driver is tested with: Exercise, the one conformance suite, and Fake, a driver without an
// engine for the tests of those who call drivers.
package drivertest

import (
	"context"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"understudy/driver"
)

// Harness is one driver without workers, and how to use it.
type Harness struct {
	// Driver under test. Whoever made it closes it, after the test.
	Driver driver.Driver
	// Spec of a worker that behaves as that of BuildWorker does. The suite fills in who it is and, unless it says PublishNetwork, its host port.
	Spec driver.Spec
	// Other is bound to another instance on the same engine; nil when the driver knows no instances but its own.
	Other driver.Driver
}

// Exercise runs the conformance suite: everything package driver promises, as far as it shows from outside. newDriver is called
// once for each test.
func Exercise(t *testing.T, newDriver func(t *testing.T) Harness) {
	exercise(t, newDriver, func(test) bool { return true })
}

// ExerciseReach runs those tests of the suite that tell where a worker is reached. It is for a driver that passes the whole suite with workers
// that are reached in another way: all the other tests would show the same once more.
func ExerciseReach(t *testing.T, newDriver func(t *testing.T) Harness) {
	exercise(t, newDriver, func(test test) bool { return test.reach })
}

func exercise(t *testing.T, newDriver func(t *testing.T) Harness, wanted func(test) bool) {
	for _, part := range [][]test{startTests(), stopTests(), listTests(), abilityTests()} {
		for _, test := range part {
			if wanted(test) {
				t.Run(test.name, func(t *testing.T) { test.run(newSuite(t, newDriver(t))) })
			}
		}
	}
}

type test struct {
	name  string
	run   func(*suite)
	reach bool // it tells where a worker is reached
}

// suite is one test of the conformance suite.
type suite struct {
	*testing.T
	Harness
	ctx context.Context
}

// patience bounds every wait for something that must happen. It is no measure of anything.
const patience = 30 * time.Second

func newSuite(t *testing.T, h Harness) *suite {
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	s := &suite{T: t, Harness: h, ctx: ctx}
	t.Cleanup(func() { // t.Context has ended by now
		cancel()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, d := range []driver.Driver{h.Driver, h.Other} {
			if d != nil {
				stopAll(ctx, t, d)
			}
		}
	})
	return s
}

func stopAll(ctx context.Context, t *testing.T, d driver.Driver) {
	t.Helper()
	all, err := d.List(ctx)
	if err != nil {
		t.Errorf("after the test, List: %v", err)
	}
	for _, inst := range all {
		if err := d.Stop(ctx, inst.ID, 0); err != nil {
			t.Errorf("after the test, Stop: %v", err)
		}
	}
}

// spec is that of a worker of the given name and behaviour, at a free port.
func (s *suite) spec(worker string, env ...string) driver.Spec {
	s.Helper()
	spec := s.Spec
	spec.HostPort = 0
	spec.Pool, spec.Worker = "exercise", worker
	spec.Generation, spec.Hash = "generation-"+worker, "hash-"+worker
	spec.Capabilities = []string{"mult", "add", worker}
	spec.Concurrency = max(1, spec.Concurrency)
	if spec.Publish != driver.PublishNetwork {
		spec.HostPort = FreePort(s)
	}
	spec.Env = append(slices.Clone(spec.Env), "UNDERSTUDY_IDENTITY="+spec.Generation, "UNDERSTUDY_WORKER="+worker)
	spec.Env = append(spec.Env, env...)
	return spec
}

// start starts a worker that must start.
func (s *suite) start(spec driver.Spec) driver.Instance {
	s.Helper()
	inst, err := s.Driver.Start(s.ctx, spec)
	if err != nil {
		s.Fatalf("Start of %s: %v", spec.Worker, err)
	}
	return inst
}

// list lists what must be listed.
func (s *suite) list(d driver.Driver) []driver.Instance {
	s.Helper()
	all, err := d.List(s.ctx)
	if err != nil {
		s.Fatalf("List: %v", err)
	}
	return all
}

// listed returns the worker of that name from the list.
func (s *suite) listed(worker string) (driver.Instance, bool) {
	s.Helper()
	all := s.list(s.Driver)
	i := slices.IndexFunc(all, func(inst driver.Instance) bool { return inst.Worker == worker })
	if i < 0 {
		return driver.Instance{}, false
	}
	return all[i], true
}

// eventually waits until ok, which what says in words.
func (s *suite) eventually(what string, ok func() bool) {
	s.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			s.Fatalf("never happened: %s", what)
		}
	}
}

// ready waits until the worker answers HTTP with its identity.
func (s *suite) ready(inst driver.Instance) {
	s.Helper()
	s.eventually(inst.Worker+" answers with its identity", func() bool {
		header, _, err := Get(s.ctx, inst.Address+"/")
		return err == nil && header.Get(IdentityHeader) == inst.Generation
	})
}

// Get fetches a URL over a connection of its own.
func Get(ctx context.Context, url string) (http.Header, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.Header, string(body), err
}
