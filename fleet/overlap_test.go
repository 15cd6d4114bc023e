package fleet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// field is the field of the exercise: general and special workers, and what nobody names.
func field() []PoolConfig {
	return []PoolConfig{kind("general", "mult", "add"), kind("mult", "mult"), kind("add", "add"), kind("rest", Wildcard)}
}

func TestOverlapResolvesEverySegmentToWhoTakesIt(t *testing.T) {
	f, _ := still(field()...)
	for segment, want := range map[string]string{"mult": "mult", "add": "add", "pdf": Wildcard, "": Wildcard, Wildcard: Wildcard} {
		got, ok := f.Resolve(segment)
		if !ok || got != want {
			t.Errorf("Resolve(%q) = %q, %v, want %q", segment, got, ok, want)
		}
	}
	named, _ := still(kind("p", "mult"))
	for _, segment := range []string{"pdf", "", Wildcard} {
		if got, ok := named.Resolve(segment); ok {
			t.Errorf("without a wildcard, Resolve(%q) = %q", segment, got)
		}
	}
	expectList(t, "capabilities", f.Capabilities(), []string{Wildcard, "add", "mult"})
}

func TestOverlapNoTaskReachesAWorkerThatLacksIt(t *testing.T) {
	f, c := still(field()...)
	random := rand.New(rand.NewPCG(5, 6))
	pools := []string{"general", "mult", "add", "rest"}
	can := map[string][]string{}
	for _, p := range field() {
		can[p.Name] = p.Capabilities
	}
	check := func(l Lease, capability string) {
		if !slices.Contains(can[l.Worker.Pool], capability) {
			t.Fatalf("a task %s went to %s", capability, l.Worker)
		}
	}
	var held []Lease
	var waiting []*waiter
	served := map[string]int{}
	for i := range 2000 {
		c.pass(time.Duration(random.IntN(1000)) * time.Microsecond)
		switch p := pools[random.IntN(4)]; random.IntN(8) {
		case 0:
			if len(f.Workers()) < 12 {
				add(t, f, Info{ID: fmt.Sprint(p, i), Pool: p})
				f.Ready(fmt.Sprint(p, i), "", random.IntN(4))
			}
		case 1:
			f.Steer(p, random.IntN(3), random.IntN(3))
		case 2:
			for _, w := range f.Retire(p, random.IntN(2), random.IntN(2), "test") {
				f.Remove(w.ID)
			}
		case 3, 4, 5:
			capability := []string{"mult", "add", Wildcard}[random.IntN(3)]
			l, w, err := f.claim(Request{Capability: capability})
			if err != nil {
				t.Fatal(err)
			}
			if w != nil {
				waiting = append(waiting, w)
			} else {
				check(l, capability)
				held = append(held, l)
			}
		default:
			if len(held) > 0 {
				at := random.IntN(len(held))
				end(t, held[at], Served)
				held = slices.Delete(held, at, at+1)
			}
		}
		waiting = slices.DeleteFunc(waiting, func(w *waiter) bool {
			l, to := granted(w)
			if to != "" {
				check(l, w.route.capability)
				held = append(held, l)
				served[l.Worker.Pool]++
			}
			return to != ""
		})
		audit(t, f)
	}
	for _, p := range pools {
		if served[p] == 0 {
			t.Errorf("no request that waited went to pool %s: the test proves too little", p)
		}
	}
}

func TestOverlapHomeIsThePoolThatCanDoLeast(t *testing.T) {
	f, _ := still(field()...)
	active(t, f, "general", "g1", "g2", "g3")
	for capability, home := range map[string]string{"mult": "mult", "add": "add"} {
		l := take(t, f, capability)
		expect(t, "home of "+capability, l.Home(), home)
		expect(t, "served by", l.Worker.Pool, "general")
	}
	expect(t, "arrivals at home", measure(t, f, "mult").Slow.Arrivals, 1)
	expect(t, "arrivals where it is served", measure(t, f, "general").Slow.Arrivals, 0)
	audit(t, f)
}

func TestOverlapHomeOfEqualPoolsIsTheFirstConfigured(t *testing.T) {
	f, _ := still(kind("one", "mult", "add"), kind("two", "mult", "sub"))
	active(t, f, "two", "w")
	l := take(t, f, "mult")
	expect(t, "home", l.Home(), "one")
}

