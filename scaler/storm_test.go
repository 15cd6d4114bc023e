package scaler

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

// A storm is some minutes in which everything that can happen to a scaler happens at random, and then none in which anything does. Whatever has happened,
// what must always hold holds at every moment, and some time after the storm there is what there should be and nothing else.
//
// STORMS=500 tries so many instead of a few, SEED=17 begins with that one (make storms). A seed says what happens and not in which order goroutines
// hear of it: one that found something may need some tries to find it again.
func TestNothingIsLostInAStorm(t *testing.T) {
	first, n := number("SEED", 1), number("STORMS", 2)
	for seed := first; seed < first+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newStorm(t, seed).rage() })
		})
	}
}

// number is what the environment says, else otherwise.
func number(name string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 32); err == nil {
		return n
	}
	return otherwise
}

type storm struct {
	*bench
	rng    *rand.Rand
	engine *stormy
	events []string
	most   map[string]int // workers of a pool at the last look
	sent   sync.WaitGroup
	probes *watchman

	mu     sync.Mutex
	held   map[int]bool // guarded by mu: ports of strangers
	tokens int          // guarded by mu: given so far
}

func newStorm(t *testing.T, seed uint64) *storm {
	s := &storm{rng: rand.New(rand.NewPCG(seed, 7)), most: map[string]int{}, held: map[int]bool{}}
	s.engine = &stormy{rng: rand.New(rand.NewPCG(seed, 8)), died: make(chan struct{})}
	var pools []config.Pool
	for i := range 2 {
		pools = append(pools, pool([]string{"mult", "add"}[i], func(p *config.Pool) {
			p.Image, p.Env = "worker:1", []string{"V=0"}
			p.Ready.Timeout, p.Drain = 20*time.Second, 10*time.Second
			s.size(p)
		}))
	}
	s.bench = newBench(t, drivertest.FakeOptions{Plan: s.engine.plan}, pools...)
	s.engine.Fake = s.driver
	s.ports = fleet.NewPorts(20000, 20000+9+s.rng.IntN(11), time.Now)
	if s.rng.IntN(4) == 0 {
		s.cfg.Publish = "network"
	}
	s.equip()
	s.probes = &watchman{storm: s, mute: map[string]bool{}}
	return s
}

// equip makes the scaler of the bench one of the storm.
func (s *storm) equip() {
	s.scaler.Driver, s.scaler.Ports, s.scaler.PortFree, s.scaler.NewToken = s.engine, s.ports, s.bindable, s.token
}

func (s *storm) token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens++
	return fmt.Sprintf("%08x%024x", s.tokens, s.tokens)
}

// bindable is for helpers: bench's own set of ports is not guarded.
func (s *storm) bindable(port int) error {
	s.mu.Lock()
	stranger := s.held[port]
	s.mu.Unlock()
	if stranger {
		return fmt.Errorf("address already in use")
	}
	return s.portFree(port)
}

// size gives a pool other bounds.
func (s *storm) size(p *config.Pool) {
	lo := s.rng.IntN(3)
	p.Workers = config.Workers{Min: lo, Max: lo + 1 + s.rng.IntN(3), Spare: s.rng.IntN(2), SpareMode: config.SpareRunning}
	p.Workers.SpareMax = p.Workers.Spare
	if s.rng.IntN(2) == 0 {
		p.Workers.SpareMode = config.SparePaused
	}
}

func (s *storm) rage() {
	s.run()
	s.probes.begin()
	defer func() {
		s.probes.end()
		if s.t.Failed() {
			s.t.Logf("what happened:\n%s", strings.Join(s.events, "\n"))
		}
	}()
	s.blow(30)
	s.succeed()
	s.blow(30)
	s.calm()
	s.wantOrder()
	s.wantService()
	s.look()
	s.blow(s.rng.IntN(15)) // the end comes in the middle of something
	s.finish()
}

func (s *storm) say(format string, args ...any) {
	s.events = append(s.events, fmt.Sprintf("%8.3f ", s.fleet.Clock().Seconds())+fmt.Sprintf(format, args...))
}

func (s *storm) fail(format string, args ...any) {
	s.t.Helper()
	s.say("WRONG: "+format, args...)
	s.t.Errorf("after %v: "+format, append([]any{s.fleet.Clock()}, args...)...)
}

// blow makes so many things happen.
func (s *storm) blow(n int) {
	s.look()
	s.engine.setRage([]float64{0.02, 0.15, 0.4}[s.rng.IntN(3)])
	for range n {
		s.happen()
		s.look()
		s.pass(time.Duration(s.rng.IntN(5000))*time.Millisecond + 7*time.Millisecond)
		s.look()
	}
}

// calm heals everything, and gives it time: what an engine refused to remove ten times is tried again, ports are set aside for ten minutes.
func (s *storm) calm() {
	s.say("calm")
	s.engine.setRage(0)
	s.heal()
	for range 24 {
		s.pass(30 * time.Second)
		s.look()
	}
	s.sent.Wait()
	s.pass(3 * time.Second)
}

