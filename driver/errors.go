package driver

import (
	"errors"
	"fmt"
)

var (
	// ErrPortTaken: somebody else holds the host port. Another port may do.
	ErrPortTaken = errors.New("the host port is taken")
	// ErrImageMissing: there is no such image and it may not or cannot be pulled. Retrying soon is pointless.
	ErrImageMissing = errors.New("the image is missing")
	// ErrUnavailable: there is no engine to talk to, now. Nothing is known about the workers.
	ErrUnavailable = errors.New("the engine does not answer")
	// ErrNotFound: the driver has no such worker.
	ErrNotFound = errors.New("no such worker")
)

// ExitError is a worker that ended before it was ready.
type ExitError struct {
	Code int
	Logs []string // its last lines, oldest first, at most 20
	Hint string   // which configuration key may help, when the logs tell; else empty
}

func (e *ExitError) Error() string {
	s := fmt.Sprintf("the worker exited with code %d", e.Code)
	if n := len(e.Logs); n > 0 {
		s += fmt.Sprintf("; it last printed %q", e.Logs[n-1])
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}
