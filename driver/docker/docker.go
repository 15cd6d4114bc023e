// Package docker is the driver that runs workers as containers of a Docker engine on this machine.
//
// Docker's labels are its only record: whatever it knows about a worker it reads from the container. It needs an engine from
// 20.10 on (API 1.41); the version is negotiated. No type of the Docker SDK leaves this package.
package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"understudy/driver"
	"understudy/logs"
)

// Options say whose workers a Driver runs and where.
type Options struct {
	// Instance names the balancer the workers belong to; two balancers on one engine need different ones. Required.
	Instance string
	// Log gets warnings of the engine and what happens in the background. nil: nobody wants it.
	Log *slog.Logger
	// Host is the engine's address, such as unix:///var/run/docker.sock. Empty: as the docker CLI finds it, by DOCKER_HOST,
	// DOCKER_CONTEXT and the current context, with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH.
	Host string
	// Binary is the static Linux executable the worker image is made of. Empty: this program.
	Binary string

	limits *limits // tests shorten them
}

// Driver starts, stops and lists one instance's workers. Make one with New; all methods may be called concurrently.
type Driver struct {
	instance string
	log      *slog.Logger
	repeats  *logs.Repeats
	binary   string
	engine   *engine
	images   memo[image]
	pulls    pulls
	networks memo[string] // ours, by kind
	named    memo[string] // the configuration's, once our own container is on them
	place    memo[here]
	look     func() surroundings // nil: lookAround; tests say where they are
	warned   sync.Map            // the engine's warnings that were logged, by pool and text
	warnings atomic.Int32
	hung     parked
	stopped  atomic.Bool // a worker was stopped, perhaps one that an earlier process started
	forsaken atomic.Bool // a removal was given up by who wanted it: its worker stays, and so does the network of that

	background context.Context // of what goes on after the call that began it has returned; ends in Close
	stop       context.CancelFunc
	fetching   context.Context // of pulls, which Close does not wait for
	stopPulls  context.CancelFunc

	mu     sync.Mutex
	closed bool           // guarded by mu
	tasks  sync.WaitGroup // background work that Close waits for; Add is guarded by mu
}

// New connects to the engine. It takes 5 s at most and every error is one sentence that names the address tried, the cause and
// what to check: ErrNoEngine when there is no engine here at all, driver.ErrUnavailable whenever none can be talked to.
func New(ctx context.Context, opts Options) (*Driver, error) {
	open, err := Find(opts)
	if err != nil {
		return nil, err
	}
	return open(ctx)
}

// Find is the first half of New: it finds out where the engine is, by what environment and files say now. The other half, which connects, may
// follow at any time and be repeated.
func Find(opts Options) (open func(context.Context) (*Driver, error), err error) {
	if opts.Instance == "" {
		return nil, errors.New("the docker driver needs the name of its instance")
	}
	if opts.Binary == "" {
		path, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("cannot find this program's own file, which the worker image is made of: %w", err)
		}
		opts.Binary = path
	}
	ep, err := findEndpoint(opts.Host)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*Driver, error) { return openAt(ctx, ep, opts) }, nil
}

func openAt(ctx context.Context, ep endpoint, opts Options) (*Driver, error) {
	e, err := connect(ctx, ep, cmp.Or(opts.limits, defaultLimits()))
	if err != nil {
		return nil, err
	}
	d := &Driver{instance: opts.Instance, binary: opts.Binary, engine: e, log: cmp.Or(opts.Log, slog.New(slog.DiscardHandler))}
	began := time.Now()
	d.repeats = logs.NewRepeats(d.log, func() time.Duration { return time.Since(began) })
	d.background, d.stop = context.WithCancel(context.Background())
	d.fetching, d.stopPulls = context.WithCancel(d.background)
	d.advise(e.version)
	return d, nil
}

// Name implements driver.Driver.
func (d *Driver) Name() string { return "docker" }

// Close waits, for 10 s at most, until what was to be removed in the background is removed, and lets go of the engine. The
// workers stay, and the networks they are on; a network that this driver has used and that no worker is left on goes. It may be
// called more than once.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.stopPulls()
	done := make(chan struct{})
	go func() {
		d.tasks.Wait()
		close(done)
	}()
	patience := time.NewTimer(d.engine.limits.close)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
		d.log.Warn("docker: not everything could be removed before the end", "waited", d.engine.limits.close)
	}
	if !d.forsaken.Load() {
		d.removeNetworks(d.background)
	}
	d.stop()
	<-done // quick now: every call obeys the context that has ended
	return d.engine.api().Close()
}

// errClosed is what calls on a closed driver get.
var errClosed = errors.New("the docker driver is closed")

// spawn runs task in the background; Close waits for it.
func (d *Driver) spawn(task func(ctx context.Context)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errClosed
	}
	d.tasks.Go(func() { task(d.background) })
	return nil
}

// The driver keeps all the abilities there are.
var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Preparer  = (*Driver)(nil)
	_ driver.Resolver  = (*Driver)(nil)
	_ driver.Inspector = (*Driver)(nil)
	_ driver.Logger    = (*Driver)(nil)
	_ driver.Watcher   = (*Driver)(nil)
	_ driver.Sweeper   = (*Driver)(nil)
	_ driver.Pauser    = (*Driver)(nil)
	_ driver.Puller    = (*Driver)(nil)
)
