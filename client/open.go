package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// openLoop sends every request of src at its time, however many are still in flight. It returns when the schedule or ctx has ended,
// or with an error when the schedule cannot be read on.
//
// Idle callers are reused before one more is started: their stacks have already grown. A request never waits for a caller.
func (l *load) openLoop(ctx context.Context, src source) error {
	idle := make(chan task) // unbuffered: a send succeeds only when a caller is waiting
	defer close(idle)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		t, err := src.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if early := t.at - l.elapsed(); early > 0 && !wait(ctx, timer, early) {
			return nil
		}
		l.launch(t, idle)
	}
	return nil
}

func (l *load) launch(t task, idle chan task) {
	if l.inFlight.Load() >= int64(l.options.MaxInFlight) {
		now := l.elapsed()
		l.finish(&Result{
			Capability: t.capability, Intended: t.at, Actual: now, Latency: now - t.at, Cause: Overload, Queue: -1, Service: -1,
			Detail: fmt.Sprintf("not sent, because %d requests were in flight already", l.options.MaxInFlight),
		}, 0)
		return
	}
	l.inFlight.Add(1)
	select {
	case idle <- t:
	default:
		l.callers.Go(func() { l.callOnSchedule(t, idle) })
	}
}

// callOnSchedule makes t, then whatever else it is given, until there is nothing more to come.
func (l *load) callOnSchedule(t task, idle <-chan task) {
	c := l.newCaller(false)
	for more := true; more; t, more = <-idle {
		l.do(t, t.at, c)
		l.inFlight.Add(-1)
	}
}
