package balancer

import (
	"context"
	"sync"
	"sync/atomic"
)

// cut ends an exchange from outside: its client leaves or does not deliver its body, or everything is aborted. Whatever the exchange waits for
// at that moment ends with it.
type cut struct {
	done atomic.Bool

	mu     sync.Mutex
	why    *problem                // the first reason
	using  aborter                 // what the exchange reads from or writes to
	cancel context.CancelCauseFunc // of the context it waits on
}

// aborter is something that can be ended while somebody else uses it.
type aborter interface{ Abort() }

// cutShort may be called by anybody, as often as they like: the first reason counts.
func (x *exchange) cutShort(why *problem) {
	c := &x.cut
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return
	}
	c.why = why
	c.done.Store(true)
	if c.using != nil {
		c.using.Abort()
	}
	if c.cancel != nil {
		c.cancel(why)
	}
}

// use says what is to be aborted when the exchange is cut short.
func (c *cut) use(a aborter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.using = a
	if c.why != nil {
		a.Abort()
	}
}

// letGo ends the use. It reports whether nothing was aborted.
func (c *cut) letGo() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.using = nil
	return c.why == nil
}

func (c *cut) reason() *problem {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// context is for what waits on one: it ends when the exchange is cut short. Most exchanges never need it.
func (x *exchange) context() context.Context {
	if x.ctx != nil {
		return x.ctx
	}
	c := &x.cut
	c.mu.Lock()
	defer c.mu.Unlock()
	x.ctx, c.cancel = context.WithCancelCause(x.r.Context())
	if c.why != nil {
		c.cancel(c.why)
	}
	return x.ctx
}

// ended tells why the exchange was cut short, or nil when it was not. No worker is to blame then.
func (x *exchange) ended() *problem {
	switch p := x.cut.reason(); {
	case p == nil && x.r.Context().Err() == nil:
		return nil
	case p == nil, p == errClientGone:
		return x.body.verdict()
	default:
		return p
	}
}
