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

// ExitError is a worker that ended without having been asked to.
type ExitError struct {
	Code     int      // its exit code; 128 + the signal when one ended it
	OOM      bool     // the engine says that it ran out of its memory. That it does not say so proves nothing
	Removing bool     // somebody is removing the worker
	Logs     []string // its last lines, oldest first, at most 20
	Hint     string   // which configuration key may help, when that can be told; else empty
}

// Signal is the number of the signal that ended the worker; 0 when it ended by itself.
func (e *ExitError) Signal() int {
	if e.Code <= 128 || e.Code > 128+64 {
		return 0
	}
	return e.Code - 128
}

func (e *ExitError) Error() string {
	s := e.what()
	if n := len(e.Logs); n > 0 {
		s += fmt.Sprintf("; it last printed %q", e.Logs[n-1])
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func (e *ExitError) what() string {
	switch {
	case e.Removing:
		return fmt.Sprintf("somebody removed the worker; it exited with code %d", e.Code)
	case e.OOM:
		return fmt.Sprintf("the worker ran out of memory: it exited with code %d, oom flag = true", e.Code)
	case e.Code == 137: // as the kernel's and as ours, and as anybody's with docker kill
		return "the worker was killed: it exited with code 137 (SIGKILL), oom flag = false"
	case e.Signal() != 0:
		return fmt.Sprintf("a signal ended the worker: it exited with code %d (signal %d)", e.Code, e.Signal())
	default:
		return fmt.Sprintf("the worker exited with code %d", e.Code)
	}
}
