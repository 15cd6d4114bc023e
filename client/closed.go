package client

import (
	"context"
	"time"
)

// closedLoop has callers that send back to back until src, the duration or ctx ends, and returns when all they sent has an outcome.
func (l *load) closedLoop(ctx context.Context, src source) {
	sending := ctx
	if l.options.Duration > 0 {
		var cancel context.CancelFunc
		sending, cancel = context.WithTimeout(ctx, l.options.Duration)
		defer cancel()
	}
	for range l.options.Concurrency {
		l.callers.Go(func() { l.callBackToBack(sending, src) })
	}
	l.settle(ctx)
}

// pauseAfterRefusal keeps callers from spinning while nothing listens at the target.
const pauseAfterRefusal = 10 * time.Millisecond

func (l *load) callBackToBack(ctx context.Context, src source) {
	c := l.newCaller(true)
	defer c.leave()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		t, err := src.next()
		if err != nil { // io.EOF: a source without a schedule has no other
			return
		}
		l.inFlight.Add(1)
		r := l.do(t, -1, c)
		l.inFlight.Add(-1)
		if r.Cause == Connect {
			wait(ctx, timer, pauseAfterRefusal)
		}
	}
}
