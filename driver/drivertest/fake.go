package drivertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"understudy/driver"
	"understudy/driver/tail"
)

// Fake is a driver without an engine, for tests of whoever calls drivers. It behaves as a real one does (a port serves one
// worker, a worker in its start is listed as not running, stopping twice is fine) and follows a script: what starts and stops
// take, what fails, who dies when.
//
// It waits on timers and channels only, so inside a testing/synctest bubble it lives in the bubble's time; make it in there.
// All methods may be called concurrently.
type Fake struct {
	opts FakeOptions

	mu       sync.Mutex
	workers  map[driver.ID]*fakeWorker // guarded by mu
	serial   int                       // guarded by mu: of the last worker
	foreign  map[int]bool              // guarded by mu: ports held by others
	down     error                     // guarded by mu: what every call answers while the engine is away
	failures map[string][]error        // guarded by mu: what the next calls of an operation answer
	calls    []Call                    // guarded by mu
	faults   []string                  // guarded by mu
	watchers map[chan driver.ID]bool   // guarded by mu
	contents map[string]string         // guarded by mu: what the names of images mean, where that was changed
	hung     map[string]chan struct{}  // guarded by mu: operations that hang, until closed
	mute     bool                      // guarded by mu: watchers hear nothing
}

// FakeOptions say what a Fake's workers do. The zero value: they start and stop at once and never fail.
type FakeOptions struct {
	Name string // what Name returns; empty: "fake"
	// Plan is asked at each start what will become of the worker; nil: the zero Plan for all.
	Plan func(driver.Spec) Plan
	// PrepareDelay is asked at each Resolve how long that takes, for a pull; nil: no time.
	PrepareDelay func(driver.Spec) time.Duration
	// Serve gives each worker a real HTTP server on its real host port; nil: no sockets at all.
	Serve func(driver.Spec) http.Handler
}

// Plan is what will become of one worker. The zero value: it starts at once, runs until it is stopped, and stops at once.
type Plan struct {
	CreateDelay time.Duration // how long Start takes until the worker exists ...
	StartDelay  time.Duration // ... and from then on
	StartErr    error         // what Start returns after StartDelay; the worker does not exist then
	Exit        bool          // it ends by itself ...
	ExitAfter   time.Duration // ... so long after its start
	ExitCode    int
	OOM         bool          // ... and that because it ran out of memory
	StopDelay   time.Duration // how long it takes to end when asked to; past the grace it is forced
	PauseDelay  time.Duration // how long Pause takes
	ResumeDelay time.Duration
	Logs        []string // what it prints at its start
}

// fakeWorker is one worker. Its fields are guarded by Fake.mu, but for logs, which guards itself.
type fakeWorker struct {
	inst     driver.Instance
	serial   int // the how manieth it is, which is its ID's number too
	plan     Plan
	starting bool
	stopping chan struct{} // closed when the stop under way is over; nil: none is
	exit     *time.Timer
	server   *http.Server
	listener net.Listener
	logs     *tail.Buffer
	thaw     chan struct{} // closed when it is no longer frozen; nil: it is not
}

// NewFake returns a Fake without workers.
func NewFake(opts FakeOptions) *Fake {
	return &Fake{
		opts:     opts,
		workers:  map[driver.ID]*fakeWorker{},
		foreign:  map[int]bool{},
		failures: map[string][]error{},
		watchers: map[chan driver.ID]bool{},
		contents: map[string]string{},
		hung:     map[string]chan struct{}{},
	}
}

// Name implements driver.Driver.
func (f *Fake) Name() string {
	if f.opts.Name == "" {
		return "fake"
	}
	return f.opts.Name
}

// Start implements driver.Driver. A port booked twice is ErrPortTaken and one of Faults.
func (f *Fake) Start(ctx context.Context, spec driver.Spec) (inst driver.Instance, err error) {
	end := f.begin("start", Call{Worker: spec.Worker, Port: spec.HostPort, Spec: spec})
	defer func() { end(inst.ID, err) }()
	if err := f.stall(ctx, "start"); err != nil {
		return driver.Instance{}, err
	}
	w, err := f.book(ctx, spec)
	if err != nil {
		return driver.Instance{}, err
	}
	if err := pause(ctx, w.plan.CreateDelay+w.plan.StartDelay); err != nil {
		f.forget(w)
		return driver.Instance{}, err
	}
	if w.plan.StartErr != nil {
		f.forget(w)
		return driver.Instance{}, w.plan.StartErr
	}
	inst, err = f.run(w, spec)
	inst.Took = driver.Took{Create: w.plan.CreateDelay, Start: w.plan.StartDelay}
	return inst, err
}

