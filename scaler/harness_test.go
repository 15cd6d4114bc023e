package scaler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
	"understudy/probe"
)

// bench is one scaler over a fake driver, in the time of a synctest bubble.
type bench struct {
	t       *testing.T
	cfg     *config.Config
	driver  *drivertest.Fake
	fleet   *fleet.Fleet
	ports   *fleet.Ports
	journal *Journal
	scaler  *Scaler
	prober  *fakeProber
	foreign map[int]bool // ports a stranger holds

	cancel context.CancelFunc
	ended  chan struct{}
}

// fakeProber says that a worker is ready when the driver runs it, unless told otherwise.
type fakeProber struct {
	driver *drivertest.Fake
	mu     sync.Mutex
	deaf   func(driver.Instance) bool // workers that never answer; nil: none
	says   error                      // what a deaf one's answer lacks; nil: there is none
	asked  []probe.Target
	warmup int
}

func (p *fakeProber) Await(ctx context.Context, t probe.Target, warmup int) error {
	p.mu.Lock()
	p.asked = append(p.asked, t)
	p.warmup = warmup
	deaf, says := p.deaf, p.says
	p.mu.Unlock()
	for {
		for _, inst := range p.driver.Workers() {
			if inst.Address == t.Address && inst.Running && (deaf == nil || !deaf(inst)) && (t.Identity == "" || t.Identity == inst.Generation) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			if says != nil {
				return fmt.Errorf("not ready: %w (%w)", says, context.Cause(ctx))
			}
			return fmt.Errorf("not ready: %w", context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func pool(name string, change func(*config.Pool)) config.Pool {
	p := config.DefaultPool()
	p.Name = name
	p.Capabilities = []string{name}
	if change != nil {
		change(&p)
	}
	return p
}

// newBench must be called inside a synctest bubble.
func newBench(t *testing.T, o drivertest.FakeOptions, pools ...config.Pool) *bench {
	t.Helper()
	return newBenchBy(t, time.Now, o, pools...)
}

// newBenchBy is newBench by another clock.
func newBenchBy(t *testing.T, now func() time.Time, o drivertest.FakeOptions, pools ...config.Pool) *bench {
	t.Helper()
	cfg := config.Defaults()
	cfg.Pools = pools
	cfg.Ports = config.Ports{From: 20000, To: 20019}
	b := &bench{t: t, cfg: cfg, driver: drivertest.NewFake(o), journal: NewJournal(1000), foreign: map[int]bool{}, ended: make(chan struct{})}
	var fps []fleet.PoolConfig
	for _, p := range pools {
		fps = append(fps, fleet.PoolConfig{
			Name: p.Name, Capabilities: p.Capabilities, Concurrency: p.Concurrency, Max: p.Workers.Max,
			QueueLength: p.Queue.Length, QueueWait: QueueWait(p, 0), Target: p.Target.Latency, Ramp: p.Ramp, Eject: fleet.Eject(p.Eject),
		})
	}
	b.fleet = fleet.New(fps, now)
	b.ports = fleet.NewPorts(cfg.Ports.From, cfg.Ports.To, now)
	b.prober = &fakeProber{driver: b.driver}
	var mu sync.Mutex
	tokens := 0
	b.scaler = New(Options{
		Config: cfg, Fleet: b.fleet, Ports: b.ports, Driver: b.driver, Prober: b.prober, Journal: b.journal, Now: now,
		PortFree: b.portFree,
		NewToken: func() string {
			mu.Lock()
			defer mu.Unlock()
			tokens++
			return fmt.Sprintf("%08x%024x", tokens, tokens)
		},
	})
	return b
}

func (b *bench) portFree(port int) error {
	if b.foreign[port] {
		return errors.New("address already in use")
	}
	for _, inst := range b.driver.Workers() {
		if inst.HostPort == port && inst.Running {
			return errors.New("address already in use")
		}
	}
	return nil
}

// run adopts and starts the loop. It is ended after the test.
func (b *bench) run() {
	b.t.Helper()
	if _, _, err := b.scaler.Adopt(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	go func() { defer close(b.ended); b.scaler.Run(ctx) }()
	synctest.Wait()
}

// end stops the loop and checks what must hold at every end.
func (b *bench) end() {
	b.t.Helper()
	b.cancel()
	<-b.ended
	if faults := b.driver.Faults(); len(faults) > 0 {
		b.t.Errorf("the driver was misused: %s", strings.Join(faults, "; "))
	}
	if b.cfg.OnExit == onExitLeave {
		return
	}
	if left := b.driver.Workers(); len(left) > 0 {
		b.t.Errorf("left behind: %v", left)
	}
	if s := b.ports.Status(); s.Leased > 0 {
		b.t.Errorf("%d ports are still leased", s.Leased)
	}
}

// pass lets time go by.
func (b *bench) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// states counts the workers of a pool by state.
func (b *bench) states(pool string) map[fleet.State]int {
	out := map[fleet.State]int{}
	for _, p := range b.fleet.Status() {
		for _, w := range p.Workers {
			if p.Name == pool {
				out[w.State]++
			}
		}
	}
	return out
}

func (b *bench) want(pool string, active, spare int) {
	b.t.Helper()
	got := b.states(pool)
	if got[fleet.Active] != active || got[fleet.Spare] != spare {
		b.t.Errorf("pool %s has %d active and %d spare, want %d and %d (all: %v)", pool, got[fleet.Active], got[fleet.Spare], active, spare, got)
	}
}

// serve sends n requests that each take d, and returns a wait for them to end.
func (b *bench) serve(capability string, n int, d time.Duration) (wait func()) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			lease, err := b.fleet.Acquire(context.Background(), fleet.Request{Capability: capability})
			if err != nil {
				return
			}
			<-time.After(d)
			lease.Release(fleet.Outcome{Kind: fleet.Served})
		})
	}
	return wg.Wait
}

func startDelay(d time.Duration) drivertest.FakeOptions {
	return drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan { return drivertest.Plan{StartDelay: d} }}
}
