package balancer

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"understudy/fleet"
)

const (
	dialTimeout     = time.Second
	upstreamIdle    = 4 * time.Second // below the 5 s after which common servers close a connection: a race with that close costs a POST
	maxAnswerHeader = 64 << 10
)

// upstream is the connections to one worker. send writes one request and reads the head of its answer; what is known of the attempt is in
// wire, also when it fails. The body of the answer must be closed.
type upstream interface {
	send(req *http.Request, w *wire) (*http.Response, error)
	close() // idle connections at once, others when their request has ended
}

// link is one worker generation as requests see it: where it is, its connections, and what they tell about its health.
type link struct {
	upstream
	host, prefix string
	inflight     atomic.Int32
	heard        atomic.Int64 // when it last answered a request, on the clock of upstreams
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
	return &link{
		upstream: newTransport(u.dial, w.Concurrency),
		host:     base.Host,
		prefix:   strings.TrimRight(base.EscapedPath(), "/"),
	}, nil
}

// drop forgets a worker and closes its idle connections. Requests that are on their way go on.
func (u *upstreams) drop(w *fleet.Worker) {
	if l, ok := u.links.LoadAndDelete(w); ok {
		l.(*link).close()
	}
}

// transport is an upstream on net/http.
type transport struct {
	http.Transport
}

func newTransport(dial func(context.Context, string, string) (net.Conn, error), concurrency int) *transport {
	t := &transport{}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return newWorkerConn(c), nil
	}
	t.DisableCompression = true
	t.MaxIdleConnsPerHost = concurrency + 1
	t.IdleConnTimeout = upstreamIdle
	t.MaxResponseHeaderBytes = maxAnswerHeader
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	return t
}

func (t *transport) send(req *http.Request, w *wire) (*http.Response, error) {
	return t.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), w.trace())))
}

func (t *transport) close() { t.CloseIdleConnections() }
