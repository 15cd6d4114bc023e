package docker

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/client"
)

// engine is the SDK's client with bounds: each call has a limit in time, and only so many are in flight.
type engine struct {
	endpoint endpoint
	host     string
	version  types.Version // what it said of itself when it was first spoken to
	limits   *limits
	changes  chan struct{} // one slot for each change in flight
	reads    chan struct{} // one slot for each look
	wakes    chan struct{} // one slot for each worker that is being woken

	sdk    atomic.Pointer[client.Client]
	lost   atomic.Bool   // the connection broke: what answers next may be another engine
	renews chan struct{} // one slot
}

func newEngine(api *client.Client, ep endpoint, version types.Version, l *limits) *engine {
	e := &engine{endpoint: ep, host: ep.host, version: version, limits: l,
		changes: make(chan struct{}, l.changes), reads: make(chan struct{}, l.reads),
		wakes: make(chan struct{}, l.wakes), renews: make(chan struct{}, 1)}
	e.sdk.Store(api)
	return e
}

// do makes one call, limited in time, and explains its error. what says in words what is done.
func (e *engine) do(ctx context.Context, limit time.Duration, what string, call func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return e.explain(ctx, what, limit, e.call(limited, call))
}

// read is do for calls that only look; waiting for a slot counts.
func (e *engine) read(ctx context.Context, limit time.Duration, what string, call func(context.Context) error) error {
	return e.do(ctx, limit, what, func(ctx context.Context) error {
		release, err := claim(ctx, e.reads)
		if err != nil {
			return err
		}
		defer release()
		return call(ctx)
	})
}

// change claims a slot for something that changes things at the engine, be it one call or a few in a row.
func (e *engine) change(ctx context.Context, what string) (release func(), err error) {
	release, err = claim(ctx, e.changes)
	if err != nil {
		return nil, fmt.Errorf("docker: %s: %w", what, err)
	}
	return release, nil
}

func claim(ctx context.Context, slots chan struct{}) (release func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
