package client

import (
	"context"
	"fmt"
	"time"

	"understudy/h1"
)

// sender is how requests reach the target: the seam behind which the connection can be exchanged. Its methods may be called
// concurrently.
type sender interface {
	// send makes one request and reads the whole answer, keeping as much of its body as fits into c.buf. An error means that there was
	// no whole answer by c.by. When ctx ends, so does the request, with an error. ctx is the same for all requests of a run, and c in
	// the hands of one goroutine.
	send(ctx context.Context, t task, c *caller) (answer, error)
	// close lets go of idle connections. Nothing is in flight when it is called.
	close()
}

// newSender is the sender for the target of o, which has its defaults and is valid.
func newSender(o Options) (sender, error) {
	base, err := parseBase(o.Target)
	if err != nil {
		return nil, err
	}
	if base.Scheme == "https" {
		return newHTTPSender(o, base), nil
	}
	return newPlainSender(o, base), nil
}

// caller is what a goroutine that makes requests has for itself.
type caller struct {
	number int
	buf    []byte   // for the beginning of an answer's body
	own    bool     // it keeps its connection
	kept   *h1.Conn // that, or nil

	by    time.Time     // when the request at hand must have its answer
	idle  time.Duration // between its last request's outcome and this one
	ended time.Duration // when its last request had its outcome, from the start of the run
}

// leave lets go of the caller's connection.
func (c *caller) leave() {
	if c.kept != nil {
		_ = c.kept.Close() // nothing is under way on it
		c.kept = nil
	}
}

// answer is what came back, as far as the client looks at it.
type answer struct {
	status int
	worker string // X-Understudy-Worker
	start  string // X-Understudy-Start
	timing string // Server-Timing
	body   []byte // the beginning of the body; valid until buf is used again
}

// bodyKept is how much of an answer's body is kept: enough for the result of a sum and for a sample of an error.
const bodyKept = 1024

// lateError says that a request's own time ran out. It is a net.Error.
type lateError struct{ after time.Duration }

func (e lateError) Error() string { return fmt.Sprintf("no whole answer within %v", e.after) }
func (lateError) Timeout() bool   { return true }
func (lateError) Temporary() bool { return false }
