package fleet

import (
	"fmt"
	"testing"
	"time"
)

// asleepAll puts all spares of a pool to sleep.
func asleepAll(t testing.TB, f *Fleet, pool string, n int) {
	t.Helper()
	dozing := f.Doze(pool, 0)
	expect(t, "put to sleep", len(dozing), n)
	for _, w := range dozing {
		f.Asleep(w.ID)
	}
	audit(t, f)
}

// wakeCalled wakes those who were called and returns their names.
func wakeCalled(t testing.TB, f *Fleet) []string {
	t.Helper()
	called := f.Called()
	for _, w := range called {
		if !f.Wake(w.ID) || f.Wake(w.ID) {
			t.Errorf("Wake(%s) does not say once that it begins", w)
		}
	}
	for _, w := range called {
		f.Awake(w.ID)
		audit(t, f)
	}
	return ids(called)
}

func heard(f *Fleet) bool {
	select {
	case <-f.Calls():
		return true
	default:
		return false
	}
}

func TestOnlyIdleSparesAreSleepy(t *testing.T) {
	f, c := still(with(kind("a", "x"), func(p *PoolConfig) { p.Concurrency = 2 }))
	active(t, f, "a", "busy")
	spares(t, f, "a", "early")
	c.pass(3 * time.Second)
	spares(t, f, "a", "late")
	c.pass(2 * time.Second)
	f.Limit("late", 1)
	expectList(t, "idle for 5 s", ids(f.Doze("a", 5*time.Second)), []string{"early"})
	expectList(t, "again", ids(f.Doze("a", 5*time.Second)), nil)
	c.pass(10 * time.Second)
	expectList(t, "one that somebody else may use", ids(f.Doze("a", 5*time.Second)), nil)
	f.Limit("late", 2)
	expectList(t, "it is free again", ids(f.Doze("a", 5*time.Second)), []string{"late"})
	expectList(t, "no such pool", ids(f.Doze("b", 0)), nil)
	audit(t, f)
}

func TestASleeperIsCalledWithinTheClaimAndServesWhoWaits(t *testing.T) {
	f, c := still(kind("a", "x"))
	spares(t, f, "a", "s")
	asleepAll(t, f, "a", 1)
	expect(t, "asleep", statusOf(t, f, "a").Workers[0].Asleep, true)
	w := enqueue(t, f, Request{Capability: "x"})
	expect(t, "the call is heard", heard(f), true)
	expectState(t, f, "s", Spare)
	c.pass(16 * time.Millisecond)
	expectList(t, "woken", wakeCalled(t, f), []string{"s"})
	l := expectGrant(t, w, "s")
	expect(t, "start", l.Start, SpareStart)
	expect(t, "waited", l.Waited, 16*time.Millisecond)
	expect(t, "asleep", statusOf(t, f, "a").Workers[0].Asleep, false)
	end(t, l, Served)
	l = take(t, f, "x")
	expect(t, "the next start", l.Start, Warm)
	audit(t, f)
}

func TestASpareThatIsAwakeComesBeforeOneThatSleeps(t *testing.T) {
	f, _ := still(kind("a", "x"))
	spares(t, f, "a", "s1")
	asleepAll(t, f, "a", 1)
	spares(t, f, "a", "s2")
	expect(t, "serves", take(t, f, "x").Worker.ID, "s2")
	expect(t, "called", len(f.Called()), 0)
	f.Steer("a", 2, 0)
	expectList(t, "called when there is no other", ids(f.Called()), []string{"s1"})
	f.Steer("a", 2, 0)
	expect(t, "active so far", measure(t, f, "a").Active, 1)
	wakeCalled(t, f)
	expect(t, "active", measure(t, f, "a").Active, 2)
}

func TestAsManyAreCalledAsAreNeeded(t *testing.T) {
	f, _ := still(with(kind("a", "x", "y"), func(p *PoolConfig) { p.Concurrency = 2 }))
	spares(t, f, "a", "s1", "s2", "s3")
	asleepAll(t, f, "a", 3)
	for i, want := range []int{1, 1, 2, 2, 3, 3, 3} {
		enqueue(t, f, Request{Capability: []string{"x", "y"}[i%2]})
		expect(t, fmt.Sprintf("called after %d requests", i+1), len(f.Called()), want)
		audit(t, f)
	}
	wakeCalled(t, f)
	expect(t, "in service", measure(t, f, "a").Busy, 6)
	expect(t, "waiting", measure(t, f, "a").Queue, 1)
}

func TestOneThatIsCalledWhileItIsPutToSleepIsHeardOfAfterwards(t *testing.T) {
	f, _ := still(kind("a", "x"))
	spares(t, f, "a", "s")
	f.Doze("a", 0)
	w := enqueue(t, f, Request{Capability: "x"})
	expect(t, "heard while it dozes", heard(f) || len(f.Called()) > 0 || f.Wake("s"), false)
	audit(t, f)
	f.Asleep("s")
	expect(t, "heard afterwards", heard(f), true)
	wakeCalled(t, f)
	expectGrant(t, w, "s")
}