// book makes the worker, in its start, if nothing speaks against it.
func (f *Fake) book(ctx context.Context, spec driver.Spec) (*fakeWorker, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refusal(ctx, "start"); err != nil {
		return nil, err
	}
	for _, other := range f.workers {
		if other.inst.Worker == spec.Worker {
			f.fault("worker %s is started twice", spec.Worker)
		}
		if spec.HostPort != 0 && other.inst.HostPort == spec.HostPort && other.holdsPort() {
			f.fault("port %d of worker %s is given to %s", spec.HostPort, other.inst.Worker, spec.Worker)
			return nil, fmt.Errorf("fake: port %d: %w", spec.HostPort, driver.ErrPortTaken)
		}
	}
	if f.foreign[spec.HostPort] {
		return nil, fmt.Errorf("fake: port %d: %w", spec.HostPort, driver.ErrPortTaken)
	}
	return f.add(spec), nil
}

// add makes the worker. Called with mu held.
func (f *Fake) add(spec driver.Spec) *fakeWorker {
	f.serial++
	w := &fakeWorker{serial: f.serial, starting: true, logs: tail.New(200)}
	if f.opts.Plan != nil {
		w.plan = f.opts.Plan(spec)
	}
	w.inst = driver.Instance{
		ID:           driver.ID(fmt.Sprintf("fake-%d", f.serial)),
		Pool:         spec.Pool,
		Worker:       spec.Worker,
		Generation:   spec.Generation,
		Hash:         spec.Hash,
		Image:        f.content(spec.Image),
		Capabilities: slices.Clone(spec.Capabilities),
		HostPort:     spec.HostPort,
		Address:      fmt.Sprintf("http://127.0.0.1:%d", spec.HostPort),
		Created:      time.Now(),
	}
	if spec.Publish == driver.PublishNetwork {
		w.inst.HostPort, w.inst.Address = 0, f.freeAddress(spec.Port)
	}
	f.workers[w.inst.ID] = w
	return w
}

// freeAddress is the lowest address that no worker has: an engine too gives one away again as soon as its worker has ended. Called with mu held.
func (f *Fake) freeAddress(port int) string {
	for n := 2; ; n++ {
		address, taken := fmt.Sprintf("http://10.0.0.%d:%d", n, port), false
		for _, other := range f.workers {
			taken = taken || other.inst.Address == address && (other.starting || other.inst.Running)
		}
		if !taken {
			return address
		}
	}
}

// run turns a worker in its start into one that runs.
func (f *Fake) run(w *fakeWorker, spec driver.Spec) (driver.Instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.workers[w.inst.ID] != w { // stopped during its start
		return driver.Instance{}, fmt.Errorf("fake: worker %s was removed during its start", spec.Worker)
	}
	if err := f.serve(w, spec); err != nil {
		delete(f.workers, w.inst.ID)
		return driver.Instance{}, err
	}
	w.starting, w.inst.Running = false, true
	for _, line := range w.plan.Logs {
		fmt.Fprintln(w.logs, line)
	}
	if w.plan.Exit {
		w.exit = time.AfterFunc(w.plan.ExitAfter, func() { f.endByItself(w) })
	}
	return w.copy(), nil
}

// serve gives the worker its HTTP server, when this Fake has any. Called with mu held.
func (f *Fake) serve(w *fakeWorker, spec driver.Spec) error {
	if f.opts.Serve == nil {
		return nil
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", spec.HostPort))
	if err != nil {
		return fmt.Errorf("fake: %v: %w", err, driver.ErrPortTaken)
	}
	if spec.Publish == driver.PublishNetwork {
		w.inst.Address = "http://" + listener.Addr().String()
	}
	w.listener = listener
	w.server = &http.Server{Handler: f.thawed(w, f.opts.Serve(spec)), ReadHeaderTimeout: 5 * time.Second}
	go w.server.Serve(listener) // ends with the server's Close, in halt
	return nil
}

func (f *Fake) forget(w *fakeWorker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.workers, w.inst.ID)
}

// Close implements driver.Driver. The workers stay, as a container would.
func (f *Fake) Close() error { return nil }

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
