package fleet

import (
	"strings"
	"testing"
	"time"
)

func TestReadyWorkerIsASpareUnlessItIsNeeded(t *testing.T) {
	tests := []struct {
		name    string
		active  int // that the scaler wants in rotation; there is one
		waiting bool
		want    State
	}{
		{"enough in rotation", 1, false, Spare},
		{"too few in rotation", 2, false, Active},
		{"somebody waits", 1, true, Active},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, c := still(kind("p", "mult"))
			active(t, f, "p", "a")
			take(t, f, "mult")
			add(t, f, Info{ID: "b", Pool: "p"})
			if tt.waiting {
				enqueue(t, f, Request{Capability: "mult"})
			}
			c.pass(time.Second)
			expect(t, "Ready", f.Ready("b", "http://b", tt.active), true)
			expectState(t, f, "b", tt.want)
			expect(t, "Ready twice", f.Ready("b", "", tt.active), false)
			expect(t, "Ready of nobody", f.Ready("c", "", tt.active), false)
			w, _, _ := f.Worker("b")
			expect(t, "address", w.Address, "http://b")
			audit(t, f)
		})
	}
}

func TestReadyOfAWorkerThatWasDrainedWhileItStartedIsRefused(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	add(t, f, Info{ID: "a", Pool: "p"})
	idle, err := f.Drain("a", "test")
	if err != nil {
		t.Fatal(err)
	}
	expectClosed(t, idle)
	expect(t, "Ready", f.Ready("a", "", 9), false)
	expectState(t, f, "a", Draining)
	audit(t, f)
}

func TestSteerPromotesTheSparesThatWereReadyFirst(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	spares(t, f, "p", "a", "b", "c")
	f.Steer("p", 2, 1)
	expectList(t, "in rotation", ids(f.Workers(Active)), []string{"a", "b"})
	expectList(t, "spare", ids(f.Workers(Spare)), []string{"c"})
	expect(t, "a promoted one is warm", take(t, f, "mult").Start, Warm)
	f.Steer("p", 9, 0)
	expectList(t, "as many as there are", ids(f.Workers(Active)), []string{"a", "b", "c"})
	f.Steer("nobody", 9, 9)
	audit(t, f)
}

func TestSteerDemotesOnlyIdleWorkersLongestIdleFirst(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a", "b", "c", "d")
	var held []Lease
	for range 4 {
		held = append(held, take(t, f, "mult"))
	}
	for _, i := range []int{3, 1, 2} { // so d is idle longest, then b
		c.pass(time.Millisecond)
		end(t, held[i], Served)
	}
	f.Steer("p", 3, 9)
	expectList(t, "one too many", ids(f.Workers(Spare)), []string{"d"})
	f.Steer("p", 1, 2)
	expectList(t, "spare", ids(f.Workers(Spare)), []string{"b", "d"})
	expectList(t, "in rotation", ids(f.Workers(Active)), []string{"a", "c"})
	audit(t, f)
	f.Steer("p", 0, 9)
	expectList(t, "the busy one stays", ids(f.Workers(Active)), []string{"a"})
	end(t, held[0], Served)
	expect(t, "and goes on", serve(t, f, "mult"), "a")
	expect(t, "a demoted one is promoted again", startOfSecond(t, f), SpareStart)
	audit(t, f)
}

func startOfSecond(t testing.TB, f *Fleet) Start {
	t.Helper()
	take(t, f, "mult")
	return take(t, f, "mult").Start
}

func TestSteerDemotesNobodyWhenThereAreSparesEnough(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a", "b")
	spares(t, f, "p", "s")
	f.Steer("p", 1, 1)
	expectList(t, "in rotation", ids(f.Workers(Active)), []string{"a", "b"})
	f.Steer("p", 1, 2)
	expectList(t, "in rotation", ids(f.Workers(Active)), []string{"b"})
	audit(t, f)
}

func TestRetireTakesSurplusSparesThenTheLongestIdleNeverTheBusy(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a", "b", "c")
	spares(t, f, "p", "s1", "s2", "s3")
	held, b, third := take(t, f, "mult"), take(t, f, "mult"), take(t, f, "mult")
	end(t, third, Served)
	c.pass(time.Millisecond)
	end(t, b, Served)
	got := f.Retire("p", 3, 1, "scale_down")
	expectList(t, "first three", ids(got), []string{"s3", "s2", "c"})
	for _, w := range got {
		expectState(t, f, w.ID, Draining)
		idle, err := f.Drain(w.ID, "again")
		if err != nil {
			t.Fatal(err)
		}
		expectClosed(t, idle)
		expect(t, "reason", w.reason, "scale_down")
	}
	expectList(t, "then", ids(f.Retire("p", 9, 1, "scale_down")), []string{"b"})
	expectList(t, "in rotation", ids(f.Workers(Active)), []string{"a"})
	expectList(t, "spare", ids(f.Workers(Spare)), []string{"s1"})
	expect(t, "nobody else", len(f.Retire("p", 9, 1, "scale_down")), 0)
	expect(t, "of no pool", len(f.Retire("nobody", 9, 0, "scale_down")), 0)
	end(t, held, Served)
	audit(t, f)
}

func TestRetireTakesAWorkerThatHasJustBecomeReadyLast(t *testing.T) {
	f, c := still(kind("p", "mult"))
	c.pass(time.Second)
	active(t, f, "p", "old")
	serve(t, f, "mult")
	c.pass(time.Second)
	active(t, f, "p", "new")
	expectList(t, "retired", ids(f.Retire("p", 1, 0, "scale_down")), []string{"old"})
}

