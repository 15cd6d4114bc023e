package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"understudy/driver"
)

// ErrNoEngine: there is no Docker engine on this machine at all, no socket and nothing that names another address. It comes
// with driver.ErrUnavailable. An engine that is configured but away, or a socket without permission, is not ErrNoEngine.
var ErrNoEngine = errors.New("there is no Docker engine here")

// errStale: something that was cached is gone from the engine. Another try finds or makes it anew.
var errStale = errors.New("it has been removed meanwhile")

// sentence is an error that reads as one sentence and is of one or more kinds.
type sentence struct {
	text  string
	kinds []error
}

func failure(text string, kinds ...error) error { return &sentence{text, kinds} }

func (s *sentence) Error() string   { return s.text }
func (s *sentence) Unwrap() []error { return s.kinds }

// The engine's answers that callers here must tell apart, and that there was none.
var (
	errNotFound = errors.New("the engine has no such thing")
	errConflict = errors.New("the engine says there is a conflict")
	errInvalid  = errors.New("the engine says that makes no sense")
	errSlow     = errors.New("the engine takes longer than we wait") // always with driver.ErrUnavailable
)

// explain turns an error of the SDK into ours: what was tried, at which engine, and of which kind it is. ctx is the caller's,
// patience our own limit.
func (e *engine) explain(ctx context.Context, what string, patience time.Duration, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("docker: %s: %w", what, context.Cause(ctx))
	case errors.Is(err, context.DeadlineExceeded):
		return failure(fmt.Sprintf("the Docker engine at %s did not answer within %s (%s)", e.host, patience, what), driver.ErrUnavailable, errSlow)
	case unreachable(err):
		return failure(fmt.Sprintf("the Docker engine at %s does not answer (%s): %s", e.host, what, engineText(err)), driver.ErrUnavailable)
	}
	if otherVersion(err) {
		return e.endpoint.tooNew(err)
	}
	text := fmt.Sprintf("docker: %s: %s", what, engineText(err))
	switch {
	case cerrdefs.IsNotFound(err):
		return failure(text, errNotFound)
	case cerrdefs.IsConflict(err):
		return failure(text, errConflict)
	case cerrdefs.IsInvalidArgument(err):
		return failure(text, errInvalid)
	}
	return failure(text)
}

// unreachable: no engine, or an answer that was cut off.
func unreachable(err error) bool {
	var network net.Error
	var garbled *json.SyntaxError
	return client.IsErrConnectionFailed(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network) || errors.As(err, &garbled)
}

// engineText is what the engine said, without the SDK's words around it.
func engineText(err error) string {
	return strings.TrimPrefix(err.Error(), "Error response from daemon: ")
}

// portTaken: only the text tells (D1 in the engine's own words: the allocator's, the userland proxy's, Docker Desktop's).
func portTaken(text string) bool {
	return strings.Contains(text, "port is already allocated") ||
		strings.Contains(text, "address already in use") ||
		strings.Contains(text, "ports are not available")
}

// commandCode returns the code a shell would give when the text says that the command could not be run, else 0.
func commandCode(text string) int {
	switch {
	case !strings.Contains(text, "exec") && !strings.Contains(text, "OCI runtime"):
		return 0
	case strings.Contains(text, "executable file not found"), strings.Contains(text, "no such file or directory"):
		return 127
	case strings.Contains(text, "permission denied"), strings.Contains(text, "exec format error"):
		return 126
	}
	return 0
}
