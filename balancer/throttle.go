package balancer

import (
	"container/list"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"understudy/config"
)

// mostThrottled bounds the clients that are remembered, and with them the memory: some 20 MB. When it is reached, who was not heard of for
// the longest time is forgotten.
const mostThrottled = 1 << 16

// throttle is a token bucket for each client. Its methods may be called concurrently; each takes the same time for any number of clients.
type throttle struct {
	limit rate.Limit
	burst int
	most  int

	mu      sync.Mutex
	clients map[netip.Addr]*list.Element
	recent  *list.List // of *bucket, the last heard of in front
}

type bucket struct {
	client netip.Addr
	tokens *rate.Limiter
}

// newThrottle yields nil when there is no limit.
func newThrottle(p config.PerClient) *throttle {
	if p.Rate <= 0 {
		return nil
	}
	return &throttle{limit: rate.Limit(p.Rate), burst: p.Most(), most: mostThrottled, clients: map[netip.Addr]*list.Element{}, recent: list.New()}
}

// following is the one to use after a reload: while the limits are the same, nobody's past is forgotten.
func (t *throttle) following(old *throttle) *throttle {
	if t != nil && old != nil && t.limit == old.limit && t.burst == old.burst {
		return old
	}
	return t
}

// take lets one request of a client pass (0), or says when the next one may.
func (t *throttle) take(client netip.Addr, now time.Time) time.Duration {
	client = household(client)
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.clients[client]
	if ok {
		t.recent.MoveToFront(e)
	} else {
		t.makeRoom()
		e = t.recent.PushFront(&bucket{client, rate.NewLimiter(t.limit, t.burst)})
		t.clients[client] = e
	}
	r := e.Value.(*bucket).tokens.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now) // who is refused does not wait, so it takes nothing
	}
	return wait
}

func (t *throttle) makeRoom() {
	if len(t.clients) < t.most {
		return
	}
	last := t.recent.Back()
	delete(t.clients, last.Value.(*bucket).client)
	t.recent.Remove(last)
}

// throttled refuses a request of a client that sends too many. It reports whether it did.
func (x *exchange) throttled() bool {
	if x.s.throttle == nil {
		return false
	}
	wait := x.s.throttle.take(x.peer.client, x.began)
	if wait <= 0 {
		return false
	}
	x.put("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	if x.capability != "" {
		x.b.recorder.Shed(x.home, errTooMany.code)
	}
	x.refuse(errTooMany, "At most "+strconv.FormatFloat(float64(x.s.throttle.limit), 'f', -1, 64)+" per second are taken.")
	return true
}
