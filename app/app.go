// Package app is the composition root: it builds a whole balancer process out of the other packages, runs it, and ends it in the right order.
package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"understudy/admin"
	"understudy/balancer"
	"understudy/config"
	"understudy/driver"
	"understudy/fleet"
	"understudy/handover"
	"understudy/logs"
	"understudy/metrics"
	"understudy/probe"
	"understudy/scaler"
	"understudy/tracing"
)

// Options are what an App is made of. Config and Log are required.
type Options struct {
	Config  *config.Config
	Source  config.Source   // where Config came from; a reload reads it again
	Watcher *config.Watcher // of its file, made before it was loaded; nil: only SIGHUP reloads
	Log     *slog.Logger
	Level   *slog.LevelVar   // of Log, for a reload to change; nil: it stays as it is
	Access  *logs.Access     // nil: requests are not logged
	Tracing *tracing.Tracing // nil: no traces are made. The App does not close it
	Version string
	Driver  driver.Driver // nil: as Config says. The App closes it
	Binary  string        // the executable for workers; empty: this one
	LockDir string        // empty: the host's; tests give their own
	Say     func(string)  // one line for the person who started it; nil: the log

	Inherited *Inherited // what this process was started with; nil: nothing
	Spawn     Spawner    // starts the process that takes over on SIGUSR2; nil: none does
	Patience  *Patience  // with that; nil: as a person would have it
	Notify    string     // the socket of a service manager ($NOTIFY_SOCKET); empty: there is none
}

// App is one balancer process.
type App struct {
	Options
	started time.Time

	driver   driver.Driver
	lock     *Lock
	guard    *guard  // of containers; nil: none
	groups   *groups // of local processes, and their guard
	public   net.Listener
	admin    net.Listener
	planner  net.Listener // nil: not configured
	fleet    *fleet.Fleet
	ports    *fleet.Ports
	journal  *scaler.Journal
	scaler   *scaler.Scaler
	balancer *balancer.Balancer
	metrics  *metrics.Metrics
	feed     *admin.Feed // what the dashboard is told; it outlives the servers, which a handover may close and open again

	mu       sync.Mutex // guards config after New
	draining atomic.Bool
	quit     chan struct{}
	quitOnce sync.Once

	predecessor *handover.Predecessor // whose place this process takes; nil: nobody's
	was         handover.Hello        // what it said of itself
	addresses   map[string]string     // as configured, by name, of listeners we made; one that was given to us fits any
	adminAddr   string
	replacing   chan os.Signal // capacity 1
	handed      atomic.Bool    // another process has our place
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
	if o.Patience == nil {
		o.Patience = defaultPatience()
	}
	a := &App{Options: o, started: time.Now(), groups: newGroups(), quit: make(chan struct{}), replacing: make(chan os.Signal, 1), addresses: map[string]string{}}
	if a.Spawn != nil { // from the first moment on: one that comes too early would end the process
		signal.Notify(a.replacing, syscall.SIGUSR2)
	}
	for _, step := range []func(context.Context) error{a.meet, a.listen, a.connect, a.build, a.adopt} {
		if err := step(ctx); err != nil {
			if a.predecessor != nil {
				a.predecessor.Fail(err)
			} else {
				a.bequeathToGuard()
			}
			a.release()
			return nil, err
		}
	}
	return a, nil
}

func (a *App) connect(ctx context.Context) (err error) {
	if a.driver = a.Options.Driver; a.driver == nil {
		if a.driver, err = OpenDriver(ctx, a.Config, DriverOptions{Log: a.Log, Say: a.Say, Binary: a.Binary, Groups: a.groups, Mark: a.groups.mark}); err != nil {
			return err
		}
	}
	if err = a.sameDriver(); err != nil {
		return err
	}
	if a.lock, err = a.lockInstance(ctx); err != nil {
		return err
	}
	if err = a.join(ctx); err != nil {
		return err
	}
	a.startGuard()
	a.startGroupGuard()
	return nil
}

