package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"understudy/balancer"
)

// Run serves until ctx ends or Quit is called, then drains and removes the workers, or leaves them as on_exit says. It returns once
// everything has ended. The order of the end: readiness fails, clients are served to their end, no worker is started any more, workers go, the
// admin plane last.
func (a *App) Run(ctx context.Context) error {
	defer a.release()
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	failed := make(chan error, 3)
	servers := a.serve(work, failed)

	var loops sync.WaitGroup
	scaling, stopScaling := context.WithCancel(work)
	defer stopScaling()
	scaled := make(chan struct{})
	go func() { defer close(scaled); a.scaler.Run(scaling) }()
	for _, loop := range []func(context.Context){a.balancer.Health().Run, a.balancer.Members().Run, a.balancer.Registry().Run, a.watchConfig, a.watchCertificate} {
		loops.Go(func() { loop(work) })
	}

	var err error
	select {
	case <-ctx.Done():
		a.Log.Info("draining", slog.String("why", context.Cause(ctx).Error()))
	case <-a.quit:
		a.Log.Info("draining", slog.String("why", "asked to quit"))
	case err = <-failed:
	}
	a.draining.Store(true)
	a.drain(servers.public)
	stopScaling()
	<-scaled
	stopWork()
	loops.Wait()
	a.close(servers.admin, servers.planner)
	return err
}

type servers struct {
	public         *balancer.Server
	admin, planner *http.Server
}

func (a *App) serve(work context.Context, failed chan<- error) servers {
	s := servers{public: a.balancer.Server(), admin: a.adminServer(work)}
	run := func(server interface{ Serve(net.Listener) error }, l net.Listener) {
		go func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		}()
	}
	run(s.public, a.public)
	run(s.admin, a.admin)
	if a.planner != nil {
		s.planner = a.plannerServer()
		run(s.planner, a.planner)
	}
	return s
}

// drain lets clients finish, up to the longest drain time of a pool; who is not done by then is told so.
func (a *App) drain(public *balancer.Server) {
	a.balancer.Drain()
	deadline := time.Second
	for _, p := range a.current().Pools {
		deadline = max(deadline, p.Drain)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	// Shutdown does not know connections that were upgraded; Wait does.
	if err := errors.Join(public.Shutdown(ctx), a.balancer.Wait(ctx)); err != nil {
		a.balancer.Abort()
		public.Close()
	}
}

func (a *App) close(list ...*http.Server) {
	for _, s := range list {
		if s == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
		cancel()
	}
}
