package balancer

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"understudy/fleet"
	"understudy/h1"
)

// relayHint passes an interim answer on: early hints and "processing", which are meant for the client. Not while the server may be about to
// write 100 Continue, which it does without asking.
func (x *exchange) relayHint(resp *h1.Response) {
	if resp.Status != http.StatusEarlyHints && resp.Status != http.StatusProcessing || !x.r.ProtoAtLeast(1, 1) || x.said.expects {
		return
	}
	x.hurry(time.Now()) // what is in force was meant for the answer before, and a client that does not read must not keep the worker
	h := x.w.Header()
	x.out = appendAnswer(x.out[:0], resp.Fields)
	setFields(h, x.out)
	x.out = x.out[:0]
	x.w.WriteHeader(resp.Status)
	clear(h)
}

// relay passes the answer on as it comes. Once it has begun there is no way to say that something went wrong but to break it off.
func (a *attempt) relay(resp *h1.Response, now time.Time) {
	x := a.x
	x.leave(false, now)
	x.out = appendAnswer(x.out, resp.Fields)
	for value := range resp.Fields.Values("Trailer") {
		for name := range strings.SplitSeq(value, ",") {
			if name = trim(name); trails(name) {
				x.put("Trailer", name)
			}
		}
	}
	x.reply(resp.Status, resp.Length)
	if !resp.Body {
		a.served()
		return
	}
	a.stream(resp.Length >= 0)
	for _, f := range a.trailer {
		if trails(f.Name) {
			x.w.Header().Add(http.TrailerPrefix+f.Name, f.Value)
		}
	}
}

// served frees the worker, and the connection before it: whoever gets the worker next can use it.
func (a *attempt) served() {
	a.done()
	a.x.lease.Release(fleet.Outcome{Kind: fleet.Served})
}

// stream copies the body. The worker is free as soon as its last byte is here, however slow the client reads.
func (a *attempt) stream(known bool) {
	x := a.x
	buf := x.b.buffers.Get().(*[]byte)
	defer x.b.buffers.Put(buf)
	flushed := false
	for {
		wait := len(a.early) == 0 && a.wire.conn.Buffered() == 0
		if wait && !known && !flushed {
			flushed = true
			_ = x.rc.Flush() // nobody knows when the first bytes come
		}
		n, err := a.read(*buf, wait || !known)
		if err == io.EOF {
			a.served()
			if len(a.trailer) > 0 && !flushed {
				_ = x.rc.Flush() // or net/http would count the bytes, and have no place for a trailer
			}
		}
		if wait || flushed {
			x.hurry(time.Now())
		}
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
		flushed = true
	}
}

// read reads some of the answer's body, within the time the worker has for it. What was looked at before comes first.
func (a *attempt) read(p []byte, bounded bool) (n int, err error) {
	if len(a.early) > 0 || a.earlyErr != nil {
		n, a.early = copy(p, a.early), a.early[:0]
		return n, a.earlyErr
	}
	if bounded {
		a.allowPiece()
	}
	return a.wire.conn.Read(p)
}

// allowPiece gives the worker the idle time for the next piece. The time the client takes is not the worker's.
func (a *attempt) allowPiece() {
	a.until = time.Time{}
	if a.pool.IdleTimeout > 0 {
		a.until = time.Now().Add(a.pool.IdleTimeout)
	}
	a.allow(a.wire.upload == nil)
}

// pass writes one piece to the client. More to come means that this one must not wait for the next.
func (x *exchange) pass(piece []byte, more bool) bool {
	n, err := x.w.Write(piece)
	x.sent += int64(n)
	if err != nil {
		return false
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
	p := errWorkerFailed
	if a.late(err) {
		p = errWorkerStalled
		err = errors.Join(p, err)
	}
	x.status, x.cause = p.status, err
	x.lease.Release(fleet.Outcome{Kind: fleet.Broke})
	x.b.recorder.Lost(x.home, x.b.lossOf(x.lease.Worker))
	x.b.health.suspect(x.lease.Worker)
	panic(http.ErrAbortHandler)
}