// join makes workers reachable that have no port of the host.
func (a *App) join(ctx context.Context) error {
	j, ok := a.driver.(driver.Joiner)
	if !ok || !a.Config.ByAddress() {
		return nil
	}
	return j.Join(ctx)
}

// lockInstance takes the lock, or over what the predecessor has locked.
func (a *App) lockInstance(ctx context.Context) (*Lock, error) {
	if a.predecessor == nil || a.Inherited.lock == nil {
		return AwaitLock(ctx, a.LockDir, a.driver.Name(), a.Config.Instance, a.about(), func() {
			a.Say("the guard of a balancer that died is cleaning up: waiting for it")
		})
	}
	file := a.Inherited.lock
	a.Inherited.lock = nil
	return borrowLock(file, a.LockDir, a.driver.Name(), a.Config.Instance)
}

func (a *App) about() string {
	return fmt.Sprintf("listens on %s, admin http://%s", a.public.Addr(), a.adminAddr)
}

func (a *App) build(context.Context) error {
	cfg := a.Config
	a.fleet = fleet.New(fleetPools(cfg), time.Now)
	a.ports = fleet.NewPorts(cfg.Ports.From, cfg.Ports.To, time.Now)
	sources := metrics.Sources{Pools: a.fleet.Status, Ports: a.ports.Status, Goals: a.promises, Driver: a.driverUp, Outdated: a.outdated}
	if cfg.ByAddress() {
		a.ports, sources.Ports = fleet.NoPorts(time.Now), nil // none free is no reason for an alert
	}
	a.journal = scaler.NewJournal(journalSize)
	a.metrics = metrics.New(a.Version)
	a.metrics.Drive(a.driver.Name())
	a.metrics.Collect(sources)
	a.metrics.SetTargets(targets(cfg))
	prober := probe.New()
	var tracer scaler.Tracer // nil, and no interface that holds nil
	if a.Tracing != nil {
		tracer = a.Tracing
	}
	a.scaler = scaler.New(scaler.Options{
		Config: cfg, Fleet: a.fleet, Ports: a.ports, Driver: a.driver, Prober: prober, Journal: a.journal,
		Rest:     func(w *fleet.Worker) { a.balancer.Rest(w) },
		PortFree: portFree, NewToken: newToken, Now: time.Now, HostCPU: scaler.NewHostCPU().Busy, Recorder: a.metrics, Tracer: tracer, Log: a.Log,
	})
	if err := a.buildBalancer(prober); err != nil {
		return err
	}
	a.feed = admin.NewFeed(a.view())
	return nil
}

func (a *App) adopt(ctx context.Context) error {
	legacy, err := a.legacy(ctx)
	if err != nil {
		return err
	}
	adopted, removed, err := a.scaler.AdoptFrom(ctx, legacy)
	if err == nil && a.predecessor != nil {
		a.Say(fmt.Sprintf("%d workers taken over from the process that runs, %d to be removed when it has ended", adopted, removed))
	} else if err == nil && adopted+removed > 0 {
		a.Say(fmt.Sprintf("%d workers of an earlier run adopted, %d removed", adopted, removed))
	}
	if err == nil && a.predecessor != nil {
		a.predecessor.Lend(a.fleet, a.balancer.Health().Suspect)
		a.predecessor.Tell(handover.Adopted)
	}
	return err
}

// release lets go of whatever New took, after an error or at the end.
func (a *App) release() {
	signal.Stop(a.replacing)
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
	a.groups.guard.dismiss() // after its driver: there is no group any more
	a.lock.Release()
	a.Inherited.drop()
	if a.predecessor != nil {
		a.predecessor.Close()
	}
}

// URL is the address clients use, AdminURL that of status and control.
func (a *App) URL() string {
	if a.current().TLS.On() {
		return "https://" + a.public.Addr().String()
	}
	return "http://" + a.public.Addr().String()
}
func (a *App) AdminURL() string { return "http://" + a.adminAddr }

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

func newToken() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
