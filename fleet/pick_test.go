package fleet

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func TestRoundRobinGivesEachIdleWorkerItsTurn(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a", "b", "c")
	expectList(t, "turns", turns(t, f, "mult", 7), []string{"a", "b", "c", "a", "b", "c", "a"})

	busy := take(t, f, "mult") // b
	expectList(t, "turns without the busy one", turns(t, f, "mult", 4), []string{"c", "a", "c", "a"})
	end(t, busy, Served)
	expectList(t, "turns with it again", turns(t, f, "mult", 3), []string{"c", "a", "b"})
	audit(t, f)
}

func TestRoundRobinGoesOnWhileWorkersLeave(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a", "b", "c", "d", "e")
	expectList(t, "first turns", turns(t, f, "mult", 2), []string{"a", "b"})
	if _, err := f.Drain("d", "test"); err != nil {
		t.Fatal(err)
	}
	expectList(t, "turns past the draining", turns(t, f, "mult", 4), []string{"c", "e", "a", "b"})
	f.Fail("e", "test")
	f.Remove("c")
	active(t, f, "p", "f")
	expectList(t, "turns of who is left and who is new", turns(t, f, "mult", 6), []string{"a", "b", "f", "a", "b", "f"})
	audit(t, f)
}

func TestRoundRobinIsFairToTheLastTask(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	for i := range 7 {
		active(t, f, "p", fmt.Sprint("w", i))
	}
	random := rand.New(rand.NewPCG(1, 2))
	var held []Lease
	for range 7000 {
		if len(held) < 3 {
			held = append(held, take(t, f, "mult"))
			continue
		}
		i := random.IntN(len(held))
		end(t, held[i], Served)
		held = append(held[:i], held[i+1:]...)
	}
	least, most := uint64(1<<62), uint64(0)
	for _, w := range f.Workers() {
		least, most = min(least, w.served), max(most, w.served)
	}
	if most-least > 100 { // of some 500 each; whoever is held long misses a few turns
		t.Errorf("served between %d and %d", least, most)
	}
	audit(t, f)
}

func TestPickWithSeveralAtATimeTakesTheLeastBusyWorkerFirst(t *testing.T) {
	for _, order := range []Pick{RoundRobin, MostRecent, Fastest, LeastBusy} {
		t.Run(string(order), func(t *testing.T) {
			f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency, p.Pick = 3, order }))
			workers := active(t, f, "p", "a", "b")
			for level := 1; level <= 3; level++ {
				seen := map[string]int{}
				for range workers {
					seen[take(t, f, "mult").Worker.ID]++
					audit(t, f)
				}
				if seen["a"] != 1 || seen["b"] != 1 {
					t.Fatalf("the %d. round went to %v", level, seen)
				}
			}
			if l, err := try(f, Request{Capability: "mult"}); err == nil {
				t.Fatalf("a seventh task went to %s", l.Worker)
			}
		})
	}
}

func TestPickRoundRobinHoldsAmongEquallyBusyWorkers(t *testing.T) {
	f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 2 }))
	active(t, f, "p", "a", "b", "c")
	var held []Lease
	for range 6 {
		held = append(held, take(t, f, "mult"))
	}
	end(t, held[1], Served) // b, then a, have one slot each
	end(t, held[0], Served)
	expect(t, "first", take(t, f, "mult").Worker.ID, "b")
	expect(t, "second", take(t, f, "mult").Worker.ID, "a")
	audit(t, f)
}

func TestPickMostRecentKeepsTheSurplusCold(t *testing.T) {
	f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Pick = MostRecent }))
	active(t, f, "p", "a", "b", "c")
	expectList(t, "turns", turns(t, f, "mult", 3), []string{"c", "c", "c"})
	one, two := take(t, f, "mult"), take(t, f, "mult")
	expect(t, "the next to the last", two.Worker.ID, "b")
	end(t, one, Served)
	end(t, two, Served)
	expect(t, "the last to become idle", serve(t, f, "mult"), "b")
	audit(t, f)
}

func TestPickFastestAsksTheQuickestIdleWorker(t *testing.T) {
	f, c := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Pick = Fastest }))
	active(t, f, "p", "slow", "quick", "middle")
	pace := map[string]time.Duration{"slow": 300 * time.Millisecond, "quick": 20 * time.Millisecond, "middle": 100 * time.Millisecond}
	for range 3 { // nobody is known yet: each is tried once, longest idle first
		l := take(t, f, "mult")
		c.pass(pace[l.Worker.ID])
		end(t, l, Served)
	}
	var order []string
	for range 3 {
		order = append(order, take(t, f, "mult").Worker.ID)
	}
	expectList(t, "order", order, []string{"quick", "middle", "slow"})
	audit(t, f)
}

