package balancer

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// replayMax is how much of a request's body is kept to send it again.
const replayMax = 64 << 10

// body is what the client sends. It is read from the client once, and by the attempts as often as it fits in the buffer. A small one of known
// size is read whole before anything else happens (prefetch); any other is read by one goroutine (pump), never more than the buffer ahead.
type body struct {
	src     io.Reader
	rc      *http.ResponseController
	trailer http.Header // complete once src has ended, and not to be looked at before
	names   []string    // of the trailer's fields that are passed on, as announced
	idle    time.Duration
	limit   int64          // 0: none
	fail    func(*problem) // called when the client does not deliver
	known   int64          // declared size; below 0: not declared
	asks    bool           // the client waits to be asked for it: the first read does
	framed  bool           // it comes by HTTP/2, whose server answers malformed bodies itself: what breaks off is a client that left

	mu      sync.Mutex
	changed sync.Cond
	buf     []byte // what was read, from offset start on
	start   int64  // more than 0: the beginning is gone
	err     error  // why nothing more comes: io.EOF or a *problem
	reader  *bodyReader
	hungry  bool      // the attempt waits for the client
	moved   time.Time // when the attempt last took something
	stopped bool
	pumping chan struct{} // closed when the pump has ended; nil: there is none
}

// keptBody is how much room for a body an exchange keeps for the next one.
const keptBody = 8 << 10

// newBody yields nil for a request without a body.
func (x *exchange) newBody() *body {
	r := x.r
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	b := &x.store
	*b = body{
		src: r.Body, rc: &x.rc, trailer: r.Trailer, known: r.ContentLength, buf: b.buf[:0],
		idle: x.s.Limits.Idle, limit: int64(x.s.Limits.Body), fail: x.fail, asks: x.said.expects, framed: r.ProtoMajor == 2,
	}
	b.changed.L = &b.mu
	if b.known < 0 {
		for name := range r.Trailer {
			if trails(name) {
				b.names = append(b.names, name)
			}
		}
		slices.Sort(b.names)
	}
	return b
}

// spare is room for another body, once nobody reads this one.
func (b *body) spare() []byte {
	if cap(b.buf) > keptBody {
		return nil
	}
	return b.buf[:0]
}

// begin reads a small body whole, and begins to read any other ahead. A client that waits to be asked (Expect: 100-continue) is asked
// when a worker wants the body.
func (b *body) begin(asked bool) error {
	switch {
	case b == nil || asked:
		return nil
	case b.known > 0 && b.known <= replayMax:
		return b.prefetch()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.startPump()
	return nil
}

func (b *body) prefetch() error {
	if int64(cap(b.buf)) <= b.known { // one more, for a source that tells its end late
		b.buf = make([]byte, 0, max(b.known+1, 1<<10))
	}
	for b.err == nil {
		n, err := b.read(b.buf[len(b.buf) : b.known+1])
		b.buf, b.err = b.buf[:len(b.buf)+n], err
	}
	if b.err != io.EOF {
		return b.err
	}
	return nil
}

// read takes what the client has sent, within the limits. Errors are io.EOF or a *problem.
func (b *body) read(p []byte) (int, error) {
	if !b.allow() {
		return 0, errSlowClient // as a Read says that close has ended
	}
	n, err := b.src.Read(p)
	total := b.start + int64(len(b.buf)+n)
	switch {
	case b.limit > 0 && total > b.limit:
		return 0, errTooLarge
	case b.known >= 0 && (total > b.known || err == io.EOF && total < b.known):
		return 0, errMalformed // what it declared is what the worker was told
	}
	if err == io.EOF {
		_ = b.rc.SetReadDeadline(time.Time{}) // from now on the server watches the connection for the client's leaving
	} else if err != nil {
		if err = readProblem(err); err == errMalformed && b.framed {
			err = errClientGone
		}
	}
	return n, err
}

// allow gives the next read its time, unless close has been called. Close sets a limit of its own, and waits for the read to end by it: one that
// took its place would hold the answer back until the client is given up.
func (b *body) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return false
	}
	if b.idle > 0 {
		by := time.Now().Add(b.idle)
		_ = b.rc.SetReadDeadline(by) // fails only where there is no connection to limit
		if b.asks {
			b.asks = false
			_ = b.rc.SetWriteDeadline(by) // what is in force was meant for the answer before
		}
	}
	return true
}

// readProblem tells a client that left from one that is slow and one that talks nonsense.
func readProblem(err error) *problem {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return errSlowClient
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe), errors.Is(err, http.ErrBodyReadAfterClose):
		return errClientGone
	}
	return errMalformed
}

// startPump begins to read ahead. The caller holds mu.
func (b *body) startPump() {
	if b.pumping != nil || b.err != nil || b.stopped {
		return
	}
	b.buf = make([]byte, 0, replayMax)
	b.pumping = make(chan struct{})
	go b.pump(b.pumping)
}

func (b *body) pump(done chan struct{}) {
	defer close(done)
	for {
		room := b.room()
		if room == nil {
			return
		}
		n, err := b.read(room)
		b.mu.Lock()
		b.buf, b.err = b.buf[:len(b.buf)+n], err
		gaveUp := err != nil && err != io.EOF && !b.stopped
		b.changed.Broadcast()
		b.mu.Unlock()
		if p, ok := err.(*problem); ok && gaveUp {
			b.fail(p)
		}
		if err != nil {
			return
		}
	}
}

// room waits until there is space to read into. Only the pump touches the space behind buf, so it is filled without the lock. What the
// attempt has taken is given up only when there is no other space: until then the request can be sent again.
func (b *body) room() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.stopped {
		if len(b.buf) < cap(b.buf) {
			return b.buf[len(b.buf):cap(b.buf)]
		}
		if b.reader != nil && !b.reader.closed && b.reader.off-b.start >= replayMax/2 {
			taken := b.reader.off - b.start
			b.start = b.reader.off
			b.buf = b.buf[:copy(b.buf, b.buf[taken:])]
			continue
		}
		b.changed.Wait()
	}
	return nil
}

// whole yields all of the body, when it was read before anything else happened.
func (b *body) whole() (all []byte, ok bool) {
	if b == nil {
		return nil, true
	}
	if b.pumping != nil || b.err != io.EOF {
		return nil, false
	}
	return b.buf, true
}

// replayable tells whether the body can be sent from its beginning.
func (b *body) replayable() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.start == 0
}

// unread tells whether some of the body may still be on the connection.
func (b *body) unread() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err != io.EOF
}

// patience is how much longer the worker may take for the response head: its time runs from when it last took some of the body, and stands
// still while it waits for the client, whose own limit holds then.
func (b *body) patience(limit time.Duration) time.Duration {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hungry {
		return limit
	}
	return limit - time.Since(b.moved)
}
