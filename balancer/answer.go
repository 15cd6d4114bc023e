package balancer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"understudy/fleet"
)

// relayHint passes an interim answer on: early hints and "processing", which are meant for the client. It is not called once the answer
// itself is there. Not while the server may be about to write 100 Continue, which it does without asking.
func (x *exchange) relayHint(code int, header http.Header) {
	if code != http.StatusEarlyHints && code != http.StatusProcessing || !x.r.ProtoAtLeast(1, 1) || x.r.Header["Expect"] != nil {
		return
	}
	h := x.w.Header()
	copyAnswer(h, header)
	x.w.WriteHeader(code)
	clear(h)
}

// relay passes the answer on as it comes. Once it has begun there is no way to say that something went wrong but to break it off.
func (a *attempt) relay(resp *http.Response) {
	x := a.x
	defer resp.Body.Close()
	x.service = time.Since(a.began)
	h := x.w.Header()
	copyAnswer(h, resp.Header)
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // or net/http guesses one
	}
	for name := range resp.Trailer {
		h.Add("Trailer", name)
	}
	announced := len(resp.Trailer)
	x.leave(h)
	x.status = resp.StatusCode
	x.w.WriteHeader(resp.StatusCode)
	a.stream(resp)
	if len(resp.Trailer) > 0 {
		copyTrailer(h, resp.Trailer, announced == len(resp.Trailer))
	}
}

// copyTrailer hands over the fields after the body; those that were not announced need a prefix to be told from the header.
func copyTrailer(h, trailer http.Header, announced bool) {
	for name, values := range trailer {
		if strings.HasPrefix(name, ours) {
			continue
		}
		if !announced {
			name = http.TrailerPrefix + name
		}
		h[name] = values
	}
}

// stream copies the body. The worker is free as soon as its last byte is here, however slow the client reads.
func (a *attempt) stream(resp *http.Response) {
	x := a.x
	if resp.ContentLength < 0 && resp.Body != http.NoBody && x.r.Method != http.MethodHead {
		_ = x.rc.Flush() // nobody knows when the first bytes come
	}
	buf := x.b.buffers.Get().(*[]byte)
	defer x.b.buffers.Put(buf)
	for {
		a.allow(a.pool.IdleTimeout)
		n, err := resp.Body.Read(*buf)
		if err == io.EOF {
			x.lease.Release(fleet.Outcome{Kind: fleet.Served})
		} else {
			a.allow(0) // the time the client takes is not the worker's
		}
		x.hurry()
		if n > 0 && !x.pass((*buf)[:n], err == nil) {
			x.lease.Release(fleet.Outcome{Kind: fleet.ClientGone})
			x.status, x.cause = statusClientGone, errClientGone
			panic(http.ErrAbortHandler)
		}
		switch {
		case err == io.EOF:
			return
		case err != nil:
			a.breakOff(err)
		}
	}
}

// pass writes one piece to the client. More to come means that this one must not wait for the next.
func (x *exchange) pass(piece []byte, more bool) bool {
	if _, err := x.w.Write(piece); err != nil {
		return errors.Is(err, http.ErrBodyNotAllowed) // a body where none may be: the client does not get it
	}
	if more {
		_ = x.rc.Flush() // the next write fails when this does
	}
	return true
}

// breakOff ends an answer that has begun and cannot be completed. The client must not take it for a whole one.
func (a *attempt) breakOff(err error) {
	x := a.x
	if p := x.ended(); p != nil {
		x.lease.Release(fleet.Outcome{Kind: fleet.ClientGone})
		x.status, x.cause = p.status, p
		panic(http.ErrAbortHandler)
	}
	var p *problem
	if !errors.As(context.Cause(a.ctx), &p) {
		p = errWorkerFailed
	}
	x.status, x.cause = p.status, err
	x.lease.Release(fleet.Outcome{Kind: fleet.Broke})
	x.b.recorder.Lost(x.home, x.b.lossOf(x.lease.Worker))
	x.b.health.suspect(x.lease.Worker)
	panic(http.ErrAbortHandler)
}
