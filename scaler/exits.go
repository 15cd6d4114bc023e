package scaler

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"understudy/driver"
	"understudy/fleet"
	"understudy/probe"
)

// Exit is how a worker ended that nobody here had asked to end, or why it was given up.
type Exit struct {
	At     time.Time
	Worker string
	Reason string   // exit, oom, signal, removed, hung, identity, broken, never_ready
	Error  string   // one sentence
	Code   int      // its exit code; 0 also when it did not exit
	OOM    bool     // the engine says that it ran out of memory
	Logs   []string // its last lines, oldest first, at most 20
}

// errRemoved is a worker that went away while it started.
var errRemoved = errors.New("somebody removed the worker while it started")

// LastExit tells how the last worker of the pool ended that was not asked to. It reports false when none has. It may be called concurrently.
func (s *Scaler) LastExit(pool string) (Exit, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.exits[pool]
	return e, ok
}

// examined books how a worker ended that had been ready, once that is known.
func (s *Scaler) examined(o *owned, found remains) {
	cause, said := s.Fleet.Failure(o.worker)
	if found.exit == nil && !found.removed {
		found.exit = o.exit // it was there to be seen when it ended
	}
	reason := found.why()
	if reason == "" {
		reason = string(cause)
	}
	if found.exit != nil {
		o.exit, said = found.exit, found.exit.Error()
	}
	s.crashed(o)
	s.ended(o, reason, said, found)
	if o.blamed {
		s.tell(o, errors.New("it broke soon after it was ready: "+said), found)
	}
	s.Log.Log(context.Background(), levelOf(reason), "worker ended", slog.String("pool", o.worker.Pool), slog.String("worker", o.worker.ID),
		slog.String("reason", reason), slog.Duration("lasted", max(0, s.Fleet.Clock()-o.readyAt)), slog.String("error", said))
}

// neverReady books how a worker ended that was not ready yet. A start that did not get as far as a worker is none.
func (s *Scaler) neverReady(o *owned, err error, found remains) {
	var exit *driver.ExitError
	reason := found.why()
	switch {
	case reason != "":
	case errors.As(err, &exit):
		found.exit = exit
		reason = found.why()
	case errors.Is(err, errRemoved):
		reason = "removed"
	case o.id == "":
		return
	case errors.Is(err, probe.ErrIdentity):
		reason = string(fleet.Stranger)
	default:
		reason = "never_ready"
	}
	s.ended(o, reason, err.Error(), found)
}

func (s *Scaler) ended(o *owned, reason, said string, found remains) {
	e := Exit{At: s.Now(), Worker: o.worker.ID, Reason: reason, Error: said, Logs: found.lines}
	if found.exit != nil {
		e.Code, e.OOM, e.Logs = found.exit.Code, found.exit.OOM, found.exit.Logs
	}
	s.Recorder.Exited(o.worker.Pool, reason)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exits[o.worker.Pool] = e
}

// levelOf is louder for what no worker can do by itself: somebody else at its address.
func levelOf(reason string) slog.Level {
	if reason == string(fleet.Stranger) {
		return slog.LevelError
	}
	return slog.LevelWarn
}
