package fleet

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	stressClients  = 50
	stressRequests = 200 // of each client
)

// stress is what can be seen of the fleet from outside while everybody pulls at it.
type stress struct {
	*testing.T
	f     *Fleet
	seen  sync.Map     // *Worker: *sight
	slots sync.Map     // *slot: who holds it
	epoch atomic.Int64 // counts what has been taken out of rotation
	tally [6]atomic.Int64

	slept, woke atomic.Int64
}

// sight is one worker as seen from outside.
type sight struct {
	inflight atomic.Int32
	out      atomic.Int64 // the epoch in which it was drained, failed or removed
	lacks    sync.Map     // capability: the epoch in which it said so
	limiting sync.Mutex   // one Limit at a time
	shut     atomic.Int64 // the epoch in which it was limited to nothing; 0: it was not
}

const (
	tallyLeased = iota
	tallyReleased
	tallyLeft
	tallyTimeout
	tallyFull
	tallyNone
)

func (s *stress) sight(w *Worker) *sight {
	v, _ := s.seen.LoadOrStore(w, &sight{})
	return v.(*sight)
}

func stressPools() []PoolConfig {
	pools := field()
	for i := range pools {
		pools[i].Concurrency = 1 + i%3
		pools[i].Max = 6
		pools[i].Ramp = 100 * ms
		pools[i].Eject = Eject{Failures: 3, Time: 10 * ms}
		pools[i].Pick = []Pick{RoundRobin, MostRecent, Fastest, LeastBusy}[i]
		pools[i].QueueLength = 30
		pools[i].QueueWait = 100 * ms
	}
	return pools
}

func TestStressKeepsEveryPromise(t *testing.T) {
	s := &stress{T: t, f: New(stressPools(), time.Now)}
	var gone atomic.Int64
	s.f.OnGone(func(*Worker) { gone.Add(1) })
	var clients, managers sync.WaitGroup
	done := make(chan struct{})
	var added atomic.Int64
	for seed := range 2 {
		managers.Go(func() { s.manage(done, uint64(seed), &added) })
	}
	for seed := range stressClients {
		clients.Go(func() { s.client(uint64(seed)) })
	}
	clients.Wait()
	close(done)
	managers.Wait()

	audit(t, s.f)
	if s.slept.Load() == 0 || s.woke.Load() == 0 {
		t.Errorf("%d were put to sleep, %d woken", s.slept.Load(), s.woke.Load())
	}
	if len(s.f.Verdicts()) == 0 {
		t.Error("nobody was ejected")
	}
	for _, p := range s.f.Status() {
		m := measure(t, s.f, p.Name)
		expect(t, "in service in "+p.Name, m.Busy, 0)
		expect(t, "waiting in "+p.Name, m.Queue, 0)
	}
	expect(t, "leases released", s.tally[tallyReleased].Load(), s.tally[tallyLeased].Load())
	for i, name := range []string{"leased", "released", "left", "timed out", "full", "no worker"} {
		t.Logf("%s: %d", name, s.tally[i].Load())
	}
	for _, w := range s.f.Workers() {
		s.f.Remove(w.ID)
	}
	audit(t, s.f)
	expect(t, "workers gone", gone.Load(), added.Load())
	if s.tally[tallyLeased].Load() < stressClients*stressRequests/4 || s.tally[tallyLeft].Load() == 0 {
		t.Error("too little happened for this test to prove anything")
	}
}

func (s *stress) client(seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	for range stressRequests {
		req := Request{Capability: []string{"mult", "add", Wildcard}[random.IntN(3)]}
		for tries := 0; tries < 4 && s.attempt(random, &req); tries++ {
		}
	}
}

// attempt is one Acquire and what follows; it reports whether the request comes back for another.
func (s *stress) attempt(random *rand.Rand, req *Request) (again bool) {
	ctx, cancel := s.Context(), func() {}
	if random.IntN(3) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(2000))*time.Microsecond)
	}
	defer cancel()
	epoch := s.epoch.Load()
	l, err := s.f.Acquire(ctx, *req)
	if err != nil {
		s.refused(err)
		return false
	}
	s.leased(l, *req, epoch)
	for range random.IntN(20) {
		runtime.Gosched()
	}
	s.slots.Delete(l.slot)
	s.sight(l.Worker).inflight.Add(-1)
	again = s.release(random, l, req)
	if l.Release(Outcome{Kind: Served}) {
		s.Errorf("a lease on %s was released twice", l.Worker)
	}
	s.tally[tallyReleased].Add(1)
	return again
}

// leased checks that a lease is one its holder may have.
func (s *stress) leased(l Lease, req Request, epoch int64) {
	s.tally[tallyLeased].Add(1)
	w := s.sight(l.Worker)
	if n := w.inflight.Add(1); n < 1 || int(n) > l.Worker.Concurrency {
		s.Errorf("%s has %d in flight and takes %d", l.Worker, n, l.Worker.Concurrency)
	}
	if _, held := s.slots.LoadOrStore(l.slot, l.Worker); held {
		s.Errorf("a slot on %s has two holders", l.Worker)
	}
	if _, awake := s.f.Naps(l.Worker); !awake {
		s.Errorf("%s was given away asleep", l.Worker)
	}
	if out := w.out.Load(); out != 0 && out <= epoch {
		s.Errorf("%s was given away after it was taken out", l.Worker)
	}
	if shut := w.shut.Load(); shut != 0 && shut <= epoch {
		s.Errorf("%s was given away while it was limited to nothing", l.Worker)
	}
	if since, ok := w.lacks.Load(req.Capability); ok && since.(int64) <= epoch {
		s.Errorf("%s was asked for %s again", l.Worker, req.Capability)
	}
	if l.Worker == req.Not {
		s.Errorf("%s was given to the request that must not have it", l.Worker)
	}
	if c := l.Worker.Capabilities; l.Worker.Origin != Registered && !slices.Contains(c, req.Capability) {
		s.Errorf("%s can do %v and was asked for %s", l.Worker, c, req.Capability)
	}
}

func (s *stress) release(random *rand.Rand, l Lease, req *Request) (again bool) {
	req.Again, req.Not = &l, nil
	switch k := random.IntN(100); {
	case k == 0:
		l.Release(Outcome{Kind: Busy})
		return random.IntN(2) == 0 // some give up
	case k < 4, k < 90 && strings.HasSuffix(l.Worker.ID, "7"): // some are broken
		l.Release(Outcome{Kind: Broke})
		req.Not = l.Worker
		return true
	case k < 6:
		if l.Lacks() {
			s.sight(l.Worker).lacks.Store(req.Capability, s.epoch.Add(1))
		}
		return true
	case k < 10:
		l.Release(Outcome{Kind: ClientGone})
	default:
		l.Release(Outcome{Kind: Served})
	}
	return false
}

func (s *stress) refused(err error) {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		s.tally[tallyLeft].Add(1)
	case errors.Is(err, ErrQueueTimeout):
		s.tally[tallyTimeout].Add(1)
	case errors.Is(err, ErrQueueFull):
		s.tally[tallyFull].Add(1)
	case errors.Is(err, ErrNoWorker):
		s.tally[tallyNone].Add(1)
	default:
		s.Errorf("Acquire: %v", err)
	}
}
