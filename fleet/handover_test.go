package fleet

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// twin is the fleet that took the workers over, asked without a wire in between.
type twin struct {
	f      *Fleet
	mu     sync.Mutex
	leases map[uint64]Lease
	before map[string][]Lease // those of before, by worker
	next   uint64
	gone   chan struct{}
}

func takeOver(old, next *Fleet) *twin {
	t := &twin{f: next, leases: map[uint64]Lease{}, before: map[string][]Lease{}, gone: make(chan struct{})}
	old.HandOver(t)
	return t
}

func (t *twin) Given(held []Held, order uint64) {
	t.f.Follow(order)
	for _, h := range held {
		for range h.Busy {
			l, _ := t.f.Occupy(h.ID)
			t.before[h.ID] = append(t.before[h.ID], l)
		}
	}
}

func (t *twin) Claim(ctx context.Context, want Want) (Grant, error) {
	req := Request{Capability: want.Capability, Place: &want.Place}
	req.Not, _, _ = t.f.Worker(want.Not)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-t.gone:
			cancel(ErrTakenBack)
		case <-ctx.Done():
		}
	}()
	lease, err := t.f.Acquire(ctx, req)
	if err != nil {
		return Grant{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.next++
	t.leases[t.next] = lease
	return Grant{Token: t.next, Worker: lease.Worker.Info, Start: lease.Start}, nil
}

func (t *twin) Returned(r Return) {
	t.mu.Lock()
	defer t.mu.Unlock()
	lease := t.leases[r.Token]
	if r.Token == 0 {
		lease = t.before[r.Worker][0]
		t.before[r.Worker] = t.before[r.Worker][1:]
	}
	if r.Lacks {
		lease.Lacks()
	}
	lease.Release(Outcome{Kind: r.Kind})
}

// pair is two fleets with the same workers.
func pair(t *testing.T, p PoolConfig, ids ...string) (old, next *Fleet) {
	old, next = New([]PoolConfig{p}, time.Now), New([]PoolConfig{p}, time.Now)
	active(t, old, p.Name, ids...)
	active(t, next, p.Name, ids...)
	return old, next
}

func TestATaskFromBeforeTheHandOverOccupiesItsWorkerUntilItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := pair(t, kind("p", "mult"), "a")
		before := take(t, old, "mult")
		takeOver(old, next)
		waiting := ask(t.Context(), next, Request{Capability: "mult"})
		expectWaiting(t, waiting)
		end(t, before, Served)
		got := answered(t, waiting)
		expectErr(t, got.err, nil)
		end(t, got.Lease, Served)
		audit(t, next)
		audit(t, old)
	})
}

func TestWhoWaitsWhenTheWorkersAreGivenAwayIsServedFirstAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := pair(t, kind("p", "mult"), "a")
		busy := take(t, old, "mult")
		first := ask(t.Context(), old, Request{Capability: "mult"})
		expectWaiting(t, first)
		second := ask(t.Context(), old, Request{Capability: "mult"})
		expectWaiting(t, second)
		takeOver(old, next)
		synctest.Wait()
		third := ask(t.Context(), next, Request{Capability: "mult"})
		expectWaiting(t, third)
		fourth := ask(t.Context(), old, Request{Capability: "mult"}) // on a connection that the old process still has
		expectWaiting(t, fourth)
		end(t, busy, Served)
		for i, in := range []<-chan answer{first, second, fourth, third} {
			got := answered(t, in)
			expectErr(t, got.err, nil)
			for _, other := range []<-chan answer{first, second, fourth, third}[i+1:] {
				expectWaiting(t, other)
			}
			end(t, got.Lease, Served)
		}
		audit(t, old)
		audit(t, next)
		expect(t, "busy", measure(t, next, "p").Busy, 0)
	})
}

func TestWhoClaimedFirstAndWaitsLaterAsksElsewhereToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := pair(t, kind("p", "mult"), "a")
		busy := take(t, old, "mult")
		_, before, err := old.Claim(Request{Capability: "mult"})
		expectErr(t, err, nil)
		takeOver(old, next)
		_, after, err := old.Claim(Request{Capability: "mult"})
		expectErr(t, err, nil)
		end(t, busy, Served)
		for _, w := range []*Waiter{before, after} {
			lease, err := w.Wait(t.Context())
			expectErr(t, err, nil)
			end(t, lease, Served)
		}
		audit(t, old)
		audit(t, next)
	})
}

func TestTimeSpentInTheOldQueueCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := pair(t, with(kind("p", "mult"), func(p *PoolConfig) { p.QueueWait = time.Second }), "a")
		busy := take(t, old, "mult")
		waiting := ask(t.Context(), old, Request{Capability: "mult"})
		expectWaiting(t, waiting)
		pass(700 * time.Millisecond)
		takeOver(old, next)
		pass(299 * time.Millisecond)
		expectWaiting(t, waiting)
		pass(time.Millisecond)
		expectErr(t, answered(t, waiting).err, ErrQueueTimeout)
		end(t, busy, Served)
		audit(t, old)
	})
}

