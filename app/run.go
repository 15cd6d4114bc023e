package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"understudy/handover"
)

// Run serves until ctx ends, Quit is called, or another process has taken this one's place. Then it drains, and unless it was replaced it
// removes the workers, or leaves them as on_exit says. It returns once everything has ended. The order of the end: readiness fails, clients are
// served to their end, no worker is started any more, workers go, the admin plane last. Workers that could not be removed are an error.
func (a *App) Run(ctx context.Context) error {
	defer a.release()
	if err := a.succeed(ctx); err != nil {
		return err
	}
	r := a.begin(ctx)
	defer r.stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			a.Log.Info("draining", slog.String("why", context.Cause(ctx).Error()))
		case <-a.quit:
			a.Log.Info("draining", slog.String("why", "asked to quit"))
		case err = <-r.failed:
		case <-a.replacing:
			if r.replace(ctx) {
				return nil
			}
			continue
		}
		return errors.Join(err, r.end())
	}
}

// run is an App between its beginning and its end.
type run struct {
	*servers
	app         *App
	stopWork    context.CancelFunc
	loops       sync.WaitGroup
	stopScaling context.CancelFunc
	scaled      chan struct{} // closed when the scaler has ended
}

// begin starts the loops and opens the doors.
func (a *App) begin(ctx context.Context) *run {
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	scaling, stopScaling := context.WithCancel(work)
	r := &run{app: a, stopWork: stopWork, stopScaling: stopScaling, scaled: make(chan struct{})}
	go func() { defer close(r.scaled); a.scaler.Run(scaling) }()
	for _, loop := range []func(context.Context){
		a.balancer.Health().Run, a.balancer.Members().Run, a.balancer.Registry().Run, a.feed.Run, a.watchConfig, a.watchCertificate, a.Access.Run,
	} {
		r.loops.Go(func() { loop(work) })
	}
	r.servers = a.serve()
	if a.predecessor == nil {
		a.notify("READY=1")
	} else {
		a.predecessor.Tell(handover.Serving) // it tells the service manager, who listens to nobody else yet
	}
	return r
}

// end drains, and removes the workers or leaves them. The error says which it had to leave.
func (r *run) end() error {
	a := r.app
	a.notify("STOPPING=1")
	a.draining.Store(true)
	a.balancer.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), a.drainTime())
	defer cancel()
	r.drain(ctx)
	a.awaitPredecessor(ctx)
	r.stop()
	err := a.leftovers()
	r.closeControl()
	return err
}

// stop ends the loops. It may be repeated.
func (r *run) stop() {
	r.stopScaling()
	<-r.scaled
	r.stopWork()
	r.loops.Wait()
	r.stopStreams()
}

// drainTime is the longest drain time of a pool.
func (a *App) drainTime() time.Duration {
	longest := time.Second
	for _, p := range a.current().Pools {
		longest = max(longest, p.Drain)
	}
	return longest
}

// Replace asks the App to have another process take its place, as SIGUSR2 would. It returns at once; Run ends when that has worked.
func (a *App) Replace() {
	select {
	case a.replacing <- syscall.SIGUSR2:
	default: // it is being done
	}
}

var errQuit = errors.New("asked to quit")
