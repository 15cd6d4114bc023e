package drivertest

import (
	"errors"
	"sync"
	"time"

	"understudy/driver"
)

func stopTests() []test {
	return []test{
		{name: "Stop ends a worker, frees its port, waits no longer than for its end, and may be repeated", run: stopIsIdempotent},
		{name: "Stop of a worker nobody knows is success", run: stopUnknown},
		{name: "a worker that ignores SIGTERM is gone after the grace", run: stubbornStop},
		{name: "Stop of a worker that has ended removes it", run: stopEnded},
		{name: "several Stops of one worker at a time all succeed", run: parallelStops},
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
	spec := s.spec("alpha")
	inst := s.start(spec)
	s.ready(inst)
	s.stop(inst, time.Hour) // not waited for: the end of the test's context would tell
	s.stop(inst, patience)
	s.ready(s.start(spec)) // a freed name and port serve the next worker
}

func stopUnknown(s *suite) {
	if err := s.Driver.Stop(s.ctx, "never-heard-of", time.Second); err != nil {
		s.Errorf("Stop: %v", err)
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
	inspector, inspects := s.Driver.(driver.Inspector)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			if err := s.Driver.Stop(s.ctx, inst.ID, time.Duration(i%2)*patience); err != nil { // forced by some, asked by others
				s.Errorf("Stop: %v", err)
			}
			if !inspects {
				return
			}
			if _, err := inspector.Inspect(s.ctx, inst.ID); !errors.Is(err, driver.ErrNotFound) {
				s.Errorf("after Stop, Inspect: %v", err)
			}
		})
	}
	group.Wait()
	if all := s.list(s.Driver); len(all) > 0 {
		s.Errorf("after all of them the list holds %+v", all)
	}
}
