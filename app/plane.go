package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"understudy/admin"
	"understudy/balancer"
	"understudy/config"
	"understudy/fleet"
	"understudy/metrics"
	"understudy/probe"
)

// buildBalancer makes the data plane and what is beside it.
func (a *App) buildBalancer(prober *probe.Prober) error {
	o := balancer.Options{Fleet: a.fleet, Config: a.Config, Log: a.Log, Access: a.Access, Recorder: a.metrics, Prober: prober}
	if a.Tracing != nil {
		o.Tracer = a.Tracing
	}
	a.balancer = balancer.New(o)
	return a.balancer.LoadCertificate(a.Config.TLS)
}

// view is what there is to be seen of the App.
func (a *App) view() admin.Options {
	return admin.Options{
		Fleet: a.fleet, Ports: a.ports, Journal: a.journal, Goals: a.goals, Troubles: a.scaler.Trouble, Exits: a.scaler.LastExit, Rollouts: a.scaler.Rollout, Images: a.scaler.Image, Ready: a.readiness, Engine: a.scaler.Engine,
		Publish: a.Config.Publish, Instance: a.Config.Instance, Driver: a.driver.Name(), Version: a.Version, Start: a.started,
	}
}

// outdated counts the workers of a pool that are to be replaced.
func (a *App) outdated(pool string) int {
	r, _ := a.scaler.Rollout(pool)
	return r.Outdated
}

// adminServer is the plane through which a person watches and steers. Its streams end when stop does.
func (a *App) adminServer(stop context.Context) *http.Server {
	host, _, _ := net.SplitHostPort(a.Config.Admin)
	registry := a.balancer.Registry()
	o := a.view()
	o.Quit, o.Drain, o.Logs, o.Register, o.Workers = a.Quit, a.drainWorker, a.logs, registry.Register(), registry.Workers()
	o.Metrics, o.Token, o.Hosts, o.Feed, o.Stop, o.Log = a.metrics.Handler(), a.Config.AdminToken, []string{host}, a.feed, stop, a.Log
	o.Profiles = a.Config.Pprof
	return controlServer(admin.New(o))
}

// plannerServer speaks the planner protocol and nothing else, to the networks that are allowed.
func (a *App) plannerServer() *http.Server {
	return controlServer(a.balancer.Registry().PlannerHandler(config.Networks(a.Config.Planner.Allow)))
}

// controlServer has no write timeout: streams and logs last. What waits in the kernel for a client that does not read is bounded instead, so
// that such a one is noticed after a few minutes of events.
func controlServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetWriteBuffer(controlBuffer) // where the system refuses, its own bound holds
			}
			return ctx
		},
	}
}

const controlBuffer = 64 << 10

func (a *App) goals(pool string) admin.Goals {
	for _, p := range a.current().Pools {
		if p.Name == pool {
			return admin.Goals{Percentile: p.Target.Percentile, Min: p.Workers.Min, Max: p.Workers.Max, Spare: p.Workers.Spare, Security: fence(p, a.driver.Name())}
		}
	}
	return admin.Goals{}
}

// fence is how far the pool's workers are fenced in. Processes are not, whatever the pool says.
func fence(p config.Pool, driver string) admin.Security {
	switch {
	case !p.Scaled():
		return admin.Security{}
	case driver == "process":
		return admin.Security{Level: "none"}
	}
	return admin.Security{Level: p.SecurityLevel(), Relaxed: p.Relaxations()}
}

// promises is what metrics show of a pool's configuration. A pool that starts no worker has no bounds to be held to.
func (a *App) promises(pool string) metrics.Goals {
	for _, p := range a.current().Pools {
		switch {
		case p.Name != pool:
		case !p.Scaled():
			return metrics.Goals{Percentile: p.Target.Percentile}
		default:
			return metrics.Goals{Percentile: p.Target.Percentile, Min: p.Workers.Min, Max: p.Workers.Max, Spare: p.Workers.Spare}
		}
	}
	return metrics.Goals{}
}

// driverUp is what metrics show of what runs the workers.
func (a *App) driverUp() (up bool, stuck int) {
	e := a.scaler.Engine()
	return !e.Away, e.Stuck
}

func (a *App) readiness() (bool, string) {
	if a.draining.Load() {
		return false, "it is draining"
	}
	if a.scaler.Engine().Away && !a.serves() { // before all else: it is why a pool may not have its minimum
		return false, "the engine is away, and no worker that is left answers"
	}
	if ok, pool := a.scaler.Settled(); !ok {
		return false, fmt.Sprintf("pool %q does not have its minimum of workers yet", pool)
	}
	return true, ""
}

// serves tells whether any worker is there to serve.
func (a *App) serves() bool {
	for _, p := range a.fleet.Status() {
		for _, w := range p.Workers {
			if (w.State == fleet.Active || w.State == fleet.Spare) && !w.Lost {
				return true
			}
		}
	}
	return false
}

// Ready tells whether every pool has its minimum or is known not to get it, and else why not.
func (a *App) Ready() (bool, string) { return a.readiness() }

// drainWorker takes one worker out; the scaler removes it once it is idle, and replaces it when it is needed.
func (a *App) drainWorker(_ context.Context, id string) error {
	_, err := a.fleet.Drain(id, "asked for through the admin plane")
	return err
}