func TestOverlapHomeIsTheNextPoolWhileTheFirstIsAtItsMax(t *testing.T) {
	limited := func(p *PoolConfig) { p.Max = 1 }
	f, _ := still(with(kind("mult", "mult"), limited), with(kind("both", "mult", "add"), limited))
	starting := add(t, f, Info{ID: "m", Pool: "mult"})
	w := enqueue(t, f, Request{Capability: "mult"}) // the place at mult is taken by one that still starts
	expect(t, "home", w.home.Name, "both")
	f.Fail(starting.ID, "test")
	expect(t, "home when that place is free again", enqueue(t, f, Request{Capability: "mult"}).home.Name, "mult")
	expect(t, "arrivals", measure(t, f, "both").Slow.Arrivals, 1)
	audit(t, f)
}

func TestOverlapHomeWhileTheFirstCanServe(t *testing.T) {
	limited := func(p *PoolConfig) { p.Max = 1 }
	f, _ := still(with(kind("mult", "mult"), limited), with(kind("both", "mult", "add"), limited))
	active(t, f, "mult", "m")
	l := take(t, f, "mult")
	expect(t, "home while it has an idle worker", l.Home(), "mult")
	other := enqueue(t, f, Request{Capability: "mult"})
	expect(t, "home while it is full", other.home.Name, "both")
	active(t, f, "both", "b")
	expectGrant(t, other, "b")
	last := enqueue(t, f, Request{Capability: "mult"})
	expect(t, "home while both are full", last.home.Name, "mult")

	f.SetUnavailable("mult", "the image is missing")
	expect(t, "home while the first is unavailable and the next full", enqueue(t, f, Request{Capability: "mult"}).home.Name, "both")
	f.Fail("m", "test")
	expect(t, "home while the first is unavailable and could grow", enqueue(t, f, Request{Capability: "mult"}).home.Name, "both")
	f.SetUnavailable("mult", "")
	f.Update(with(kind("mult", "mult"), func(p *PoolConfig) { p.Max = 2 }))
	expect(t, "home when it may grow", enqueue(t, f, Request{Capability: "mult"}).home.Name, "mult")
	audit(t, f)
}

func TestOverlapHomeIsNotFullBecauseOfWorkersThatDrain(t *testing.T) {
	f, _ := still(with(kind("mult", "mult"), func(p *PoolConfig) { p.Max = 1 }), kind("both", "mult", "add"))
	active(t, f, "mult", "old")
	held := take(t, f, "mult")
	f.Drain("old", "replaced")
	active(t, f, "mult", "new")
	l := take(t, f, "mult")
	expect(t, "served by", l.Worker.ID, "new")
	expect(t, "home", l.Home(), "mult")
	end(t, held, Served)
	audit(t, f)
}

func TestOverlapQueueCountsAtHomeAndServiceWhereServed(t *testing.T) {
	f, c := still(kind("mult", "mult"), kind("both", "mult", "add"))
	active(t, f, "both", "b")
	busy := take(t, f, "add")
	w := enqueue(t, f, Request{Capability: "mult"})
	home, other := measure(t, f, "mult"), measure(t, f, "both")
	expect(t, "queue at home", home.Queue, 1)
	expect(t, "queue where it may be served", other.Queue, 0)
	expect(t, "ages at home", len(home.Queued), 1)
	expect(t, "ages where it may be served", len(other.Queued), 0)
	expect(t, "queue people see at home", statusOf(t, f, "mult").Queues["mult"], 1)
	expect(t, "queue people see elsewhere", statusOf(t, f, "both").Queues["mult"], 0)

	c.pass(250 * time.Millisecond)
	end(t, busy, Served)
	l := expectGrant(t, w, "b")
	c.pass(100 * time.Millisecond)
	end(t, l, Served)
	home, other = measure(t, f, "mult"), measure(t, f, "both")
	expect(t, "latency at home: 350 ms of 300, because it waited", home.Latency, Latency{N: 1, Over: 1, Missed: 1, Requests: 1})
	expect(t, "services at home", len(home.Service), 0)
	expect(t, "busy time at home", home.BusyTime, 0)
	expect(t, "latency where served: of the add alone", other.Latency, Latency{N: 1, Requests: 1}) // add has no pool of its own here
	expect(t, "services where served", count(other), 2)
	expect(t, "busy time where served", other.BusyTime, 350*time.Millisecond)
	audit(t, f)
}

func TestOverlapStandingAndFailuresCountAtHome(t *testing.T) {
	f, c := still(kind("mult", "mult"), kind("both", "mult", "add"))
	active(t, f, "both", "b")
	busy := take(t, f, "add")
	w := enqueue(t, f, Request{Capability: "mult"})
	c.pass(time.Second)
	expect(t, "standing at home", measure(t, f, "mult").Standing, 1)
	expect(t, "standing where it may be served", measure(t, f, "both").Standing, 1)
	end(t, busy, Served)
	l := expectGrant(t, w, "b")
	c.pass(time.Second)
	expect(t, "standing at home while it is served elsewhere", measure(t, f, "mult").Standing, 0)
	expect(t, "standing where it is served", measure(t, f, "both").Standing, 1)
	end(t, l, Broke)
	expect(t, "failed at home", measure(t, f, "mult").Latency.Failed, 1)
	expect(t, "failed where it broke", measure(t, f, "both").Latency.Failed, 0)
}