func TestAWorkerTheOldFleetDoesNotKnowIsLearnt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := pair(t, kind("p", "mult"), "a")
		takeOver(old, next)
		next.Remove("a")
		add(t, next, Info{ID: "a", Pool: "p", Address: "http://new", Generation: "later", Origin: Cold})
		next.Ready("a", "", 1)
		got := answered(t, ask(t.Context(), old, Request{Capability: "mult"}))
		expectErr(t, got.err, nil)
		expect(t, "address", got.Lease.Worker.Address, "http://new")
		end(t, got.Lease, Served)
		expect(t, "served there", statusOf(t, next, "p").Workers[0].Served, 1)
		audit(t, old)
	})
}

func TestWhatTheOldFleetIsToldIsToldOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := pair(t, kind("p", "mult"), "a")
		takeOver(old, next)
		l := take(t, old, "mult")
		end(t, l, Busy)
		expectWaiting(t, ask(t.Context(), next, Request{Capability: "mult"})) // it pauses there
		pass(pauseBase)
		synctest.Wait()
		expect(t, "failed", measure(t, next, "p").Latency.Failed, 0)
	})
}

func TestAWorkerThatLacksACapabilityLacksItForBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := New([]PoolConfig{kind("p", "mult", "add")}, time.Now), New([]PoolConfig{kind("p", "mult", "add")}, time.Now)
		for _, f := range []*Fleet{old, next} {
			add(t, f, Info{ID: "r", Address: "http://r", Generation: "g", Origin: Registered})
			f.Ready("r", "", 0)
		}
		takeOver(old, next)
		take(t, old, "mult").Lacks()
		expectWaiting(t, ask(t.Context(), next, Request{Capability: "mult"}))
		end(t, take(t, next, "add"), Served)
	})
}

func TestWhenWhoTookOverIsGoneTheOldFleetDecidesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := pair(t, kind("p", "mult"), "a", "b")
		before := take(t, old, "mult")
		tw := takeOver(old, next)
		borrowed := take(t, old, "mult")
		first := ask(t.Context(), old, Request{Capability: "mult"})
		expectWaiting(t, first)
		second := ask(t.Context(), old, Request{Capability: "mult"})
		expectWaiting(t, second)
		close(tw.gone)
		synctest.Wait()
		end(t, borrowed, Served)
		end(t, before, Served)
		for _, in := range []<-chan answer{first, second} {
			got := answered(t, in)
			expectErr(t, got.err, nil)
			end(t, got.Lease, Served)
		}
		audit(t, old)
	})
}

func TestAClientThatLeavesWhileItAsksElsewhereTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := pair(t, kind("p", "mult"), "a")
		busy := take(t, old, "mult")
		ctx, cancel := context.WithCancelCause(t.Context())
		waiting := ask(ctx, old, Request{Capability: "mult"})
		expectWaiting(t, waiting)
		takeOver(old, next)
		left := errors.New("left")
		cancel(left)
		expectErr(t, answered(t, waiting).err, left)
		end(t, busy, Served)
		end(t, take(t, next, "mult"), Served)
		audit(t, next)
	})
}

// At any moment the tasks of both on a worker are at most what it takes: the new fleet knows them all.
func TestTwoFleetsTogetherKeepTheConcurrencyOfEveryWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const concurrency, requests = 3, 400
		old, next := pair(t, with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = concurrency; p.QueueWait = time.Hour }), "a", "b")
		var mu sync.Mutex
		on := map[string]int{}
		step := func(id string, by int) {
			mu.Lock()
			defer mu.Unlock()
			if on[id] += by; on[id] > concurrency {
				t.Errorf("%d tasks on %s", on[id], id)
			}
		}
		var wg sync.WaitGroup
		serveOn := func(f *Fleet, n int) {
			for i := range n {
				wg.Go(func() {
					<-time.After(time.Duration(i) * time.Millisecond)
					l, err := f.Acquire(t.Context(), Request{Capability: "mult"})
					if err != nil {
						t.Error(err)
						return
					}
					step(l.Worker.ID, +1)
					<-time.After(time.Duration(5+i%17) * time.Millisecond)
					step(l.Worker.ID, -1)
					l.Release(Outcome{Kind: Served})
				})
			}
		}
		serveOn(old, requests)
		pass(requests / 3 * time.Millisecond)
		takeOver(old, next)
		serveOn(next, requests)
		wg.Wait()
		audit(t, old)
		audit(t, next)
		expect(t, "busy", measure(t, next, "p").Busy, 0)
	})
}
