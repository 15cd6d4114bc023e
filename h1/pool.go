package h1

import (
	"context"
	"net"
	"sync"
	"time"
)

// Pool keeps idle connections to one address. The one used last is used next, so that those a busy time left behind grow old and close.
// Methods may be called concurrently. The fields must not change once it is in use.
type Pool struct {
	Dial func(ctx context.Context) (net.Conn, error)
	Idle time.Duration // how long a connection may be idle before it is closed. 0: for ever
	Max  int           // idle connections that are kept. 0: none

	OnStale func() // called by Get for an idle connection that its other side has closed, or on which it talked out of turn. nil: nobody is told

	mu     sync.Mutex
	idle   []*Conn // the oldest first
	closed bool
	sweep  *time.Timer
}

// Get yields an idle connection that is open and quiet, or nil.
func (p *Pool) Get() *Conn {
	for {
		c := p.take()
		if c == nil || c.Quiet() {
			return c
		}
		_ = c.Close()
		if p.OnStale != nil {
			p.OnStale()
		}
	}
}

func (p *Pool) take() *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	c := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return c
}

// New makes a connection.
func (p *Pool) New(ctx context.Context) (*Conn, error) {
	c, err := p.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return NewConn(c), nil
}

// Put gives a connection back. One on which nothing can follow is closed, and so is one too many.
func (p *Pool) Put(c *Conn) {
	if !c.Reusable() || !p.keep(c) {
		_ = c.Close()
	}
}

func (p *Pool) keep(c *Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.Max {
		return false
	}
	if p.Idle > 0 {
		c.idle = time.Now()
		p.plan(p.Idle)
	}
	p.idle = append(p.idle, c)
	return true
}

// plan makes sure that old connections are looked for after d. The caller holds mu.
func (p *Pool) plan(d time.Duration) {
	if p.sweep == nil {
		p.sweep = time.AfterFunc(d, p.expire)
	}
}

// expire closes what has been idle for too long.
func (p *Pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, old := time.Now(), 0
	for old < len(p.idle) && now.Sub(p.idle[old].idle) >= p.Idle {
		_ = p.idle[old].Close()
		old++
	}
	n := copy(p.idle, p.idle[old:])
	clear(p.idle[n:])
	p.idle = p.idle[:n]
	p.sweep = nil
	if n > 0 {
		p.plan(p.Idle - now.Sub(p.idle[0].idle))
	}
}

// CloseIdle closes the connections that are idle now. The pool can be used on.
func (p *Pool) CloseIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

// Close closes the idle connections; those in use are closed when they come back.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.drop()
	if p.sweep != nil {
		p.sweep.Stop()
	}
}

// drop closes what is idle. The caller holds mu.
func (p *Pool) drop() {
	for _, c := range p.idle {
		_ = c.Close()
	}
	p.idle = nil
}