func count(m Measured) (n int) {
	for _, b := range m.Service {
		n += b.N
	}
	return n
}

func TestOverlapIdleWorkerOfAnyPoolTakesTheHead(t *testing.T) {
	f, _ := still(field()...)
	active(t, f, "mult", "m")
	active(t, f, "general", "g")
	one, two := take(t, f, "mult"), take(t, f, "add")
	expect(t, "the special one", one.Worker.ID, "m")
	first := enqueue(t, f, Request{Capability: "mult"})
	second := enqueue(t, f, Request{Capability: "add"})
	third := enqueue(t, f, Request{Capability: "mult"})
	end(t, two, Served) // g takes the oldest it can do
	l := expectGrant(t, first, "g")
	end(t, one, Served) // m cannot add
	expectGrant(t, second, "")
	expectGrant(t, third, "m")
	end(t, l, Served)
	expectGrant(t, second, "g")
	audit(t, f)
}

func TestOverlapGeneralistsStayFree(t *testing.T) {
	f, _ := still(field()...)
	active(t, f, "general", "g")
	active(t, f, "mult", "m1", "m2")
	expectList(t, "who multiplies", turns(t, f, "mult", 4), []string{"m1", "m2", "m1", "m2"})
	take(t, f, "mult")
	take(t, f, "mult")
	expect(t, "the last resort", take(t, f, "mult").Worker.ID, "g")
	audit(t, f)
}

func TestOverlapGeneralistsStayFreeInWhateverOrderWorkersCome(t *testing.T) {
	pools := []PoolConfig{kind("three", "mult", "add", "sub"), kind("two", "mult", "add"), kind("one", "mult")}
	orders := [][]string{{"one", "two", "three"}, {"three", "two", "one"}, {"two", "three", "one"}, {"two", "one", "three"}, {"one", "three", "two"}}
	for _, order := range orders {
		f, _ := still(pools...)
		for _, p := range order {
			active(t, f, p, p)
		}
		var got []string
		for range 3 {
			got = append(got, take(t, f, "mult").Worker.ID)
		}
		if !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Errorf("added as %v, asked as %v", order, got)
		}
		audit(t, f)
	}
}

func TestOverlapSpareOfTheHomePoolGoesFirst(t *testing.T) {
	f, _ := still(kind("both", "mult", "add"), kind("mult", "mult"))
	spares(t, f, "both", "b")
	spares(t, f, "mult", "m")
	expect(t, "first", take(t, f, "mult").Worker.ID, "m")
	l := take(t, f, "mult")
	expect(t, "then that of another pool", l.Worker.ID, "b")
	expect(t, "start", l.Start, SpareStart)
	audit(t, f)
}

func TestOverlapSpareOfTheHomePoolGoesFirstAlsoWhenItIsNotTheFirstPool(t *testing.T) {
	f, _ := still(kind("mult", "mult"), kind("both", "mult", "add"))
	spares(t, f, "mult", "m")
	spares(t, f, "both", "b")
	f.SetUnavailable("mult", "the image is missing")
	l := take(t, f, "mult")
	expect(t, "home", l.Home(), "both")
	expect(t, "spare", l.Worker.ID, "b")
}

func TestOverlapSpareThatLacksItStaysASpare(t *testing.T) {
	f, _ := still(kind("both", "mult", "add"))
	add(t, f, Info{ID: "old", Pool: "both", Origin: Adopted, Capabilities: []string{"add"}})
	f.Ready("old", "", 0)
	expectState(t, f, "old", Spare)
	w := enqueue(t, f, Request{Capability: "mult"})
	audit(t, f)
	expectGrant(t, w, "")
	expect(t, "what it can do", take(t, f, "add").Worker.ID, "old")
	audit(t, f)
}

func TestOverlapReadyWorkerOfAnotherPoolServesWhoWaits(t *testing.T) {
	f, c := still(field()...)
	w := enqueue(t, f, Request{Capability: "add"})
	add(t, f, Info{ID: "m", Pool: "mult"})
	add(t, f, Info{ID: "g", Pool: "general"})
	c.pass(time.Millisecond)
	f.Ready("m", "", 0)
	expectState(t, f, "m", Spare) // nobody waits for what it can do
	f.Ready("g", "", 0)
	expect(t, "start", expectGrant(t, w, "g").Start, ColdStart)
	audit(t, f)
}
