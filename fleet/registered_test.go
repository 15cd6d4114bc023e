package fleet

import (
	"math"
	"strings"
	"testing"
)

// register adds a worker that came by itself and is ready.
func register(t testing.TB, f *Fleet, info Info) *Worker {
	t.Helper()
	info.Origin = Registered
	w := add(t, f, info)
	f.Ready(w.ID, "", 0)
	expectState(t, f, w.ID, Active) // never a spare
	return w
}

func TestRegisteredWithoutCapabilitiesServesEverything(t *testing.T) {
	f, _ := still(field()...)
	w := register(t, f, Info{ID: "r"})
	for _, c := range []string{"mult", "add", Wildcard} {
		expect(t, c, serve(t, f, c), "r")
	}
	expect(t, "home: the first of those that can do least", w.Pool, "mult")
	audit(t, f)
}

func TestRegisteredSaysThatItLacksACapabilityAndIsNotAskedAgain(t *testing.T) {
	f, _ := still(field()...)
	register(t, f, Info{ID: "r"})
	l := take(t, f, "mult")
	expect(t, "believed", l.Lacks(), true)
	expect(t, "a second time", l.Lacks(), false)
	expect(t, "released", l.Release(Outcome{}), false)
	audit(t, f)
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient)
	expect(t, "what it did not deny", serve(t, f, "add"), "r")
	for _, c := range []string{"add", Wildcard} {
		l := take(t, f, c)
		expect(t, "believed", l.Lacks(), true)
	}
	audit(t, f)
	for _, c := range []string{"mult", "add", Wildcard} {
		_, err := try(f, Request{Capability: c})
		expectErr(t, err, errImpatient)
	}
	audit(t, f)
}

func TestRegisteredThatLacksWhatTheHeadWantsTakesTheNext(t *testing.T) {
	f, _ := still(field()...)
	register(t, f, Info{ID: "r"})
	l := take(t, f, "mult")
	first := enqueue(t, f, Request{Capability: "mult"})
	second := enqueue(t, f, Request{Capability: "add"})
	l.Lacks()
	expectGrant(t, first, "")
	expectGrant(t, second, "r")
	audit(t, f)
}

func TestLacksIsBelievedOnlyOfThoseWhoSaidNothing(t *testing.T) {
	f, _ := still(field()...)
	active(t, f, "mult", "ours")
	l := take(t, f, "mult")
	expect(t, "ours", l.Lacks(), false)
	audit(t, f)
	expect(t, "ours goes on", serve(t, f, "mult"), "ours")
	f.Remove("ours")
	register(t, f, Info{ID: "r", Capabilities: []string{"mult"}})
	expect(t, "one that named it", take(t, f, "mult").Lacks(), false)
	expect(t, "goes on", serve(t, f, "mult"), "r")
	expect(t, "no lease at all", Lease{}.Lacks(), false)
	audit(t, f)
}

func TestLacksOfALeaseThatHasEndedHarmsNobody(t *testing.T) {
	f, _ := still(field()...)
	register(t, f, Info{ID: "r"})
	stale := take(t, f, "mult")
	end(t, stale, Served)
	current := take(t, f, "mult") // in the same slot
	expect(t, "believed", stale.Lacks(), false)
	end(t, current, Served)
	expect(t, "goes on", serve(t, f, "mult"), "r")
	audit(t, f)
}

func TestLacksAfterTheWorkerHasLeftChangesNothing(t *testing.T) {
	ends := map[string]func(f *Fleet){
		"drained": func(f *Fleet) { f.Drain("r", "test") },
		"failed":  func(f *Fleet) { f.Fail("r", "test") },
		"removed": func(f *Fleet) { f.Remove("r") },
	}
	for name, finish := range ends {
		t.Run(name, func(t *testing.T) {
			f, _ := still(field()...)
			register(t, f, Info{ID: "r"})
			l := take(t, f, "mult")
			finish(f)
			l.Lacks()
			audit(t, f)
			f.Remove("r")
			audit(t, f)
		})
	}
}

