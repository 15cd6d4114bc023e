package drivertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"understudy/driver"
)

func startTests() []test {
	return []test{
		{name: "a started worker answers on its host port with its identity", run: startedAnswers, reach: true},
		{name: "workers started at the same time all run and are listed as soon as Start returns", run: parallelStarts},
		{name: "a port somebody else holds is ErrPortTaken and nothing stays behind", run: foreignPort},
		{name: "a port another worker of ours holds is ErrPortTaken", run: ownPort},
		{name: "a worker that exits at once is listed with its exit code", run: exitsAtOnce},
		{name: "a start that is cancelled leaves nothing behind", run: cancelledStart},
	}
}

func startedAnswers(s *suite) {
	spec := s.spec("alpha")
	began := time.Now()
	inst := s.start(spec)
	if whole := inst.Took.Create + inst.Took.Start; inst.Took.Create < 0 || inst.Took.Start < 0 || whole > time.Since(began) {
		s.Errorf("of a start of %s the parts took %+v", time.Since(began), inst.Took)
	}
	s.same(inst, spec)
	if !inst.Running {
		s.Error("Start says it does not run")
	}
	if s.Driver.Name() == "" {
		s.Error("the driver has no name")
	}
	s.ready(inst)
}

// same compares an instance with what its start was given.
func (s *suite) same(inst driver.Instance, spec driver.Spec) {
	s.Helper()
	address := fmt.Sprintf("http://127.0.0.1:%d", spec.HostPort)
	if spec.Publish == driver.PublishNetwork {
		address = inst.Address
		if host, err := url.Parse(address); inst.Running && (err != nil || host.Port() == "" || strings.HasPrefix(host.Host, "127.")) || !inst.Running && address != "" {
			s.Errorf("%s is reached at %q", inst.Worker, address)
		}
	}
	got := fmt.Sprint(inst.Pool, inst.Worker, inst.Generation, inst.Hash, inst.Capabilities, inst.HostPort, inst.Address)
	want := fmt.Sprint(spec.Pool, spec.Worker, spec.Generation, spec.Hash, spec.Capabilities, spec.HostPort,
		address)
	if got != want {
		s.Errorf("the instance is %s, want %s", got, want)
	}
	if inst.ID == "" {
		s.Error("the instance has no ID")
	}
	if age := time.Since(inst.Created); age < -time.Minute || age > 10*time.Minute {
		s.Errorf("it says it was created %s ago", age)
	}
}

func parallelStarts(s *suite) {
	var group sync.WaitGroup
	workers := []string{"alpha", "beta", "gamma", "delta", "epsilon"} // more than a driver does at a time
	ids := make(chan driver.ID, len(workers))
	for _, worker := range workers {
		spec := s.spec(worker)
		group.Go(func() {
			inst, err := s.Driver.Start(s.ctx, spec)
			if err != nil {
				s.Errorf("Start of %s: %v", worker, err)
				return
			}
			ids <- inst.ID
			if got, ok := s.listed(worker); !ok || !got.Running || got.ID != inst.ID {
				s.Errorf("right after its start %s is listed as %+v", worker, got)
			}
			s.ready(inst)
		})
	}
	group.Wait()
	close(ids)
	seen := map[driver.ID]bool{}
	for id := range ids {
		seen[id] = true
	}
	if all := s.list(s.Driver); len(seen) != len(workers) || len(all) != len(workers) {
		s.Errorf("%d starts made %d different IDs and %d listed workers", len(workers), len(seen), len(all))
	}
}

func foreignPort(s *suite) {
	if s.Spec.Publish == driver.PublishNetwork {
		return // no port is anybody's
	}
	spec := s.spec("alpha")
	foreign, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", spec.HostPort))
	if err != nil {
		s.Fatal(err)
	}
	defer foreign.Close()
	_, err = s.Driver.Start(s.ctx, spec)
	if !errors.Is(err, driver.ErrPortTaken) {
		s.Fatalf("Start on a port that is held returns %v, want ErrPortTaken", err)
	}
	if all := s.list(s.Driver); len(all) > 0 {
		s.Errorf("after that the list holds %+v", all)
	}
	foreign.Close()
	s.ready(s.start(spec)) // the same worker again: nothing of the first try is in its way
}

func ownPort(s *suite) {
	if s.Spec.Publish == driver.PublishNetwork {
		return // no port is anybody's
	}
	first := s.spec("alpha")
	inst := s.start(first)
	second := s.spec("beta")
	second.HostPort = first.HostPort
	if _, err := s.Driver.Start(s.ctx, second); !errors.Is(err, driver.ErrPortTaken) {
		s.Fatalf("Start on another worker's port returns %v, want ErrPortTaken", err)
	}
	if all := s.list(s.Driver); len(all) != 1 || all[0].Worker != "alpha" {
		s.Errorf("after that the list holds %+v", all)
	}
	s.ready(inst) // the first is untouched
}

func exitsAtOnce(s *suite) {
	spec := s.spec("alpha", behaviourKey+"="+exits)
	inst := s.start(spec)
	s.eventually("it is listed as ended", func() bool {
		got, ok := s.listed("alpha")
		return ok && !got.Running
	})
	got, _ := s.listed("alpha")
	s.same(got, spec)
	if got.ID != inst.ID || got.ExitCode != exitCode {
		s.Errorf("listed with id %s and exit code %d, want %s and %d", got.ID, got.ExitCode, inst.ID, exitCode)
	}
	why, err := driver.Exit(s.ctx, s.Driver, inst.ID)
	if err != nil || why == nil || why.Code != exitCode {
		s.Fatalf("driver.Exit returns %v, %v", why, err)
	}
	if _, ok := s.Driver.(driver.Logger); ok {
		slices.Sort(why.Logs) // which of two streams comes first is nobody's promise
		if !slices.Equal(why.Logs, []string{"last words", "worker alpha starts"}) {
			s.Errorf("its last lines are %q", why.Logs)
		}
	}
}

func cancelledStart(s *suite) {
	if preparer, ok := s.Driver.(driver.Preparer); ok { // or a slow first start would be cancelled before it does anything
		if err := preparer.Prepare(s.ctx, s.spec("alpha")); err != nil {
			s.Fatalf("Prepare: %v", err)
		}
	}
	spec := s.spec("cancelled") // the same each time: nothing of one start may be in the way of the next
	for _, after := range []time.Duration{0, 5 * time.Millisecond, 30 * time.Millisecond, 150 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(s.ctx, after)
		inst, err := s.Driver.Start(ctx, spec)
		cancel()
		if err == nil { // it was quicker than we
			if err := s.Driver.Stop(s.ctx, inst.ID, 0); err != nil {
				s.Fatalf("Stop: %v", err)
			}
		} else if !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("a start cancelled after %s returns %v", after, err)
		}
		s.eventually("nothing of it is listed and its port is free", func() bool {
			return len(s.list(s.Driver)) == 0 && Free(spec.HostPort)
		})
	}
}
