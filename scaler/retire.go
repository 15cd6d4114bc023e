package scaler

import (
	"log/slog"
	"time"

	"understudy/driver"
	"understudy/fleet"
)

// removing is what the troubles of removing workers are about.
const removing = "removing workers"

const (
	onExitLeave  = "leave"
	stopGrace    = 10 * time.Second // between asking a worker to end and forcing it
	failedGrace  = 2 * time.Second  // the same for one that is broken
	portWait     = 2 * time.Second  // for the port of a removed worker to be let go
	stopTries    = 10
	stopBackoff  = 500 * time.Millisecond
	stopLongest  = 30 * time.Second
	probeBackoff = 5 * time.Millisecond
	probeLongest = 200 * time.Millisecond
)

// retire removes one worker: waits until nothing is in flight on it or its drain time is over, stops it, and gives its port back.
// One that still starts is left to the end of its start.
func (s *Scaler) retire(w *fleet.Worker, reason string) {
	o := s.owned[w.ID]
	if o == nil || o.retiring || o.starting {
		return
	}
	o.retiring = true
	idle, err := s.Fleet.Drain(w.ID, reason)
	grace := stopGrace
	if err != nil { // it failed: nothing good comes of waiting
		idle, grace = nil, failedGrace
	}
	id, port, drain, calling := o.id, o.port, o.pool.cfg.Drain, o.calling
	s.launch(func() func() {
		if !s.waitIdle(idle, drain) {
			return func() {}
		}
		if calling != nil {
			<-calling
		}
		gone := s.stop(w, id, port, grace, stopTries)
		s.Fleet.Remove(w.ID)
		if gone {
			s.Recorder.Stopped(w.Pool, reason)
			s.Log.Info("worker removed", slog.String("pool", w.Pool), slog.String("worker", w.ID), slog.String("reason", reason))
		}
		return func() {
			delete(s.owned, w.ID)
			if !gone {
				s.adoptStuck(o)
			}
		}
	})
}

// waitIdle reports false when the worker is another balancer's meanwhile.
func (s *Scaler) waitIdle(idle <-chan struct{}, atMost time.Duration) bool {
	if idle == nil {
		return true
	}
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	case <-s.leaving:
		return false
	}
	return true
}

// stop tells the driver until it works or it was told so many times, then sees to the port. It reports whether the worker is gone. It runs to
// its end even while the process stops, as long as the engine answers: every step is bounded by the driver.
func (s *Scaler) stop(w *fleet.Worker, id driver.ID, port int, grace time.Duration, tries int) (gone bool) {
	backoff := driver.Backoff{Base: stopBackoff, Max: stopLongest}
	for try := 1; id != ""; try++ {
		err := s.Driver.Stop(s.removals, id, grace)
		if !isAway(err) {
			s.answered.Add(1)
		}
		if err == nil {
			s.repeats.Over(removing)
			break
		}
		if s.removals.Err() != nil {
			return false
		}
		s.Recorder.DriverError(s.Driver.Name(), "stop")
		s.repeats.Add(removing, kindOf(err), "a worker was not removed", err, slog.String("worker", w.ID), slog.Int("try", try))
		if isAway(err) {
			s.Fleet.Engine().Ask()
		}
		if try >= tries {
			s.Ports.Quarantine(port, "its worker could not be removed: "+err.Error())
			return false
		}
		if !s.pause(backoff.Next()) {
			return false
		}
	}
	s.giveBack(port)
	return true
}

// giveBack returns a port once a bind on it succeeds; one that stays held is set aside. 0 is no port.
func (s *Scaler) giveBack(port int) {
	backoff := driver.Backoff{Base: probeBackoff, Max: probeLongest}
	for waited := time.Duration(0); port != 0; {
		if s.PortFree(port) == nil {
			s.Ports.Return(port)
			return
		}
		if waited >= portWait {
			s.Ports.Quarantine(port, "still held after its worker was removed")
			return
		}
		d := backoff.Next()
		if !s.pause(d) {
			return
		}
		waited += d
	}
}

// pause reports false when there is nothing to wait for: the workers are another balancer's, or the end has given them up.
func (s *Scaler) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.leaving:
		return false
	case <-s.removals.Done():
		return false
	}
}
