package drivertest

import (
	"sync"
	"time"

	"understudy/driver"
)

func stopTests() []test {
	return []test{
		{"Stop ends a worker, frees its port, and may be repeated", stopIsIdempotent},
		{"Stop of a worker nobody knows is success", stopUnknown},
		{"a worker that ends when asked is not waited for", politeStop},
		{"a worker that ignores SIGTERM is gone after the grace", stubbornStop},
		{"Stop of a worker that has ended removes it", stopEnded},
		{"two Stops of one worker at a time both succeed", parallelStops},
	}
}

// stop stops what must stop, and looks whether it is gone.
func (s *suite) stop(inst driver.Instance, grace time.Duration) {
	s.Helper()
	if err := s.Driver.Stop(s.ctx, inst.ID, grace); err != nil {
		s.Fatalf("Stop: %v", err)
	}
	if got, ok := s.listed(inst.Worker); ok {
		s.Errorf("after Stop it is listed as %+v", got)
	}
	if !Free(inst.HostPort) {
		s.Errorf("after Stop its port %d is still held", inst.HostPort)
	}
}

func stopIsIdempotent(s *suite) {
	inst := s.start(s.spec("alpha"))
	s.ready(inst)
	s.stop(inst, patience)
	s.stop(inst, patience)
	spec := s.spec("beta")
	spec.HostPort = inst.HostPort
	s.ready(s.start(spec)) // a freed port serves the next worker
}

func stopUnknown(s *suite) {
	if err := s.Driver.Stop(s.ctx, "never-heard-of", time.Second); err != nil {
		s.Errorf("Stop: %v", err)
	}
}

func politeStop(s *suite) {
	inst := s.start(s.spec("alpha"))
	s.ready(inst)
	began := time.Now()
	s.stop(inst, time.Hour)
	if took := time.Since(began); took > patience {
		s.Errorf("Stop took %s", took)
	}
}

func stubbornStop(s *suite) {
	inst := s.start(s.spec("alpha", behaviourKey+"="+stubborn))
	s.ready(inst)
	const grace = 300 * time.Millisecond
	began := time.Now()
	s.stop(inst, grace)
	if took := time.Since(began); took < grace {
		s.Errorf("it was forced after %s, before its grace of %s was over", took, grace)
	}
}

func stopEnded(s *suite) {
	inst := s.start(s.spec("alpha", behaviourKey+"="+exits))
	s.eventually("it has ended", func() bool {
		got, ok := s.listed("alpha")
		return ok && !got.Running
	})
	s.stop(inst, time.Hour)
}

func parallelStops(s *suite) {
	inst := s.start(s.spec("alpha"))
	s.ready(inst)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if err := s.Driver.Stop(s.ctx, inst.ID, patience); err != nil {
				s.Errorf("Stop: %v", err)
			}
		})
	}
	group.Wait()
	if all := s.list(s.Driver); len(all) > 0 {
		s.Errorf("after both the list holds %+v", all)
	}
}
