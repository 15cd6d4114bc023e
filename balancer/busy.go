package balancer

import (
	"bytes"
	"io"
	"net/http"

	"understudy/fleet"
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
func (a *attempt) declined(resp *http.Response) verdict {
	w := a.x.lease.Worker
	registered := w.Origin == fleet.Registered
	switch {
	case a.pool.BusyStatus != 0 && resp.StatusCode == a.pool.BusyStatus:
		return busy
	case resp.StatusCode == http.StatusForbidden && (registered || w.Origin.Ours() && a.pool.builtIn) && saysBusy(resp):
		return busy
	case resp.StatusCode == http.StatusNotFound && registered && len(w.Capabilities) == 0:
		return lacks
	}
	return accepted
}

// saysBusy looks at the beginning of the body and puts it back.
func saysBusy(resp *http.Response) bool {
	const most = len(alreadyWorking) + 8 // a line end and the like
	if resp.ContentLength > int64(most) {
		return false
	}
	seen := make([]byte, most)
	n, err := io.ReadFull(resp.Body, seen)
	seen = seen[:n]
	rest := io.Reader(resp.Body)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		rest = failing{err}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(seen), rest), resp.Body}
	return n < most && string(bytes.TrimSpace(seen)) == alreadyWorking
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// elsewhere gives a request that was not begun back, to be sent to another worker. It reports false when that cannot be done, and the client
// has been told so.
func (a *attempt) elsewhere(resp *http.Response, why verdict) (again bool) {
	x := a.x
	_, _ = io.CopyN(io.Discard, resp.Body, drainAnswer) // only for the connection's sake
	resp.Body.Close()
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

// maxBounces is twice the workers there are: each may be asked once more after its pause. A request for one of a few workers may ask more
// often; then its time in the queue is the limit.
func (b *Balancer) maxBounces() int {
	return max(leastBounces, 2*len(b.fleet.Workers(fleet.Active, fleet.Spare)))
}
