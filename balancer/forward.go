package balancer

import (
	"time"

	"understudy/fleet"
	"understudy/h1"
)

// attempt is one try at one worker, by the goroutine that serves the exchange.
type attempt struct {
	x    *exchange
	pool *poolSettings
	link *link
	wire wire

	began time.Time
	until time.Time // the worker has until then to answer; zero: as long as it likes
	hints int       // interim answers so far

	status int   // the worker's answer, for the trace; 0: none
	err    error // why

	peeked   [len(alreadyWorking) + 8]byte
	early    []byte // of the answer's body, looked at already
	earlyErr error  // what came behind that
	trailer  h1.Fields
}

// attempt sends the request to the worker of the lease. It relays the answer, or says that the request must go to another worker (other than
// not). The lease has been released then.
func (x *exchange) attempt(now time.Time) (again bool, not *fleet.Worker) {
	a := &x.try
	*a = attempt{x: x, pool: x.s.pool(x.lease.Worker.Pool), began: now}
	link, err := x.b.upstreams.of(x.lease.Worker)
	if err != nil {
		return a.broke(err)
	}
	a.link = link
	link.inflight.Add(1)
	defer a.end()
	a.traceAsk()
	resp, err := a.ask()
	if err != nil {
		a.err = err
		return a.broke(err)
	}
	now = time.Now()
	a.status, x.service = resp.Status, now.Sub(a.began)
	link.heard.Store(int64(now.Sub(x.b.upstreams.epoch)))
	if resp.Status == 101 {
		a.switchProtocols(resp)
		return false, nil
	}
	if no := a.declined(resp); no != accepted {
		return a.elsewhere(no), nil
	}
	a.relay(resp, now)
	return false, nil
}

func (a *attempt) end() {
	a.hangUp()
	a.link.inflight.Add(-1)
	a.traceAsked()
}

// ask gets the head of the answer. A connection that was kept open may have been closed by the worker in the moment it is used again. That
// says nothing about the worker: the request goes on a new one to the same worker, once, where that cannot do it twice.
func (a *attempt) ask() (*h1.Response, error) {
	x := a.x
	for again := false; ; again = true {
		if err := a.connect(again); err != nil {
			a.wire.tried = false
			return nil, err
		}
		resp, err := a.converse()
		if err == nil || again || !a.wire.reused || a.wire.answered() || a.late(err) || x.cut.done.Load() {
			return resp, err
		}
		a.link.disappointed(time.Now())
		a.hangUp() // from then on nothing of the body is given up: nobody takes any
		if a.wire.written() && !x.repeatable() || !x.body.replayable() {
			return nil, err
		}
	}
}

// connect takes a connection that is open, or makes one. What cannot be sent twice goes on a new one where those that are open have proved
// to be closed too often.
func (a *attempt) connect(fresh bool) error {
	x, pool := a.x, &a.link.pool
	var c *h1.Conn
	if !fresh && (x.repeatable() || !a.link.fickle(a.began)) {
		c = pool.Get()
	}
	reused := c != nil
	if !reused {
		var err error
		if c, err = pool.New(x.context()); err != nil {
			return err
		}
	}
	a.wire.take(c, reused)
	x.cut.use(c)
	return nil
}

// converse sends the request, and reads until the head of the answer. A worker may answer before it has read everything, and close then: its
// answer counts, however the sending went.
func (a *attempt) converse() (*h1.Response, error) {
	c := a.wire.conn
	a.until = time.Time{}
	if a.pool.Timeout > 0 {
		a.until = a.began.Add(a.pool.Timeout)
	}
	request, whole := a.appendRequest(c.Scratch())
	if !whole {
		c.Limit(time.Time{})
	}
	a.allow(whole)
	n, err := c.Write(request)
	c.KeepScratch(request)
	switch {
	case n == 0 && err != nil:
		return nil, err
	case err != nil:
		a.wire.spoiled = true
	case !whole:
		if err := a.startUpload(); err != nil {
			return nil, err
		}
	}
	resp, failed := a.head()
	if failed != nil && err != nil && !a.wire.answered() {
		failed = err // says more than that nothing came
	}
	return resp, failed
}

// appendRequest builds the request, with its body if that is here as a whole. What it is sent behind must go out at once: one write.
func (a *attempt) appendRequest(b []byte) (request []byte, whole bool) {
	x := a.x
	b = x.appendHead(b, a.link, a.pool.Strip && x.capability != fleet.Wildcard)
	payload, whole := x.body.whole()
	b = x.appendFraming(b)
	return append(b, payload...), whole
}

// allow holds the worker to its time. Where only the answer is waited for, sending is bounded too.
func (a *attempt) allow(whole bool) {
	if whole {
		a.wire.conn.Limit(a.until)
	} else {
		_ = a.wire.conn.SetReadDeadline(a.until) // fails only when it is closed, which the next use tells
	}
}

// head reads until the answer itself, past interim ones.
func (a *attempt) head() (*h1.Response, error) {
	for {
		resp, err := a.wire.conn.ReadResponse(a.x.r.Method)
		switch {
		case err != nil:
			if a.late(err) && a.patient() {
				continue
			}
			return nil, err
		case resp.Status == 101, resp.Status >= 200:
			return resp, nil
		}
		if a.hints++; a.hints > maxHints {
			return nil, errTooManyHints
		}
		a.x.relayHint(resp)
	}
}

// patient gives a worker the time that is left to it after all: it runs from when the worker last took some of the body, and stands still
// while it waits for the client.
func (a *attempt) patient() bool {
	if a.x.cut.done.Load() {
		return false
	}
	left := time.Until(a.until)
	if a.wire.upload != nil {
		left = max(left, a.x.body.patience(a.pool.Timeout))
	}
	if left <= 0 {
		return false
	}
	a.until = time.Now().Add(left)
	if a.wire.upload == nil {
		a.wire.conn.Limit(time.Time{}) // or the one that has passed would be left where it is, being near
	}
	a.allow(a.wire.upload == nil)
	return true
}
