// Package scaler decides how many workers each pool has, and makes it so. Four times a second it measures, asks package policy, writes the
// answer down, and starts or removes workers through a driver. One loop owns everything; helpers start and stop workers and report back.
package scaler

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/fleet"
	"understudy/logs"
	"understudy/probe"
)

// Recorder is told what the scaler does. Its methods are called from several goroutines and must not block.
type Recorder interface {
	Started(pool string, took time.Duration, result string) // ok, failed, timeout, port, image, engine
	StartPhase(pool, phase string, took time.Duration)      // of a good start: create, start, ready
	Stopped(pool, reason string)
	Exited(pool, reason string)                           // a worker that nobody asked to end: exit, oom, signal, removed, hung, identity, broken, never_ready
	Woken(pool string, took time.Duration, result string) // ok, failed
	Decided(pool, direction, reason string)
	DriverError(driver, op string)
	Reconciled(took time.Duration) // a list of the workers, held against what there should be
	Orphan()                       // a worker that nobody stands for is removed
	Rollout(pool, result string)   // done, rolled_back, superseded
}

// Tracer makes a trace of each start that has ended; began is by the clock on the wall, phases are 0 as far as it did not get. It must not block.
type Tracer interface {
	Start(pool, worker string, began time.Time, took time.Duration, phases fleet.Phases, err error)
}

// Prober waits until a worker answers as it should; *probe.Prober does.
type Prober interface {
	Await(ctx context.Context, t probe.Target, warmup int) error
}

// Options are what a Scaler works with. All but Tracer, Rest, Recorder, Log and HostCPU are required.
type Options struct {
	Config   *config.Config
	Fleet    *fleet.Fleet
	Ports    *fleet.Ports
	Driver   driver.Driver
	Prober   Prober
	Journal  *Journal
	PortFree func(port int) error // nil when nobody holds the port
	NewToken func() string        // a fresh random hex string of at least 32 characters
	Now      func() time.Time     // for the journal alone: decisions rest on the fleet's clock
	Tracer   Tracer               // nil: no traces are made
	Rest     func(*fleet.Worker)  // closes idle connections to a worker that is about to be frozen; nil: there are none
	HostCPU  func() float64       // 0 to 1, mean of the last 2 s; -1: unknown
	Recorder Recorder
	Log      *slog.Logger
}

const (
	tick = 250 * time.Millisecond
	// Engines start containers one after the other for the most part; more at a time only makes each slower (make bench-starts).
	maxParallelStarts = 4
	slotTime          = 5 * time.Second // a start that takes longer is no longer one of them
)

// Scaler scales the pools of one balancer. Make it with New, call Run once.
type Scaler struct {
	Options
	reloads chan *config.Config
	reports chan func()   // what helpers found, to be applied by the loop
	orders  chan func()   // what else the loop shall do between two steps
	leaving chan struct{} // closed: another balancer has the workers now
	repeats *logs.Repeats

	removals context.Context // ends when the end gives up what is not removed yet
	answered atomic.Int64    // attempts to remove a worker that the engine answered

	// Only used by the loop.
	starts   context.Context // of starts in flight
	cut      context.CancelFunc
	giveUp   context.CancelFunc // ends removals
	hold     *hold              // nil: it decides
	helpers  int                // that will report
	closing  bool
	pools    []*poolState
	owned    map[string]*owned // workers of ours by worker id
	starting int               // starts in flight, all pools
	calls    int               // freezes and wakes in flight
	lists    lists
	orphans  map[driver.ID]*orphan // workers of ours that nobody stands for
	limbo    []limbo
	issued   issued
	legacy   Legacy

	mu       sync.Mutex // guards engine, forsaken, troubles, exits, settled, rollouts, images, and Config where others than the loop read it
	engine   EngineStatus
	forsaken Forsaken
	troubles map[string]Trouble
	exits    map[string]Exit
	settled  map[string]bool
	rollouts map[string]Rollout
	images   map[string]Image
}

