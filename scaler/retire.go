package scaler

import (
	"context"
	"log/slog"
	"time"

	"understudy/driver"
	"understudy/fleet"
)

// removals is what the troubles of removing workers are about.
const removals = "removing workers"

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
	id, port, drain := o.id, o.port, o.pool.cfg.Drain
	s.launch(func() func() {
		if !s.waitIdle(idle, drain) {
			return func() {}
		}
		s.stop(w, id, port, grace)
		s.Fleet.Remove(w.ID)
		s.Recorder.Stopped(w.Pool, reason)
		s.Log.Info("worker removed", slog.String("pool", w.Pool), slog.String("worker", w.ID), slog.String("reason", reason))
		return func() { delete(s.owned, w.ID) }
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

// stop tells the driver until it works or there is no hope, then sees to the port. It runs to its end even while the process stops:
// every step is bounded by the driver.
func (s *Scaler) stop(w *fleet.Worker, id driver.ID, port int, grace time.Duration) {
	backoff := driver.Backoff{Base: stopBackoff, Max: stopLongest}
	for try := 1; id != ""; try++ {
		err := s.Driver.Stop(context.Background(), id, grace)
		if err == nil {
			s.repeats.Over(removals)
			break
		}
		s.Recorder.DriverError(s.Driver.Name(), "stop")
		s.repeats.Add(removals, kindOf(err), "a worker was not removed", err, slog.String("worker", w.ID), slog.Int("try", try))
		if try == stopTries {
			s.Ports.Quarantine(port, "its worker could not be removed: "+err.Error())
			return
		}
		if !s.pause(backoff.Next()) {
			return
		}
	}
	s.giveBack(port)
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

// pause reports false when there is nothing to wait for, because the workers are another balancer's.
func (s *Scaler) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.leaving:
		return false
	}
}

// shutdown ends what was begun, then removes every worker of ours or leaves them for the next balancer of this instance.
func (s *Scaler) shutdown() {
	s.closing = true
	if s.Config.OnExit != onExitLeave && !s.left() {
		for _, o := range s.owned {
			s.retire(o.worker, "shutdown")
		}
	}
	for s.helpers > 0 {
		s.hear(<-s.reports)
	}
}