func TestPickLeastBusyEvensOutTimeAndNotTasks(t *testing.T) {
	f, c := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Pick = LeastBusy }))
	active(t, f, "p", "slow", "quick")
	pace := map[string]time.Duration{"slow": 300 * time.Millisecond, "quick": 100 * time.Millisecond}
	count := map[string]int{}
	for range 40 {
		l := take(t, f, "mult")
		count[l.Worker.ID]++
		c.pass(pace[l.Worker.ID])
		end(t, l, Served)
	}
	expect(t, "tasks of the slow one", count["slow"], 10)
	expect(t, "tasks of the quick one", count["quick"], 30)
	audit(t, f)
}

func TestPickPassesOverTheExcludedWorkerAndKeepsItsTurn(t *testing.T) {
	for _, order := range []Pick{RoundRobin, Fastest, LeastBusy} {
		t.Run(string(order), func(t *testing.T) {
			f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Pick = order }))
			a := active(t, f, "p", "a", "b", "c")[0]
			l, err := try(f, Request{Capability: "mult", Not: a})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, "instead of a", l.Worker.ID, "b")
			expect(t, "the turn a kept", take(t, f, "mult").Worker.ID, "a")
			expect(t, "and then", take(t, f, "mult").Worker.ID, "c")
			audit(t, f)
		})
	}
}

func TestPickNeverGivesTheExcludedWorkerEvenWhenItIsTheOnlyOne(t *testing.T) {
	for _, order := range []Pick{RoundRobin, MostRecent, Fastest, LeastBusy} {
		f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Pick = order }))
		a := active(t, f, "p", "a")[0]
		_, err := try(f, Request{Capability: "mult", Not: a})
		expectErr(t, err, errImpatient)
		expect(t, "others still get it", serve(t, f, "mult"), "a")
		audit(t, f)
	}
}

func TestPickMemoryStaysBoundedOverAMillionMoves(t *testing.T) {
	for _, order := range []Pick{RoundRobin, MostRecent, Fastest, LeastBusy} {
		t.Run(string(order), func(t *testing.T) {
			t.Parallel()
			g := &group{pick: order}
			workers := make([]*Worker, 8)
			for i := range workers {
				workers[i] = &Worker{state: Active, limit: 4, group: g}
			}
			random := rand.New(rand.NewPCG(3, 4))
			for range 1_000_000 { // into the set, out of it by being taken or by being withdrawn, at any number of tasks
				w := workers[random.IntN(len(workers))]
				switch random.IntN(4) {
				case 0:
					g.take(w)
				case 1:
					g.withdraw(w)
				case 2:
					g.withdraw(w)
					w.inflight = random.Int32N(w.limit)
					g.offer(w, 0)
				default:
					g.offer(w, 0)
				}
			}
			for level, set := range g.levels {
				if n := set.size(); n > 2*len(workers)+17 {
					t.Errorf("level %d holds %d entries for %d workers", level, n, len(workers))
				}
				if r, ok := set.(*ring); ok && len(r.buf) > 64 {
					t.Errorf("level %d has room for %d entries", level, len(r.buf))
				}
				valid := 0
				for _, e := range entriesOf(set) {
					if e.valid() && int(e.w.inflight) == level {
						valid++
					}
				}
				expect(t, fmt.Sprintf("valid entries at level %d", level), g.live[level], valid)
			}
		})
	}
}

func TestPickIsThatOfTheWorkersOwnPool(t *testing.T) {
	recent := func(p *PoolConfig) { p.Pick = MostRecent }
	f, _ := still(kind("mult", "mult"), with(kind("both", "mult", "add"), recent))
	active(t, f, "both", "a", "b")
	expectList(t, "most recent", turns(t, f, "add", 3), []string{"b", "b", "b"})
	audit(t, f)
}

func TestPickRankedYieldsInOrderWhateverLeavesInBetween(t *testing.T) {
	g := &group{pick: Fastest}
	random := rand.New(rand.NewPCG(7, 8))
	workers := make([]*Worker, 500)
	for i := range workers {
		workers[i] = &Worker{state: Active, limit: 1, group: g, pace: float64(random.IntN(50)), Info: Info{ID: fmt.Sprint(i)}}
		g.offer(workers[i], 0)
	}
	out := map[*Worker]bool{}
	for range 200 {
		w := workers[random.IntN(len(workers))]
		out[w] = true
		g.withdraw(w)
	}
	g.levels[0].compact()
	expect(t, "entries after compaction", g.levels[0].size(), len(workers)-len(out))
	var before *Worker
	for range len(workers) - len(out) {
		w := g.take(workers[0])
		if w == nil || out[w] {
			break // all that are left are withdrawn or excluded
		}
		if before != nil && w.pace < before.pace {
			t.Fatalf("pace %v after %v", w.pace, before.pace)
		}
		before = w
		out[w] = true
	}
	if left := len(workers) - len(out); left > 1 || left == 1 && out[workers[0]] {
		t.Errorf("%d workers were never taken", left)
	}
}