func TestLacksOfTheLastHopeSendsWaitersAway(t *testing.T) {
	f, _ := still(kind("mult", "mult"), kind("add", "add"))
	register(t, f, Info{ID: "r"})
	f.SetUnavailable("mult", "the image is missing")
	l := take(t, f, "mult")
	w := enqueue(t, f, Request{Capability: "mult"})
	l.Lacks()
	expectGrant(t, w, "-")
	_, err := try(f, Request{Capability: "mult", Again: &l})
	expectErr(t, err, ErrNoWorker)
	audit(t, f)
}

func TestRegisteredWithSeveralSlotsLearnsOnceForAll(t *testing.T) {
	f, _ := still(field()...)
	register(t, f, Info{ID: "r", Concurrency: 2})
	one, two := take(t, f, "mult"), take(t, f, "mult")
	expect(t, "first", one.Lacks(), true)
	audit(t, f)
	expect(t, "second", two.Lacks(), true)
	audit(t, f)
	one, two = take(t, f, "add"), take(t, f, Wildcard)
	expect(t, "both slots again", one.Worker.ID+two.Worker.ID, "rr")
	_, err := try(f, Request{Capability: "add"})
	expectErr(t, err, errImpatient)
	audit(t, f)
}

func TestRegisteredWithSomeCapabilitiesServesThose(t *testing.T) {
	f, _ := still(field()...)
	w := register(t, f, Info{ID: "r", Capabilities: []string{"add", "juggle", "add"}})
	expect(t, "home", w.Pool, "add")
	expect(t, "what it can do", serve(t, f, "add"), "r")
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient)
	active(t, f, "general", "g")
	expectList(t, "it is asked before those that can do more", turns(t, f, "add", 3), []string{"r", "r", "r"})
	audit(t, f)
}

func TestRegisteredHomeIsAmongThePoolsItCanServe(t *testing.T) {
	tests := []struct {
		name         string
		capabilities []string
		pool         string
		home         string
	}{
		{"one capability", []string{"mult"}, "", "mult"},
		{"both: fewest capabilities, then order", []string{"add", "mult"}, "", "mult"},
		{"the wildcard", []string{Wildcard}, "", "rest"},
		{"it says itself", []string{"mult"}, "general", "general"},
		{"all", nil, "", "mult"},
	}
	for _, tt := range tests {
		f, _ := still(field()...)
		expect(t, tt.name, register(t, f, Info{ID: "r", Pool: tt.pool, Capabilities: tt.capabilities}).Pool, tt.home)
		audit(t, f)
	}
}

func TestRegisteredHomeIsThePoolThatCanDoLeastOfThoseItCanServe(t *testing.T) {
	f, _ := still(kind("wide", "add", "mult"), kind("narrow", "sub"))
	expect(t, "home", register(t, f, Info{ID: "r", Capabilities: []string{"add", "sub"}}).Pool, "narrow")
}

func TestRegisteredArePickedLikeThePoolsWorkersWhoCanDoTheSame(t *testing.T) {
	recent := func(p *PoolConfig) { p.Pick = MostRecent }
	f, _ := still(kind("mult", "mult"), with(kind("both", "mult", "add"), recent), with(kind("sub", "sub"), recent))
	for _, id := range []string{"r1", "r2"} { // at home in mult, where it is round-robin
		register(t, f, Info{ID: id, Capabilities: []string{"mult", "add"}})
	}
	expectList(t, "as in pool both", turns(t, f, "add", 3), []string{"r2", "r2", "r2"})
	for _, id := range []string{"s1", "s2"} {
		register(t, f, Info{ID: id, Pool: "sub", Capabilities: []string{"sub", "add"}})
	}
	expectList(t, "as at home", turns(t, f, "sub", 3), []string{"s2", "s2", "s2"})
	audit(t, f)
}

