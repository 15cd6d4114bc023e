package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"understudy/balancer"
)

// servers are what listens. admin and planner can be closed and opened again.
type servers struct {
	app            *App
	failed         chan error // capacity 3: a listener broke
	public         *balancer.Server
	admin, planner *http.Server
	stopStreams    context.CancelFunc // ends what the admin plane streams
}

func (a *App) serve() *servers {
	s := &servers{app: a, failed: make(chan error, 3), public: a.balancer.Server()}
	s.run(s.public, a.public)
	s.openControl()
	return s
}

// openControl serves the admin plane and the planner listener.
func (s *servers) openControl() {
	a := s.app
	streams, stop := context.WithCancel(context.Background())
	s.stopStreams, s.admin = stop, a.adminServer(streams)
	s.run(s.admin, a.admin)
	if a.planner != nil {
		s.planner = a.plannerServer()
		s.run(s.planner, a.planner)
	}
}

func (s *servers) run(server interface{ Serve(net.Listener) error }, l net.Listener) {
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) && !s.app.handed.Load() {
			select {
			case s.failed <- err:
			default: // another one has ended us already
			}
		}
	}()
}

// closeControl lets the admin plane and the planner listener answer what they have begun, and no more.
func (s *servers) closeControl() {
	s.stopStreams()
	for _, server := range []*http.Server{s.admin, s.planner} {
		if server == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
		cancel()
	}
}

// reopenControl undoes closeControl, with the copies of the sockets that were made before.
func (s *servers) reopenControl(copies map[string]*os.File) error {
	a := s.app
	for name, l := range map[string]*net.Listener{nameAdmin: &a.admin, namePlanner: &a.planner} {
		if copies[name] == nil {
			continue
		}
		again, err := net.FileListener(copies[name])
		if err != nil {
			return err
		}
		*l = again
	}
	s.openControl()
	return nil
}

// drain lets clients finish until ctx ends; who is not done by then is told so.
func (s *servers) drain(ctx context.Context) {
	// Shutdown does not know connections that were upgraded; Wait does.
	if err := errors.Join(s.public.Shutdown(ctx), s.app.balancer.Wait(ctx)); err != nil {
		s.app.balancer.Abort()
		s.public.Close()
	}
}