// New makes a Scaler for the configured pools.
func New(o Options) *Scaler {
	if o.Recorder == nil {
		o.Recorder = silent{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.HostCPU == nil {
		o.HostCPU = func() float64 { return -1 }
	}
	s := &Scaler{
		Options:  o,
		reloads:  make(chan *config.Config),
		reports:  make(chan func()),
		orders:   make(chan func()),
		leaving:  make(chan struct{}),
		owned:    map[string]*owned{},
		orphans:  map[driver.ID]*orphan{},
		issued:   issued{},
		engine:   EngineStatus{Since: o.Now()},
		troubles: map[string]Trouble{},
		exits:    map[string]Exit{},
		settled:  map[string]bool{},
		rollouts: map[string]Rollout{},
		images:   map[string]Image{},
	}
	s.removals, s.giveUp = context.WithCancel(context.Background())
	s.repeats = logs.NewRepeats(o.Log, o.Fleet.Clock)
	s.lists.retry = driver.Backoff{Base: awayBase, Max: awayMax}
	for _, p := range o.Config.Pools {
		s.pools = append(s.pools, newPoolState(p))
	}
	return s
}

// Run scales until ctx ends, then drains and removes every worker of ours, or leaves them as on_exit says or because of Leave, or as it must when
// the engine does not answer, see Forsaken. Adopt must have been called.
func (s *Scaler) Run(ctx context.Context) {
	s.allowStarts(ctx)
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	hints := s.watch(watching)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	s.Fleet.Engine().Watch(true)
	defer s.Fleet.Engine().Watch(false)
	s.lists.timer = time.NewTimer(firstList)
	s.lists.due = s.Fleet.Clock() + firstList
	defer s.lists.timer.Stop()
	s.removeUnwanted()
	s.lookUp()
	s.step(s.starts)
	for {
		select {
		case <-ctx.Done():
			s.cut()
			stopWatching()
			s.shutdown()
			return
		case <-ticker.C:
			s.act()
		case <-s.Fleet.Calls():
			s.answerCalls()
		case <-s.Fleet.Changed():
			s.act()
		case <-s.Fleet.Engine().Questions():
			s.listWithin(0)
		case <-s.lists.timer.C:
			s.list(watching)
		case apply := <-s.reports:
			s.hear(apply)
		case order := <-s.orders:
			order()
		case id, open := <-hints:
			if !open {
				hints = nil
				continue
			}
			if s.hinted(id) {
				s.steer()
			}
		case cfg := <-s.reloads:
			s.reload(cfg)
		}
	}
}

// act removes what is to be removed, and decides, if it may now. What it may not do now a later tick does.
func (s *Scaler) act() {
	if s.decides() {
		s.collect()
		s.step(s.starts)
		s.nap()
	}
}

// Reload hands the loop a new configuration. It returns once the loop has taken it or ctx ended.
func (s *Scaler) Reload(ctx context.Context, cfg *config.Config) {
	select {
	case s.reloads <- cfg:
	case <-ctx.Done():
	}
}

func (s *Scaler) reload(cfg *config.Config) {
	s.mu.Lock()
	s.Config = cfg
	s.mu.Unlock()
	for _, p := range cfg.Pools {
		if ps := s.pool(p.Name); ps != nil {
			s.reconfigure(ps, p)
			s.setQueueWait(ps)
		}
	}
}

func (s *Scaler) pool(name string) *poolState {
	for _, p := range s.pools {
		if p.cfg.Name == name {
			return p
		}
	}
	return nil
}

// launch runs work in a helper; what it returns is applied by the loop. Every wait in work is bounded.
func (s *Scaler) launch(work func() (apply func())) {
	s.helpers++
	go func() { s.reports <- work() }() // the loop listens until every helper has reported
}

func (s *Scaler) hear(apply func()) {
	s.helpers--
	apply()
	s.hold.look(s)
}

// Settled reports whether every pool has had its minimum of ready workers or was found unable to have it, and else which has not.
func (s *Scaler) Settled() (ok bool, waiting string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.Config.Pools {
		if p.Scaled() && !s.settled[p.Name] {
			return false, p.Name
		}
	}
	return true, ""
}

type silent struct{}

func (silent) Started(string, time.Duration, string)    {}
func (silent) StartPhase(string, string, time.Duration) {}
func (silent) Stopped(string, string)                   {}
func (silent) Exited(string, string)                    {}
func (silent) Woken(string, time.Duration, string)      {}
func (silent) Decided(string, string, string)           {}
func (silent) DriverError(string, string)               {}
func (silent) Reconciled(time.Duration)                 {}
func (silent) Orphan()                                  {}
func (silent) Rollout(string, string)                   {}