func TestAddRefusesWhatMakesNoSense(t *testing.T) {
	tests := []struct {
		name string
		info Info
		want string
	}{
		{"no id", Info{Pool: "mult"}, "a worker needs an id"},
		{"an id twice", Info{ID: "taken", Pool: "mult"}, `there is a worker "taken" already`},
		{"an unknown pool", Info{ID: "x", Pool: "pdf"}, `there is no pool "pdf"`},
		{"ours without a pool", Info{ID: "x", Origin: Cold}, `worker "x" needs a pool`},
		{"ours without a pool that says what it can do", Info{ID: "x", Origin: Adopted, Capabilities: []string{"mult"}}, `worker "x" needs a pool`},
		{"nothing we know", Info{ID: "x", Origin: Registered, Capabilities: []string{"juggle"}}, `["juggle"]; there are ["*" "add" "mult"]`},
	}
	f, _ := still(field()...)
	active(t, f, "mult", "taken")
	for _, tt := range tests {
		w, err := f.Add(tt.info)
		if err == nil || w != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Add = %v, %v, want an error with %q", tt.name, w, err, tt.want)
		}
	}
	expectList(t, "workers", ids(f.Workers()), []string{"taken"})
	audit(t, f)
}

func TestRegisteredConcurrencyIsItsOwnOrItsPools(t *testing.T) {
	f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 3 }))
	expect(t, "as its pool says", register(t, f, Info{ID: "a"}).Concurrency, 3)
	expect(t, "as it says", register(t, f, Info{ID: "b", Concurrency: 2}).Concurrency, 2)
	expect(t, "slots", measure(t, f, "p").Others, 5)
	for range 5 {
		take(t, f, "mult")
	}
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient)
	register(t, f, Info{ID: "boaster", Concurrency: math.MaxInt})
	expect(t, "one that promises the world still works", take(t, f, "mult").Worker.ID, "boaster")
	audit(t, f)
}

func TestRegisteredAreNotCountedAmongOurs(t *testing.T) {
	f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Max = 1 }), kind("q", "mult", "add"))
	register(t, f, Info{ID: "r", Pool: "p"})
	add(t, f, Info{ID: "m", Pool: "p", Origin: Member})
	f.Ready("m", "", 0)
	m := measure(t, f, "p")
	expect(t, "ours", m.Starting+m.Spare+m.Active+m.Idle+m.Draining+m.Failed, 0)
	expect(t, "others", m.Others, 2)
	f.Steer("p", 0, 5)
	expectState(t, f, "r", Active)
	expectState(t, f, "m", Active)
	expect(t, "retired", len(f.Retire("p", 5, 0, "test")), 0)
	expect(t, "home: there is room for one of ours", enqueueAfter(t, f, 2).home.Name, "p")
	add(t, f, Info{ID: "ours", Pool: "p"})
	f.Ready("ours", "", 0)
	expectState(t, f, "ours", Active) // somebody waits
	expect(t, "ours", measure(t, f, "p").Active, 1)
	audit(t, f)
}

// enqueueAfter makes the workers busy and then a request wait.
func enqueueAfter(t testing.TB, f *Fleet, busy int) *waiter {
	t.Helper()
	for range busy {
		take(t, f, "mult")
	}
	return enqueue(t, f, Request{Capability: "mult"})
}

func TestRegisteredAnewUnderTheSameIdAfterItWasRemoved(t *testing.T) {
	f, _ := still(field()...)
	register(t, f, Info{ID: "r", Address: "http://one"})
	l := take(t, f, "mult")
	f.Remove("r")
	register(t, f, Info{ID: "r", Address: "http://two"})
	again := take(t, f, "mult")
	expect(t, "address", again.Worker.Address, "http://two")
	audit(t, f)
	end(t, l, Served) // of the old one: frees no slot of the new
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient)
	audit(t, f)
}
