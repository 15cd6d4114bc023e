package balancer

import (
	"errors"
	"io"
	"syscall"
	"time"

	"understudy/fleet"
)

// broke handles an attempt without an answer: whose fault it was decides what becomes of the lease, the worker and the request.
func (a *attempt) broke(err error) (again bool, not *fleet.Worker) {
	x := a.x
	x.service = time.Since(a.began)
	answered := a.wire.answered()
	a.hangUp()
	if p := x.ended(); p != nil {
		x.lease.Release(fleet.Outcome{Kind: fleet.ClientGone})
		x.refuse(p, "")
		return false, nil
	}
	f := a.diagnose(err)
	worker := x.lease.Worker
	x.lease.Release(fleet.Outcome{Kind: fleet.Broke})
	x.b.health.suspect(worker)
	if f.problem != errWorkerTimeout {
		if reason := x.retryReason(&a.wire, answered); reason != "" {
			x.b.recorder.Retry(x.home, reason)
			x.retried, x.broken = true, f
			return true, worker
		}
	}
	x.lost(f)
	x.cause = f.cause
	x.refuse(f.problem, f.detail)
	return false, nil
}

// diagnose puts a failure of the worker into words.
func (a *attempt) diagnose(err error) failure {
	f := failure{problem: errWorkerFailed, cause: err, detail: "The worker " + describe(err, a.wire.tried) + "."}
	if a.late(err) {
		f.problem, f.cause = errWorkerTimeout, errWorkerTimeout
		f.detail = "It had the request for " + a.pool.Timeout.String() + "."
	}
	if a.wire.written() {
		f.lost = a.x.b.lossOf(a.x.lease.Worker)
	}
	return f
}

// lossOf tells whether we were removing the worker when it broke.
func (b *Balancer) lossOf(w *fleet.Worker) string {
	if b.fleet.Leaving(w) {
		return lostScaleDown
	}
	return lostWorkerFailed
}

// describe names what happened without addresses or other bytes that are nobody's business.
func describe(err error, connected bool) string {
	switch {
	case !connected:
		return "could not be reached"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.Is(err, errAbandoned):
		return "closed the connection before it answered"
	case errors.Is(err, errTooManyHints):
		return "sent too many interim answers"
	}
	return "did not give an answer that HTTP allows"
}
