package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// load is one run: what its callers share.
type load struct {
	options  Options
	plan     plan
	sender   sender
	recorder *recorder
	batches  *batches
	watcher  *watcher
	start    time.Time

	// work is the context of the requests. It outlives the one the run was started with, by Grace at most.
	work   context.Context
	cancel context.CancelCauseFunc

	callers  sync.WaitGroup
	made     atomic.Int64 // callers so far
	sent     atomic.Int64
	inFlight atomic.Int64
}

func newLoad(ctx context.Context, o Options, p plan, s sender, observer Observer) *load {
	l := &load{options: o, plan: p, sender: s, recorder: newRecorder(), start: time.Now()}
	l.work, l.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	l.batches = newBatches(l.recorder)
	l.watcher = watch(observer, l.progress)
	return l
}

// elapsed is the time since the start of the run, on the monotonic clock.
func (l *load) elapsed() time.Duration { return time.Since(l.start) }

func (l *load) progress() Progress {
	l.batches.flush()
	return l.recorder.progress(Progress{
		Elapsed: l.elapsed(), Lasts: l.plan.lasts, N: l.plan.requests,
		Sent: int(l.sent.Load()), InFlight: int(l.inFlight.Load()),
	})
}

// do makes one request and records what came of it. intended is when it should have left; negative: now.
func (l *load) do(t task, intended time.Duration, c *caller) Result {
	l.sent.Add(1)
	actual := l.elapsed()
	c.by, c.idle = l.start.Add(actual+l.options.Timeout), actual-c.ended
	if intended < 0 {
		intended = actual
	}
	a, err := l.sender.send(l.work, t, c)
	c.ended = l.elapsed()
	r := Result{
		Capability: t.capability, Intended: intended, Actual: actual, Latency: c.ended - intended, Queue: -1, Service: -1,
	}
	if err != nil {
		r.Cause, r.Detail = classify(l.work, err), printable(inWords(err), detailLength)
	} else {
		r.answered(t, a)
	}
	l.finish(&r, c.number)
	return r
}

// finish hands on what came of a request of the caller of that number.
func (l *load) finish(r *Result, caller int) {
	l.batches.record(caller, r)
	l.watcher.result(r)
}

// newCaller is one that takes a connection for each request, or keeps its own.
func (l *load) newCaller(own bool) *caller {
	return &caller{number: int(l.made.Add(1)), buf: make([]byte, bodyKept), own: own}
}

// settle waits for the callers. Once ctx has ended it waits for Grace, then gives up on what is still in flight.
func (l *load) settle(ctx context.Context) {
	defer l.batches.flush()
	idle := make(chan struct{})
	go func() {
		l.callers.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return
	case <-ctx.Done():
	}
	grace := time.NewTimer(l.options.Grace)
	defer grace.Stop()
	select {
	case <-idle:
	case <-grace.C:
		l.cancel(errInterrupted)
		<-idle
	}
}

// wait sleeps on timer until d has passed or ctx has ended, and tells whether it was the time. timer is reused, stopped or not.
func wait(ctx context.Context, timer *time.Timer, d time.Duration) bool {
	timer.Reset(d)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
