package scaler

import (
	"time"

	"understudy/driver"
	"understudy/fleet"
)

// phasesOf takes a start apart: the driver's parts, and what is left, which is waiting for the worker's first answer.
func phasesOf(of driver.Took, took time.Duration) fleet.Phases {
	return fleet.Phases{Create: of.Create, Start: of.Start, Ready: max(took-of.Create-of.Start, 0)}
}

// phased notes what the parts of a good start took.
func (s *Scaler) phased(w *fleet.Worker, of driver.Took, took time.Duration) {
	p := phasesOf(of, took)
	s.Fleet.SetPhases(w.ID, p)
	s.Recorder.StartPhase(w.Pool, "create", p.Create)
	s.Recorder.StartPhase(w.Pool, "start", p.Start)
	s.Recorder.StartPhase(w.Pool, "ready", p.Ready)
}
