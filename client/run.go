package client

import "context"

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
