package drivertest

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"understudy/driver"
)

// silence is how long a frozen worker is seen not to answer.
const silence = 300 * time.Millisecond

// frozen starts a worker and freezes it.
func (s *suite) frozen(p driver.Pauser, worker string, env ...string) driver.Instance {
	s.Helper()
	inst := s.start(s.spec(worker, env...))
	s.ready(inst)
	if err := p.Pause(s.ctx, inst.ID); err != nil {
		s.Fatalf("Pause of %s: %v", worker, err)
	}
	return inst
}

func pauseAndResume(s *suite) {
	p, ok := s.Driver.(driver.Pauser)
	if !ok {
		return
	}
	inst := s.frozen(p, "alpha")
	for round := range 2 {
		if err := p.Pause(s.ctx, inst.ID); err != nil {
			s.Fatalf("Pause of one that is frozen, round %d: %v", round, err)
		}
		if got, _ := s.listed("alpha"); !got.Running || !got.Paused || got.HostPort != inst.HostPort {
			s.Errorf("frozen, it is listed as %+v", got)
		}
		s.mute(inst)
		for range 2 {
			if err := p.Resume(s.ctx, inst.ID); err != nil {
				s.Fatalf("Resume, round %d: %v", round, err)
			}
		}
		s.ready(inst)
		if got, _ := s.listed("alpha"); !got.Running || got.Paused {
			s.Errorf("awake, it is listed as %+v", got)
		}
	}
}

// mute makes sure that the worker does not answer.
func (s *suite) mute(inst driver.Instance) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, silence)
	defer cancel()
	_, _, err := Get(ctx, inst.Address+"/")
	var network net.Error
	if !errors.As(err, &network) || !network.Timeout() {
		s.Errorf("frozen, it answers, or nobody holds its port: %v", err)
	}
}

func stopOfAFrozen(s *suite) {
	p, ok := s.Driver.(driver.Pauser)
	if !ok {
		return
	}
	inst := s.frozen(p, "alpha", behaviourKey+"="+stubborn)
	s.stop(inst, time.Hour) // it cannot hear, so its grace is not waited for: the end of the test's context would tell
	if all := s.list(s.Driver); len(all) != 0 || !Free(inst.HostPort) {
		s.Errorf("after Stop the list holds %+v", all)
	}
	for _, id := range []driver.ID{inst.ID, "never-heard-of", ""} {
		if err := p.Pause(s.ctx, id); !errors.Is(err, driver.ErrNotFound) {
			s.Errorf("Pause of %q, which is not there: %v", id, err)
		}
		if err := p.Resume(s.ctx, id); !errors.Is(err, driver.ErrNotFound) {
			s.Errorf("Resume of %q, which is not there: %v", id, err)
		}
	}
}

func sweepOfAFrozen(s *suite) {
	p, ok := s.Driver.(driver.Pauser)
	sweeper, can := s.Driver.(driver.Sweeper)
	if !ok || !can {
		return
	}
	inst := s.frozen(p, "alpha")
	lines, err := sweeper.Sweep(s.ctx, false)
	if err != nil || !strings.Contains(strings.Join(lines, ","), "alpha") {
		s.Errorf("Sweep returns %q, %v", lines, err)
	}
	if all := s.list(s.Driver); len(all) != 0 || !Free(inst.HostPort) {
		s.Errorf("after Sweep the list holds %+v", all)
	}
}