func (s *storm) heal() {
	s.driver.SetDown(nil)
	s.driver.Mute(false)
	s.probes.clear()
	s.mu.Lock()
	defer s.mu.Unlock()
	for port := range s.held {
		s.driver.Vacate(port)
	}
	clear(s.held)
}

// somebody is one of the workers that the engine has.
func (s *storm) somebody() (inst driver.Instance, ok bool) {
	all := s.driver.Workers()
	if len(all) == 0 {
		return inst, false
	}
	return all[s.rng.IntN(len(all))], true
}

func (s *storm) happen() {
	inst, ok := s.somebody()
	switch n := s.rng.IntN(20); {
	case n < 6:
		s.load(1+s.rng.IntN(10), time.Duration(s.rng.IntN(4000))*time.Millisecond)
	case n < 11 && ok:
		s.hurt(inst)
	case n < 13:
		s.outage()
	case n < 14:
		port := 20000 + s.rng.IntN(10)
		s.say("a stranger takes port %d", port)
		s.driver.Occupy(port)
		s.mu.Lock()
		s.held[port] = s.rng.IntN(2) == 0
		s.mu.Unlock()
	case n < 17:
		s.reconfigure()
	case n < 18:
		s.holdOn()
	default:
		s.say("healed")
		s.heal()
	}
}

// hurt does something to a worker.
func (s *storm) hurt(inst driver.Instance) {
	what := []string{"dies", "is removed", "is said to have ended", "is drained", "goes silent", "is frozen by somebody", "is failed"}[s.rng.IntN(7)]
	s.say("%s %s", inst.Worker, what)
	switch what {
	case "dies":
		s.driver.Kill(inst.Worker, 137)
	case "is removed":
		s.driver.Vanish(inst.Worker)
	case "is said to have ended":
		s.engine.hint(inst.ID)
	case "is drained":
		_, _ = s.fleet.Drain(inst.Worker, "by request")
	case "goes silent":
		s.probes.silence(inst.Worker)
	case "is frozen by somebody":
		s.driver.Freeze(inst.Worker)
	case "is failed":
		s.fleet.Fail(inst.Worker, "it broke")
	}
}

func (s *storm) outage() {
	switch s.rng.IntN(3) {
	case 0:
		s.say("the engine is away")
		s.driver.SetDown(errAway)
	case 1:
		s.say("hints are lost")
		s.driver.Mute(true)
	default:
		took := time.Duration(s.rng.IntN(8000)) * time.Millisecond
		s.say("the engine restarts for %v, and ends its workers: %v", took, s.rng.IntN(2) == 0)
		s.driver.SetDown(errAway)
		if strings.HasSuffix(s.events[len(s.events)-1], "true") {
			for _, inst := range s.driver.Workers() {
				s.driver.Kill(inst.Worker, 137)
			}
		}
		s.pass(took)
		s.driver.SetDown(nil)
	}
}

// reconfigure is a reload that changes one or two things of a pool.
func (s *storm) reconfigure() {
	next := *s.cfg
	next.Pools = slices.Clone(s.cfg.Pools)
	p := &next.Pools[s.rng.IntN(len(next.Pools))]
	switch s.rng.IntN(4) {
	case 0:
		s.size(p)
	case 1:
		p.Image = fmt.Sprintf("worker:%d", s.rng.IntN(3))
	case 2:
		p.Env = []string{fmt.Sprintf("V=%d", s.rng.IntN(3))}
	default:
		s.size(p)
		p.Env = []string{fmt.Sprintf("V=%d", s.rng.IntN(3))}
	}
	s.say("reload: %s is %+v of %s with %v", p.Name, p.Workers, p.Image, p.Env)
	s.cfg = &next
	for _, p := range next.Pools {
		s.fleet.Update(poolConfig(p))
	}
	s.scaler.Reload(context.Background(), &next)
}

// holdOn is a hand-over that is begun and given up, perhaps because a start took too long.
func (s *storm) holdOn() {
	patience := time.Duration(s.rng.IntN(3000)) * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), patience+time.Duration(s.rng.IntN(20000))*time.Millisecond)
	defer cancel()
	err := s.scaler.Hold(ctx, patience)
	s.say("held: %v", err)
	s.look()
	s.pass(time.Duration(s.rng.IntN(20000)) * time.Millisecond)
	s.look()
	if err := s.scaler.Resume(context.Background()); err != nil {
		s.fail("not resumed: %v", err)
	}
	s.say("resumed")
}

// load sends requests of both pools, each of which takes d at most.
func (s *storm) load(n int, d time.Duration) {
	s.say("%d requests of up to %v", n, d)
	for i := range n {
		takes := time.Duration(s.rng.Int64N(int64(d) + 1))
		s.sent.Go(func() {
			lease, err := s.fleet.Acquire(context.Background(), fleet.Request{Capability: []string{"mult", "add"}[i%2]})
			if err == nil {
				s.engine.serve(lease, takes)
			}
		})
	}
}
