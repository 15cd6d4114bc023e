package fleet

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
)

// manage adds workers and takes them away until done.
func (s *stress) manage(done <-chan struct{}, seed uint64, added *atomic.Int64) {
	random := rand.New(rand.NewPCG(seed, 2))
	pools := s.f.Status()
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		runtime.Gosched()
		p := pools[random.IntN(len(pools))]
		switch k := random.IntN(24); {
		case k < 8:
			s.add(random, p, fmt.Sprint(p.Name, seed, "-", i), added)
		case k < 11:
			s.takeOut(random)
		case k < 15:
			s.f.Steer(p.Name, random.IntN(4), random.IntN(3))
		case k == 15:
			for _, w := range s.f.Retire(p.Name, random.IntN(2), 1, "stress") {
				s.out(w)
				s.f.Remove(w.ID)
			}
		case k == 16:
			s.f.SetUnavailable(p.Name, []string{"", "stress"}[random.IntN(2)])
		case k == 17:
			s.limit(random)
		case k == 18:
			s.f.Measure(p.Name)
		case k < 23:
			s.sleep(random, p.Name)
		default:
			audit(s.T, s.f)
		}
	}
}

func (s *stress) add(random *rand.Rand, p PoolStatus, id string, added *atomic.Int64) {
	if len(s.f.Workers(Starting, Spare, Active)) >= 16 {
		return
	}
	info := Info{ID: id, Pool: p.Name, Origin: Cold, Capabilities: p.Capabilities}
	if random.IntN(4) == 0 {
		info = Info{ID: id, Origin: Registered, Concurrency: 2}
	}
	if _, err := s.f.Add(info); err != nil {
		s.Error(err)
	}
	added.Add(1)
	s.f.Ready(id, "", random.IntN(4))
}

// takeOut takes one worker out, gently or not.
func (s *stress) takeOut(random *rand.Rand) {
	workers := s.f.Workers()
	if len(workers) < 6 {
		return
	}
	w := workers[random.IntN(len(workers))]
	switch random.IntN(4) {
	case 0:
		s.f.Fail(w.ID, "stress")
		s.out(w)
	case 1:
		s.f.Remove(w.ID)
		s.out(w)
	default:
		idle, err := s.f.Drain(w.ID, "stress")
		s.out(w)
		if err == nil && random.IntN(2) == 0 {
			<-idle // those who hold a lease go on by themselves
			if _, _, there := s.f.Worker(w.ID); there && s.sight(w).inflight.Load() != 0 {
				s.Errorf("%s has drained with tasks in flight", w)
			}
		}
		s.f.Remove(w.ID)
	}
}

// limit lets one worker have less or more for a while.
func (s *stress) limit(random *rand.Rand) {
	workers := s.f.Workers()
	if len(workers) == 0 {
		return
	}
	w := workers[random.IntN(len(workers))]
	seen, n := s.sight(w), random.IntN(w.Concurrency+2)
	seen.limiting.Lock()
	defer seen.limiting.Unlock()
	seen.shut.Store(0)
	if s.f.Limit(w.ID, n) && n == 0 {
		seen.shut.Store(s.epoch.Add(1))
	}
}

// sleep puts spares to sleep and wakes those that are called, or any; now and then one does not wake.
func (s *stress) sleep(random *rand.Rand, pool string) {
	for _, w := range s.f.Doze(pool, 0) {
		runtime.Gosched()
		s.f.Asleep(w.ID)
		s.slept.Add(1)
	}
	wanted := s.f.Called()
	if random.IntN(4) == 0 {
		wanted = append(wanted, s.f.Sleeping(pool)...)
	}
	for _, w := range wanted {
		if !s.f.Wake(w.ID) {
			continue
		}
		runtime.Gosched()
		if random.IntN(8) > 0 {
			s.f.Awake(w.ID)
			s.woke.Add(1)
		} else if s.f.Fail(w.ID, "it does not wake") {
			s.out(w)
		}
	}
}

func (s *stress) out(w *Worker) { s.sight(w).out.CompareAndSwap(0, s.epoch.Add(1)) }
