package h1

import (
	"sync"
	"time"
)

// watchEvery is how often requests in service are looked after: a client that leaves is noticed within twice that.
const watchEvery = 50 * time.Millisecond

// watch makes sure that somebody looks after the requests in service. Short ones, which are most, end before anybody looks, and cost nothing.
func (s *Server) watch() {
	if !s.watching.Load() && s.watching.CompareAndSwap(false, true) {
		time.AfterFunc(watchEvery, s.look)
	}
}

// look ends the context of every request whose client has left. It goes on as long as there is a request in service.
func (s *Server) look() {
	s.watching.Store(false) // a request that begins from here on plans the next look itself
	s.mu.Lock()
	defer s.mu.Unlock()
	any := false
	for c := range s.conns {
		n := c.serving.Load()
		if n == 0 {
			continue
		}
		any = true
		if c.looked == n && c.probe.state() == hungUp && c.serving.Load() == n {
			c.leave()
		}
		c.looked = n
	}
	if any {
		s.watch()
	}
}

// departure is what a handler wants to be told when its client leaves.
type departure struct {
	mu   sync.Mutex
	left bool
	tell func()
}

// leave notes that the client has left, and tells whoever wants to know.
func (c *serverConn) leave() {
	c.cancel()
	d := &c.departure
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = true
	if d.tell != nil {
		d.tell()
	}
}

func (w *response) OnGone(f func()) {
	d := &w.c.departure
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell = f
	if d.left && f != nil {
		f()
	}
}
