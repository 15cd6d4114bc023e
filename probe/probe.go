// Package probe asks a worker over HTTP whether it is there. A TCP connection proves nothing: what publishes a container's port accepts
// connections before the worker listens and after it died. Only an answer counts, and where an identity was issued, only the one that carries it.
package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// ErrIdentity says that somebody else answers at the worker's address: an old worker on a port used again, or a stranger.
var ErrIdentity = errors.New("the answer does not carry the identity this worker was given")

// IdentityHeader is where a worker shows the identity it was given.
const IdentityHeader = "X-Understudy-Identity"

// AttemptTimeout bounds one request of Await. It suits callers of Check as well.
const AttemptTimeout = time.Second

const (
	firstPause = 2 * time.Millisecond
	lastPause  = 50 * time.Millisecond
	maxBody    = 64 << 10 // more of an answer is not read
	maxHeader  = 64 << 10
)

// Target is where to ask and what to expect.
type Target struct {
	Address  string // base URL, such as http://127.0.0.1:20000
	Path     string // empty: /
	Lo, Hi   int    // statuses that mean ready, both included; both 0: 200 to 499
	Identity string // empty: whoever answers will do
}

func (t Target) url() string {
	return strings.TrimRight(t.Address, "/") + "/" + strings.TrimLeft(t.Path, "/")
}

// Prober asks. Its methods may be called concurrently.
type Prober struct {
	transport *http.Transport
}

// New makes a Prober. It uses no proxy, follows no redirect, and asks on a fresh connection each time.
func New() *Prober {
	dialer := &net.Dialer{Timeout: AttemptTimeout}
	return newProber(dialer.DialContext)
}

func newProber(dial func(ctx context.Context, network, address string) (net.Conn, error)) *Prober {
	return &Prober{transport: &http.Transport{
		DialContext:            dial,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}}
}

// Check makes one GET request and returns nil when the answer is the expected one. ctx is the only limit in time; a body that has not
// ended when ctx does is no failure, one that breaks off is. The error is one sentence; it wraps ErrIdentity, or the cause in the connection.
func (p *Prober) Check(ctx context.Context, t Target) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url(), nil)
	if err != nil {
		return fmt.Errorf("%q cannot be asked: %w", t.url(), err)
	}
	req.Header.Set("User-Agent", "understudy-probe")
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		cause := plain(err)
		if ctx.Err() != nil {
			cause = reason{"no answer in time", err}
		}
		return fmt.Errorf("GET %s: %w", t.url(), cause)
	}
	defer resp.Body.Close()
	if err := t.judge(resp); err != nil {
		return fmt.Errorf("GET %s: %w", t.url(), err)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, maxBody); err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		return fmt.Errorf("GET %s: the answer broke off: %w", t.url(), plain(err))
	}
	return nil
}

// judge looks at the identity first: what a stranger's status is does not matter.
func (t Target) judge(resp *http.Response) error {
	if t.Identity != "" && resp.Header.Get(IdentityHeader) != t.Identity {
		return ErrIdentity
	}
	lo, hi := t.Lo, t.Hi
	if lo == 0 && hi == 0 {
		lo, hi = 200, 499
	}
	if resp.StatusCode < lo || resp.StatusCode > hi {
		return fmt.Errorf("the status is %d, expected %d to %d", resp.StatusCode, lo, hi)
	}
	return nil
}

// Await asks until the target answers as expected, then makes warmup further successful requests. It asks again 2 ms after the first
// failure and at most 50 ms after later ones; each request may take a second. When ctx ends first, the error is one sentence with the last
// cause; it wraps both that cause and ctx's.
func (p *Prober) Await(ctx context.Context, t Target, warmup int) error {
	var last error
	pause := firstPause
	for wanted := 1 + max(warmup, 0); wanted > 0; {
		err := p.attempt(ctx, t)
		if err == nil {
			wanted--
			continue
		}
		if last == nil || ctx.Err() == nil { // an attempt that ctx cut short tells less than the one before
			last = err
		}
		if !wait(ctx, pause) {
			return fmt.Errorf("not ready: %w (%w)", last, context.Cause(ctx))
		}
		pause = min(pause*3/2, lastPause)
	}
	return nil
}

func (p *Prober) attempt(ctx context.Context, t Target) error {
	ctx, cancel := context.WithTimeout(ctx, AttemptTimeout)
	defer cancel()
	return p.Check(ctx, t)
}

// wait reports false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// reason is a cause in plain words that still unwraps to the cause.
type reason struct {
	words string
	cause error
}

func (r reason) Error() string { return r.words }
func (r reason) Unwrap() error { return r.cause }

// plain puts the usual causes into words.
func plain(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return reason{"nobody listens there (connection refused)", err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe), strings.HasSuffix(err.Error(), "server closed idle connection"):
		// net/http calls a connection idle until its request is written; it has no name for that error
		return reason{"the connection was closed without an answer", err}
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reason{"the connection was reset", err}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return reason{"no answer in time", err}
	}
	return err
}
