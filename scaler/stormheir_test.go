package scaler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

// succeed has another balancer take over: handed to, or after the first has died in the middle of what it did, and its driver with it.
func (s *storm) succeed() {
	var from Legacy
	handed := s.rng.IntN(2) == 0
	s.say("another balancer, handed over to: %v", handed)
	if handed {
		from = s.handOver()
	}
	if err := s.scaler.Leave(context.Background()); err != nil {
		s.fail("it does not leave: %v", err)
	}
	s.probes.end()
	s.cancel()
	<-s.ended
	s.engine.die()
	s.next(from)
	for _, p := range s.cfg.Pools {
		s.most[p.Name] = len(s.driver.Workers()) // it adopts what there is, be it too many
	}
	s.probes.begin()
	s.look()
}

func (s *storm) handOver() Legacy {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.scaler.Hold(ctx, 2*time.Second); err != nil {
		s.say("not held: %v", err)
	}
	from := Legacy{Workers: map[string]fleet.Held{}}
	for _, p := range s.fleet.Status() {
		for _, w := range p.Workers {
			from.Workers[w.ID] = fleet.Held{Info: w.Info, State: w.State, Reason: w.Reason, Busy: w.InFlight}
		}
	}
	return from
}

// next is the balancer from now on. One that cannot learn what there is ends, and is started again.
func (s *storm) next(from Legacy) {
	old := s.bench
	for {
		next := newBench(old.t, drivertest.FakeOptions{}, old.cfg.Pools...)
		next.cfg.Publish, next.driver, next.prober = old.cfg.Publish, old.driver, old.prober
		next.scaler.Prober = old.prober
		next.ports = fleet.NewPorts(20000, old.ports.Status().To, time.Now)
		s.bench, s.most = next, map[string]int{}
		s.equip()
		_, _, err := s.scaler.AdoptFrom(context.Background(), from)
		if err == nil {
			break
		}
		s.say("it does not learn what there is: %v", err)
		s.driver.SetDown(nil)
		s.pass(time.Second)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go func(b *bench) { defer close(b.ended); b.scaler.Run(ctx) }(s.bench)
}

// watchman asks the workers whether they answer, as the health checks do, and gives up none before the engine is known to be there.
type watchman struct {
	storm  *storm
	stop   context.CancelFunc
	over   chan struct{}
	pulses map[*fleet.Worker]*heartbeat

	mu   sync.Mutex
	mute map[string]bool // guarded by mu: workers that answer nobody
}

type heartbeat struct {
	strikes  int
	question uint64
}

func (m *watchman) silence(worker string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mute[worker] = true
}

func (m *watchman) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.mute)
}

// begin watches the workers of the storm's fleet until end.
func (m *watchman) begin() {
	ctx, stop := context.WithCancel(context.Background())
	m.stop, m.over, m.pulses = stop, make(chan struct{}), map[*fleet.Worker]*heartbeat{}
	go func() {
		defer close(m.over)
		m.watch(ctx)
	}()
}

func (m *watchman) end() {
	m.stop()
	<-m.over
}

func (m *watchman) watch(ctx context.Context) {
	for idle(ctx, time.Second) == nil {
		for _, w := range m.storm.fleet.Wakeful() {
			m.ask(w)
		}
	}
}

func (m *watchman) answers(w *fleet.Worker) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	there := func(inst driver.Instance) bool {
		return inst.Worker == w.ID && inst.Running && !inst.Paused
	}
	return !m.mute[w.ID] && slices.ContainsFunc(m.storm.driver.Workers(), there)
}

func (m *watchman) ask(w *fleet.Worker) {
	f, p := m.storm.fleet, m.pulses[w]
	if p == nil {
		p = &heartbeat{}
		m.pulses[w] = p
	}
	vouched := p.question != 0 && f.Engine().Vouched(p.question)
	if m.answers(w) {
		if p.question != 0 {
			f.Regain(w.ID)
		}
		*p = heartbeat{}
		return
	}
	if _, awake := f.Naps(w); !awake {
		return
	}
	p.strikes++
	switch {
	case p.strikes < 2:
	case p.question == 0:
		p.question = f.Engine().Ask()
		f.Lose(w.ID, "it does not answer")
	case vouched:
		f.Fail(w.ID, fmt.Sprintf("it does not answer: %d times", p.strikes))
	}
}
