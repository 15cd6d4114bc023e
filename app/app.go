// Package app is the composition root: it builds a whole balancer process out of the other packages, runs it, and ends it in the right order.
package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"understudy/balancer"
	"understudy/config"
	"understudy/driver"
	"understudy/fleet"
	"understudy/metrics"
	"understudy/probe"
	"understudy/scaler"
)

// Options are what an App is made of. Config and Log are required.
type Options struct {
	Config  *config.Config
	Source  config.Source   // where Config came from; a reload reads it again
	Watcher *config.Watcher // of its file, made before it was loaded; nil: only SIGHUP reloads
	Log     *slog.Logger
	Version string
	Driver  driver.Driver // nil: as Config says. The App closes it
	Binary  string        // the executable for workers; empty: this one
	LockDir string        // empty: the host's; tests give their own
	Say     func(string)  // one line for the person who started it; nil: the log
}

// App is one balancer process.
type App struct {
	Options
	started time.Time

	driver   driver.Driver
	lock     *Lock
	guard    *guard // nil: none
	public   net.Listener
	admin    net.Listener
	planner  net.Listener // nil: not configured
	fleet    *fleet.Fleet
	ports    *fleet.Ports
	journal  *scaler.Journal
	scaler   *scaler.Scaler
	balancer *balancer.Balancer
	metrics  *metrics.Metrics

	mu       sync.Mutex // guards config after New
	draining atomic.Bool
	quit     chan struct{}
	quitOnce sync.Once
}

// journalSize is how many decisions are kept for explain and the dashboard.
const journalSize = 1000

// New makes an App ready to Run: addresses are listened on, the driver answers, the instance is ours, workers left by an earlier balancer
// are taken over. On error nothing stays behind. Errors are one sentence for a person.
func New(ctx context.Context, o Options) (*App, error) {
	if o.Say == nil {
		o.Say = func(line string) { o.Log.Info(line) }
	}
	if o.LockDir == "" {
		o.LockDir = LockDir()
	}
	a := &App{Options: o, started: time.Now(), quit: make(chan struct{})}
	for _, step := range []func(context.Context) error{a.listen, a.connect, a.build, a.adopt} {
		if err := step(ctx); err != nil {
			a.release()
			return nil, err
		}
	}
	return a, nil
}

// listen takes the addresses first: an address that is taken is the most common mistake and the cheapest to find.
func (a *App) listen(context.Context) (err error) {
	if a.public, err = listenOn(a.Config.Listen, "listen", "--listen"); err != nil {
		return err
	}
	if a.admin, err = listenOn(a.Config.Admin, "admin", "--admin"); err != nil {
		return err
	}
	if a.Config.Planner.Listen != "" {
		a.planner, err = listenOn(a.Config.Planner.Listen, "planner.listen", "planner.listen in the configuration")
	}
	return err
}

func listenOn(address, key, cure string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		_, port, _ := net.SplitHostPort(address)
		return nil, fmt.Errorf("cannot listen on %s (%s): port %s is taken by another program; choose another with %s", address, key, port, cure)
	default:
		return nil, fmt.Errorf("cannot listen on %s (%s): %w; choose another with %s", address, key, err, cure)
	}
}

func (a *App) connect(ctx context.Context) (err error) {
	if a.driver = a.Options.Driver; a.driver == nil {
		if a.driver, err = OpenDriver(ctx, a.Config, DriverOptions{Log: a.Log, Say: a.Say, Binary: a.Binary}); err != nil {
			return err
		}
	}
	about := fmt.Sprintf("listens on %s, admin http://%s", a.public.Addr(), a.admin.Addr())
	if a.lock, err = TakeLock(a.LockDir, a.driver.Name(), a.Config.Instance, about); err != nil {
		return err
	}
	a.startGuard()
	return nil
}

func (a *App) build(context.Context) error {
	cfg := a.Config
	a.fleet = fleet.New(fleetPools(cfg), time.Now)
	a.ports = fleet.NewPorts(cfg.Ports.From, cfg.Ports.To, time.Now)
	a.journal = scaler.NewJournal(journalSize)
	a.metrics = metrics.New(a.Version)
	a.metrics.Collect(metrics.Sources{Pools: a.fleet.Status, Ports: a.ports.Status})
	a.metrics.SetTargets(targets(cfg))
	prober := probe.New()
	a.scaler = scaler.New(scaler.Options{
		Config: cfg, Fleet: a.fleet, Ports: a.ports, Driver: a.driver, Prober: prober, Journal: a.journal,
		PortFree: portFree, NewToken: newToken, Now: time.Now, HostCPU: scaler.NewHostCPU().Busy, Recorder: a.metrics, Log: a.Log,
	})
	return a.buildBalancer(prober)
}

func (a *App) adopt(ctx context.Context) error {
	adopted, removed, err := a.scaler.Adopt(ctx)
	if err == nil && adopted+removed > 0 {
		a.Say(fmt.Sprintf("%d workers of an earlier run adopted, %d removed", adopted, removed))
	}
	return err
}

// release lets go of whatever New took, after an error or at the end.
func (a *App) release() {
	for _, l := range []net.Listener{a.public, a.admin, a.planner} {
		if l != nil {
			l.Close()
		}
	}
	if a.driver != nil {
		if err := a.driver.Close(); err != nil {
			a.Log.Warn("closing the driver", slog.Any("error", err))
		}
	}
	a.guard.dismiss()
	a.lock.Release()
}

// URL is the address clients use, AdminURL that of status and control.
func (a *App) URL() string {
	if a.current().TLS.On() {
		return "https://" + a.public.Addr().String()
	}
	return "http://" + a.public.Addr().String()
}
func (a *App) AdminURL() string { return "http://" + a.admin.Addr().String() }

// DriverName tells what runs the workers.
func (a *App) DriverName() string { return a.driver.Name() }

// Status is what the admin plane would answer now.
func (a *App) Status() []fleet.PoolStatus { return a.fleet.Status() }

// Quit asks the App to drain and end, as a signal would. It returns at once.
func (a *App) Quit() { a.quitOnce.Do(func() { close(a.quit) }) }

// fleetPools tells the fleet what it must know of each pool.
func fleetPools(cfg *config.Config) []fleet.PoolConfig {
	var out []fleet.PoolConfig
	for _, p := range cfg.Pools {
		out = append(out, fleet.PoolConfig{
			Name: p.Name, Capabilities: p.Capabilities, Concurrency: p.Concurrency, Max: p.Workers.Max, Pick: fleet.Pick(p.Pick),
			QueueLength: p.Queue.Length, QueueWait: scaler.QueueWait(p, 0), Target: p.Target.Latency, Ramp: p.Ramp, Eject: fleet.Eject(p.Eject),
		})
	}
	return out
}

func targets(cfg *config.Config) map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, p := range cfg.Pools {
		out[p.Name] = p.Target.Latency
	}
	return out
}

// portFree binds and lets go: nobody holds the port then.
func portFree(port int) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	return l.Close()
}

func newToken() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