func TestDrainEndsWhenTheLastLeaseDoes(t *testing.T) {
	f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 2 }))
	active(t, f, "p", "a")
	one, two := take(t, f, "mult"), take(t, f, "mult")
	idle, err := f.Drain("a", "asked for")
	if err != nil {
		t.Fatal(err)
	}
	expectOpen(t, idle)
	again, err := f.Drain("a", "asked for twice")
	if err != nil || again != idle {
		t.Fatalf("a second Drain yields %v, %v, want the same channel", again, err)
	}
	end(t, one, Served)
	expectOpen(t, idle)
	_, err = try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient)
	audit(t, f)
	end(t, two, Broke)
	expectClosed(t, idle)
	expectState(t, f, "a", Draining)
	expect(t, "reason", statusOf(t, f, "p").Workers[0].Reason, "asked for")
	audit(t, f)
}

func TestDrainEndsWhenTheWorkerIsRemovedOrFails(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a")
	l := take(t, f, "mult")
	idle, err := f.Drain("a", "test")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "Fail", f.Fail("a", "crashed"), true)
	expectOpen(t, idle) // its lease is still out
	f.Remove("a")
	expectClosed(t, idle)
	end(t, l, Broke) // and closes nothing twice
	audit(t, f)
}

func TestDrainOfWhoCannotBeDrainedSaysWhy(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a")
	f.Fail("a", "test")
	for id, want := range map[string]string{"a": `worker "a" is failed`, "b": `there is no worker "b"`} {
		idle, err := f.Drain(id, "test")
		if err == nil || idle != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Drain(%s) = %v, %v, want an error with %q", id, idle, err, want)
		}
	}
}

func TestDrainAndFailWakeTheScalerAndRetireDoesNot(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a", "b", "c", "d")
	f.Retire("p", 1, 0, "test")
	expectQuiet(t, f)
	f.Drain("b", "test")
	expectTold(t, f)
	f.Fail("c", "test")
	f.Fail("d", "test")
	expectTold(t, f)
	expectQuiet(t, f) // two events, one word
}

func expectTold(t testing.TB, f *Fleet) {
	t.Helper()
	select {
	case <-f.Changed():
	default:
		t.Error("the scaler was not woken")
	}
}

func expectQuiet(t testing.TB, f *Fleet) {
	t.Helper()
	select {
	case <-f.Changed():
		t.Error("the scaler was woken for nothing")
	default:
	}
}

func TestFailTakesAWorkerOutOfRotationAndLetsItsTasksEnd(t *testing.T) {
	f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 2 }))
	active(t, f, "p", "a")
	l := take(t, f, "mult")
	expect(t, "Fail", f.Fail("a", "crashed"), true)
	expect(t, "Fail twice", f.Fail("a", "again"), false)
	expect(t, "Fail of nobody", f.Fail("b", "crashed"), false)
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient)
	audit(t, f)
	end(t, l, Served)
	expectState(t, f, "a", Failed)
	expect(t, "reason", statusOf(t, f, "p").Workers[0].Reason, "crashed")
	expect(t, "answers", measure(t, f, "p").Latency.N, 1)
	audit(t, f)
}

func TestFailOfASpareLeavesNoSpare(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	spares(t, f, "p", "a", "b")
	f.Fail("a", "test")
	expect(t, "promoted", take(t, f, "mult").Worker.ID, "b")
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient)
	audit(t, f)
}

func TestRemoveWithLeasesOutEndsThemHarmlessly(t *testing.T) {
	f, c := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 2 }))
	active(t, f, "p", "a")
	one, two := take(t, f, "mult"), take(t, f, "mult")
	waiting := enqueue(t, f, Request{Capability: "mult"})
	f.Remove("a")
	audit(t, f)
	expect(t, "in service still", measure(t, f, "p").Busy, 2)
	c.pass(time.Millisecond)
	end(t, one, Served)
	end(t, two, Broke)
	expectGrant(t, waiting, "") // the removed worker serves nobody
	m := measure(t, f, "p")
	expect(t, "in service", m.Busy, 0)
	expect(t, "active", m.Active, 0)
	_, _, ok := f.Worker("a")
	expect(t, "known", ok, false)
	audit(t, f)
}

func TestRemoveTellsOnceOutsideTheLock(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	told := map[string]int{}
	f.OnGone(func(w *Worker) {
		f.Status() // would never return under the lock
		told["first "+w.ID]++
	})
	f.OnGone(func(w *Worker) { told["second "+w.ID]++ })
	active(t, f, "p", "a", "b")
	f.Remove("a")
	f.Remove("a")
	f.Remove("nobody")
	expect(t, "told", len(told), 2)
	expect(t, "first", told["first a"], 1)
	expect(t, "second", told["second a"], 1)
	audit(t, f)
}

func TestWorkersListsByStateInTheOrderTheyCame(t *testing.T) {
	f, _ := still(kind("p", "mult"), kind("q", "add"))
	active(t, f, "q", "c")
	active(t, f, "p", "a")
	spares(t, f, "p", "b")
	add(t, f, Info{ID: "d", Pool: "q"})
	expectList(t, "all", ids(f.Workers()), []string{"a", "b", "c", "d"})
	expectList(t, "ready", ids(f.Workers(Active, Spare)), []string{"a", "b", "c"})
	expect(t, "failed", len(f.Workers(Failed)), 0)
	_, state, ok := f.Worker("nobody")
	expect(t, "state of nobody", state, Gone)
	expect(t, "known", ok, false)
}

func expectClosed(t testing.TB, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	default:
		t.Error("the channel is open, want closed")
	}
}

func expectOpen(t testing.TB, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
		t.Error("the channel is closed, want open")
	default:
	}
}