func TestWhenOneThatWasCalledLeavesAnotherIs(t *testing.T) {
	for name, leave := range map[string]func(*Fleet, string){
		"fails":   func(f *Fleet, id string) { f.Fail(id, "it does not wake") },
		"drains":  func(f *Fleet, id string) { _, _ = f.Drain(id, "test") },
		"removed": func(f *Fleet, id string) { f.Remove(id) },
		"shut":    func(f *Fleet, id string) { f.Limit(id, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := still(kind("a", "x"))
			spares(t, f, "a", "s1", "s2")
			asleepAll(t, f, "a", 2)
			w := enqueue(t, f, Request{Capability: "x"})
			expectList(t, "called", ids(f.Called()), []string{"s1"})
			f.Wake("s1")
			leave(f, "s1")
			audit(t, f)
			expectList(t, "called next", wakeCalled(t, f), []string{"s2"})
			expectGrant(t, w, "s2")
			f.Awake("s1") // too late, or of no use: it does no harm
			audit(t, f)
		})
	}
}

func TestOneThatMustNotHaveTheRequestIsNotCalledForIt(t *testing.T) {
	f, _ := still(kind("a", "x"), kind("b", "x", "y"))
	s := spares(t, f, "a", "s")
	spares(t, f, "b", "t")
	asleepAll(t, f, "a", 1)
	asleepAll(t, f, "b", 1)
	enqueue(t, f, Request{Capability: "x", Not: s[0]})
	expectList(t, "called", ids(f.Called()), []string{"t"})
}

func TestOneThatIsWokenForNobodyStaysASpare(t *testing.T) {
	f, c := still(kind("a", "x"))
	spares(t, f, "a", "s")
	asleepAll(t, f, "a", 1)
	expectList(t, "sleeping", ids(f.Sleeping("a")), []string{"s"})
	f.Wake("s")
	expectList(t, "sleeping while it is woken", ids(f.Sleeping("a")), nil)
	c.pass(time.Hour)
	f.Awake("s")
	expectState(t, f, "s", Spare)
	expectList(t, "sleepy at once", ids(f.Doze("a", time.Second)), nil)
	expect(t, "serves", serve(t, f, "x"), "s")
}

func TestNobodyIsPutToSleepOrRetiredWhoIsAboutToServe(t *testing.T) {
	f, _ := still(kind("a", "x"), kind("b", "y"))
	spares(t, f, "a", "s1", "s2")
	asleepAll(t, f, "a", 2)
	enqueue(t, f, Request{Capability: "x"})
	expectList(t, "retired", ids(f.Retire("a", 2, 0, "test")), []string{"s2"})
	expectList(t, "still called", ids(f.Called()), []string{"s1"})
	audit(t, f)
	s := spares(t, f, "b", "t1", "t2")
	asleepAll(t, f, "b", 2)
	enqueue(t, f, Request{Capability: "y", Not: s[0]})
	expectList(t, "retired before the last, which is called", ids(f.Retire("b", 1, 0, "test")), []string{"t1"})
	audit(t, f)
}

func TestNapsTellWhoCouldNotAnswer(t *testing.T) {
	f, _ := still(kind("a", "x"))
	active(t, f, "a", "on")
	s := spares(t, f, "a", "s")[0]
	before, awake := f.Naps(s)
	expect(t, "awake at first", awake, true)
	expectList(t, "wakeful", ids(f.Wakeful()), []string{"on", "s"})
	f.Doze("a", 0)
	_, awake = f.Naps(s)
	expect(t, "awake while it is put to sleep", awake, false)
	expectList(t, "wakeful then", ids(f.Wakeful()), []string{"on"})
	f.Asleep("s")
	f.Wake("s")
	f.Awake("s")
	after, awake := f.Naps(s)
	expect(t, "awake at last", awake, true)
	expect(t, "naps", after-before, 1)
}

func TestASleeperReplacesAnOutdatedWorkerOnceItIsAwake(t *testing.T) {
	f, _ := still(kind("a", "x"))
	active(t, f, "a", "old")
	spares(t, f, "a", "new")
	asleepAll(t, f, "a", 1)
	goes := func(w *Worker) bool { return w.ID == "old" }
	for range 2 {
		if w := f.Replace("a", 1, 0, "changed", goes); w != nil {
			t.Fatalf("%s is replaced while nobody else is awake", w)
		}
	}
	expectList(t, "called", wakeCalled(t, f), []string{"new"})
	if w := f.Replace("a", 1, 0, "changed", goes); w == nil || w.ID != "old" {
		t.Errorf("%v is replaced", w)
	}
	expectState(t, f, "new", Active)
	audit(t, f)
}
