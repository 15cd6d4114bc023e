package balancer

import (
	"io"
	"time"
)

// bodyLinger is how long the server may look for the end of a body nobody wanted.
const bodyLinger = time.Second

// verdictWait bounds the wait for a read that has failed to say so.
const verdictWait = 100 * time.Millisecond

// verdict tells what the client did wrong when the server ended its context. The server does that whenever a read fails, and before the
// reader hears of it, so the pump gets a moment to say which kind of failure it was.
func (b *body) verdict() *problem {
	if b == nil {
		return errClientGone
	}
	b.mu.Lock()
	pumping := b.pumping
	b.mu.Unlock()
	if pumping != nil {
		timer := time.NewTimer(verdictWait)
		defer timer.Stop()
		select {
		case <-pumping:
		case <-timer.C:
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.err.(*problem); ok {
		return p
	}
	return errClientGone
}

// close ends the reading. What the client still sends may be looked at by the server for a moment, so that it sees its answer rather
// than a reset.
func (b *body) close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.stopped = true
	ended, pumping := b.err == io.EOF, b.pumping
	b.changed.Broadcast()
	b.mu.Unlock()
	if !ended {
		_ = b.rc.SetReadDeadline(time.Unix(1, 0)) // wakes the pump, if there is one
	}
	if pumping != nil {
		<-pumping // also one that has ended may be on its last steps in here
	}
	if !ended {
		_ = b.rc.SetReadDeadline(time.Now().Add(bodyLinger))
	}
}
