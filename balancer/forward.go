package balancer

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"understudy/fleet"
)

// attempt is one try at one worker.
type attempt struct {
	x      *exchange
	pool   *poolSettings
	link   *link
	ctx    context.Context
	cancel context.CancelCauseFunc
	wire   wire
	began  time.Time

	limit  time.Duration
	headed atomic.Bool // the response head is there
	watch  *time.Timer // ends the attempt when the worker takes too long; nil: it may take as long as it likes
}

// attempt sends the request to the worker of the lease. It relays the answer, or says that the request must go to another worker (other than
// not). The lease has been released then.
func (x *exchange) attempt() (again bool, not *fleet.Worker) {
	a := &attempt{x: x, pool: x.s.pool(x.lease.Worker.Pool), began: time.Now()}
	link, err := x.b.upstreams.of(x.lease.Worker)
	if err != nil {
		return a.broke(err)
	}
	a.link = link
	link.inflight.Add(1)
	a.ctx, a.cancel = context.WithCancelCause(x.ctx)
	defer a.end()
	resp, err := a.send()
	if err != nil {
		return a.broke(err)
	}
	link.heard.Store(int64(x.b.upstreams.now()))
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		a.switchProtocols(resp)
		return false, nil
	case resp.StatusCode < 200 || resp.StatusCode > 999:
		resp.Body.Close()
		return a.broke(errors.New("it answered with a status that is none"))
	}
	if no := a.declined(resp); no != accepted {
		return a.elsewhere(resp, no), nil
	}
	a.relay(resp)
	return false, nil
}

func (a *attempt) end() {
	if a.watch != nil {
		a.watch.Stop()
	}
	a.cancel(nil)
	a.wire.close()
	a.link.inflight.Add(-1)
}

// send writes the request and waits for the head of the answer.
func (a *attempt) send() (*http.Response, error) {
	x := a.x
	a.wire.hint = x.relayHint
	path := x.target.path
	if a.pool.Strip && x.capability != fleet.Wildcard {
		path = x.target.stripped()
	}
	req := (&http.Request{
		Method: x.r.Method, URL: x.target.at(a.link.host, a.link.prefix, path), Host: x.r.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: x.outgoing(),
	}).WithContext(a.ctx)
	if x.body != nil {
		if err := a.attachBody(req); err != nil {
			return nil, err
		}
	}
	a.limit = a.pool.Timeout
	a.allow(a.limit)
	resp, err := a.link.send(req, &a.wire)
	a.headed.Store(true)
	a.wire.end()
	return resp, err
}

// attachBody lets the request read the body from its beginning. GetBody serves net/http when a connection that was kept open turns out to be
// closed before anything was written on it.
func (a *attempt) attachBody(req *http.Request) error {
	body := a.x.body
	reader := body.newReader()
	if reader == nil {
		return errAbandoned // retries ask first whether the body is whole, so this does not happen
	}
	a.wire.body = reader
	req.Body, req.ContentLength, req.Trailer = reader, body.known, reader.trailer
	req.GetBody = func() (io.ReadCloser, error) {
		next := body.newReader()
		if next == nil {
			return nil, errAbandoned
		}
		next.trailer = reader.trailer
		a.wire.follow(next)
		return next, nil
	}
	return nil
}

// allow gives the worker so much time until its next sign of life; 0: all the time there is.
func (a *attempt) allow(d time.Duration) {
	switch {
	case d <= 0:
		if a.watch != nil {
			a.watch.Stop()
		}
		return
	case a.watch == nil:
		a.watch = time.AfterFunc(math.MaxInt64, a.expire)
	}
	a.watch.Reset(d)
}

// expire runs when the worker's time may be over.
func (a *attempt) expire() {
	if a.headed.Load() {
		a.cancel(errWorkerStalled)
	} else if left := a.x.body.patience(a.limit); left > 0 {
		a.watch.Reset(left)
	} else {
		a.cancel(errWorkerTimeout)
	}
}

// broke handles an attempt without an answer: whose fault it was decides what becomes of the lease, the worker and the request.
func (a *attempt) broke(err error) (again bool, not *fleet.Worker) {
	x := a.x
	x.service = time.Since(a.began)
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
		if reason := x.retryReason(&a.wire); reason != "" {
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
	connected, written, _ := a.wire.facts()
	f := failure{problem: errWorkerFailed, cause: err, detail: "The worker " + describe(err, connected) + "."}
	if written {
		f.lost = a.x.b.lossOf(a.x.lease.Worker)
	}
	if a.ctx == nil {
		return f
	}
	var p *problem
	if errors.As(context.Cause(a.ctx), &p) {
		f.problem, f.cause, f.detail = p, p, "It had the request for "+a.limit.String()+"."
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
