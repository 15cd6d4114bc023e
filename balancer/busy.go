package balancer

import (
	"bytes"
	"io"
	"net/http"

	"understudy/fleet"
	"understudy/h1"
)

// verdict is what an answer says about whether the worker took the request.
type verdict int

const (
	accepted verdict = iota
	busy             // did not begin: it has something else to do
	lacks            // did not begin: it cannot do this
)

const (
	alreadyWorking = "Already working" // the planner protocol's word for busy, with status 403
	leastBounces   = 8                 // so many times a request may be declined, however few workers there are
	drainAnswer    = 4 << 10           // what is read of an answer nobody gets, so that its connection can be used again
)

// declined reads the planner protocol: 403 `Already working` is busy for the built-in worker and for workers that registered, 404 is lacks
// for workers that registered without saying what they can do, and a pool's busy_status is busy for anybody. For everybody else these are
// ordinary answers.
func (a *attempt) declined(resp *h1.Response) verdict {
	w := a.x.lease.Worker
	registered := w.Origin == fleet.Registered
	switch {
	case a.pool.BusyStatus != 0 && resp.Status == a.pool.BusyStatus:
		return busy
	case resp.Status == http.StatusForbidden && (registered || w.Origin.Ours() && a.pool.of(w).builtIn) && a.saysBusy(resp):
		return busy
	case resp.Status == http.StatusNotFound && registered && len(w.Capabilities) == 0:
		return lacks
	}
	return accepted
}

// saysBusy looks at the beginning of the body, and keeps it.
func (a *attempt) saysBusy(resp *h1.Response) bool {
	if resp.Length > int64(len(a.peeked)) {
		return false
	}
	seen := a.peeked[:0]
	var err error
	for err == nil && len(seen) < len(a.peeked) {
		a.allowPiece()
		var n int
		n, err = a.wire.conn.Read(a.peeked[len(seen):])
		seen = a.peeked[:len(seen)+n]
	}
	a.early, a.earlyErr = seen, err
	return err == io.EOF && string(bytes.TrimSpace(seen)) == alreadyWorking
}

// elsewhere gives a request that was not begun back, to be sent to another worker. It reports false when that cannot be done, and the client
// has been told so.
func (a *attempt) elsewhere(why verdict) (again bool) {
	x := a.x
	a.drain()
	reason := retryBusy
	if why == lacks {
		reason = retryLacks
		x.lease.Lacks()
	} else {
		x.lease.Release(fleet.Outcome{Kind: fleet.Busy})
	}
	x.bounces++
	switch {
	case !x.body.replayable():
		x.refuse(errWorkerBusy, "The worker did not take the request, and its body is too large to be sent to another one.")
		return false
	case x.bounces >= x.b.maxBounces():
		x.refuse(errWorkerBusy, "Every worker that was asked had something else to do.")
		return false
	}
	x.b.recorder.Retry(x.home, reason)
	return true
}

// drain reads what is left of an answer that nobody gets, so that its connection can be used again. One that is long is not worth that.
func (a *attempt) drain() {
	var buf [512]byte
	for left := drainAnswer; left > 0; {
		n, err := a.read(buf[:], true)
		left -= n
		switch {
		case err == io.EOF:
			a.done()
			return
		case err != nil:
			left = 0
		}
	}
	a.hangUp()
}

// maxBounces is twice the workers there are: each may be asked once more after its pause. A request for one of a few workers may ask more
// often; then its time in the queue is the limit.
func (b *Balancer) maxBounces() int {
	return max(leastBounces, 2*len(b.fleet.Workers(fleet.Active, fleet.Spare)))
}
