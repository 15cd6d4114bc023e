package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
)

// ErrUnreachable is what Run's error wraps when nothing takes connections at the target. Nothing was sent then.
var ErrUnreachable = errors.New("the target cannot be reached")

// Run makes the load that o asks for, tells observer about it (nil is fine) and reports. It returns when the last request has an
// outcome.
//
// When ctx ends the load ends: nothing more is sent, what is in flight is waited for up to o.Grace, and the report covers what there
// was, with Interrupted set and a nil error. Errors: those of Validate; a trace that cannot be read, with the line; ErrUnreachable.
// A report comes with an error only when a trace broke off while it was played.
//
// Run may be called concurrently, each call being a run of its own.
func Run(ctx context.Context, o Options, observer Observer) (*Report, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	src, plan, err := newSource(o)
	if err != nil {
		return nil, err
	}
	defer src.close()
	if err := reach(ctx, o); err != nil {
		return nil, err
	}
	s, err := newSender(o)
	if err != nil {
		return nil, err
	}
	defer s.close()

	l := newLoad(ctx, o, plan, s, observer)
	defer l.cancel(nil)
	if o.OpenLoop() {
		err = l.openLoop(ctx, src)
		l.settle(ctx)
	} else {
		l.closedLoop(ctx, src)
	}
	interrupted := ctx.Err() != nil
	l.watcher.stop()
	return l.recorder.report(o, plan, interrupted), err
}

// reach makes one connection and drops it, so that a wrong address is one sentence instead of a report full of errors.
func reach(ctx context.Context, o Options) error {
	u, err := url.Parse(o.Target)
	if err != nil {
		return err
	}
	dialing, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := o.Dial(dialing, "tcp", addressOf(u))
	if err == nil {
		return conn.Close()
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the run was told to end before %s was reached: %w", o.Target, context.Cause(ctx))
	}
	return fmt.Errorf("%w: nothing takes connections at %s (%s); is it running, and is the address right?", ErrUnreachable, o.Target, reason(err))
}

// addressOf is what to dial for u.
func addressOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// reason is the innermost part of a dial error, such as "connection refused".
func reason(err error) string {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return dns.Err
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &op) && op.Timeout():
		return "no answer in time"
	case errors.As(err, &op):
		for err = op.Err; errors.Unwrap(err) != nil; {
			err = errors.Unwrap(err)
		}
	}
	return err.Error()
}
