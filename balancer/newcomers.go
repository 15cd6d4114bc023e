package balancer

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// newcomerGrace is how long a connection that has asked nothing yet may take to do so once the server ends.
const newcomerGrace = time.Second

// newcomers are net/http's connections whose first request has not been served. net/http drops a request whose head is complete only after its
// Shutdown began, without a word; so they are waited for before that.
type newcomers struct {
	mu    sync.Mutex
	set   map[net.Conn]struct{}
	empty chan struct{} // closed when the last is served or gone; nil: nobody waits
}

// follow is net/http's ConnState.
func (n *newcomers) follow(c net.Conn, state http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch state {
	case http.StateActive: // its head has been read, which net/http may still drop
		return
	case http.StateNew:
		if n.set == nil {
			n.set = map[net.Conn]struct{}{}
		}
		n.set[c] = struct{}{}
		return
	}
	delete(n.set, c)
	if len(n.set) == 0 && n.empty != nil {
		close(n.empty)
		n.empty = nil
	}
}

// wait returns when there are none, or their time or ctx's is over.
func (n *newcomers) wait(ctx context.Context) {
	n.mu.Lock()
	if len(n.set) == 0 {
		n.mu.Unlock()
		return
	}
	if n.empty == nil {
		n.empty = make(chan struct{})
	}
	empty := n.empty
	n.mu.Unlock()
	timer := time.NewTimer(newcomerGrace)
	defer timer.Stop()
	select {
	case <-empty:
	case <-timer.C:
	case <-ctx.Done():
	}
}
