package balancer

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"understudy/fleet"
	"understudy/h1"
)

const (
	dialTimeout  = time.Second
	upstreamIdle = 4 * time.Second // below the 5 s after which common servers close a connection: a race with that close costs a POST

	// grudge is how long a worker that closed a connection it was thought to keep gets what cannot be sent twice on new connections only.
	grudge = time.Minute
)

// link is one worker generation as requests see it: where it is, its connections, and what they tell about its health.
type link struct {
	pool         h1.Pool
	host, prefix string
	inflight     atomic.Int32
	heard        atomic.Int64 // when it last answered a request, on the clock of upstreams
	epoch        time.Time
	closed       atomic.Int64 // when it was last found to have closed a connection that was open for the next request; 0: never
}

// disappointed notes that the worker had closed a connection.
func (l *link) disappointed(now time.Time) { l.closed.Store(int64(now.Sub(l.epoch))) }

// fickle tells whether the worker closes connections earlier than we do. Then one that looks open may be closed by the time a request gets there.
func (l *link) fickle(now time.Time) bool {
	last := time.Duration(l.closed.Load())
	return last > 0 && now.Sub(l.epoch)-last < grudge
}

// upstreams has the link of each worker, made on first use and dropped when the worker is gone: another worker on the same port is
// another worker. All methods may be called concurrently.
type upstreams struct {
	fleet *fleet.Fleet
	epoch time.Time
	links sync.Map // of *fleet.Worker to *link
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
}

func (u *upstreams) init(f *fleet.Fleet, epoch time.Time) {
	dialer := &net.Dialer{Timeout: dialTimeout}
	u.fleet, u.epoch, u.dial = f, epoch, dialer.DialContext
}

func (u *upstreams) now() time.Duration { return time.Since(u.epoch) }

// of yields the link to the worker of a lease.
func (u *upstreams) of(w *fleet.Worker) (*link, error) {
	if l, ok := u.links.Load(w); ok {
		return l.(*link), nil
	}
	l, err := u.newLink(w)
	if err != nil {
		return nil, err
	}
	if kept, ok := u.links.LoadOrStore(w, l); ok {
		return kept.(*link), nil
	}
	// A worker that went before the link was stored has no drop to come.
	if now, _, ok := u.fleet.Worker(w.ID); !ok || now != w {
		u.drop(w)
	}
	return l, nil
}

// known yields the link of a worker that has served, or nil.
func (u *upstreams) known(w *fleet.Worker) *link {
	l, ok := u.links.Load(w)
	if !ok {
		return nil
	}
	return l.(*link)
}

func (u *upstreams) newLink(w *fleet.Worker) (*link, error) {
	base, err := url.Parse(w.Address)
	if err != nil || base.Scheme != "http" || base.Host == "" {
		return nil, fmt.Errorf("the address %q of worker %s is not http://host:port", w.Address, w.ID)
	}
	l := &link{host: base.Host, prefix: strings.TrimRight(base.EscapedPath(), "/"), epoch: u.epoch}
	address := base.Host
	if base.Port() == "" {
		address = net.JoinHostPort(base.Hostname(), "80")
	}
	l.pool.Dial = func(ctx context.Context) (net.Conn, error) { return u.dial(ctx, "tcp", address) }
	l.pool.Idle, l.pool.Max = upstreamIdle, w.Concurrency+1
	l.pool.OnStale = func() { l.disappointed(time.Now()) }
	return l, nil
}

// rest closes the idle connections of a worker, which may be paused next. Requests can come for it all the same.
func (u *upstreams) rest(w *fleet.Worker) {
	if l := u.known(w); l != nil {
		l.pool.CloseIdle()
	}
}

// drop forgets a worker and closes its idle connections. Requests that are on their way go on.
func (u *upstreams) drop(w *fleet.Worker) {
	if l, ok := u.links.LoadAndDelete(w); ok {
		l.(*link).pool.Close()
	}
}
