package client

import "context"

// sender is how requests reach the target: the seam behind which the connection can be exchanged. Its methods may be called
// concurrently.
type sender interface {
	// send makes one request and reads the whole answer, keeping as much of its body as fits into buf. An error means that there was
	// no whole answer. When ctx ends, so does the request, with an error.
	send(ctx context.Context, t task, buf []byte) (answer, error)
	// close lets go of idle connections. Nothing is in flight when it is called.
	close()
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
