package fleet

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// strict is a pool that ejects for 30 s after three requests that broke in a row.
func strict() PoolConfig {
	return with(kind("p", "mult"), func(p *PoolConfig) { p.Eject = Eject{Failures: 3, Time: 30 * time.Second} })
}

// fail lets n requests break on one worker, whoever else is idle.
func breakOn(t testing.TB, f *Fleet, id string, n int) {
	t.Helper()
	for range n {
		held := takeAll(t, f)
		i := slices.IndexFunc(held, func(l Lease) bool { return l.Worker.ID == id })
		if i < 0 {
			t.Fatalf("worker %s gets nothing", id)
		}
		for j, l := range held {
			if j == i {
				end(t, l, Broke)
			} else {
				end(t, l, Unused)
			}
		}
		audit(t, f)
	}
}

// outs lists the workers that are out.
func outs(t testing.TB, f *Fleet) (ids []string) {
	t.Helper()
	for _, w := range statusOf(t, f, "p").Workers {
		if w.Ejected > 0 {
			ids = append(ids, w.ID)
		}
	}
	return ids
}

func TestEjectAfterARowOfFailures(t *testing.T) {
	f, c := still(strict())
	active(t, f, "p", "a", "b")
	breakOn(t, f, "a", 2)
	expectList(t, "out", outs(t, f), nil)
	breakOn(t, f, "a", 1)
	expectList(t, "out", outs(t, f), []string{"a"})
	expectState(t, f, "a", Active)
	expectList(t, "who serves", turns(t, f, "mult", 3), []string{"b", "b", "b"})
	expectList(t, "verdicts", f.Verdicts(), []Verdict{{Worker: f.workers["a"], Row: 3, Out: 30 * time.Second}})
	expect(t, "verdicts, once", len(f.Verdicts()), 0)
	s := statusOf(t, f, "p").Workers[0]
	expect(t, "for", s.Ejected, 30*time.Second)
	expect(t, "why", s.Reason, "gets nothing for 30s: 3 requests in a row broke on it")
	c.pass(30*time.Second - 1)
	measure(t, f, "p")
	expectList(t, "out", outs(t, f), []string{"a"})
	c.pass(1)
	measure(t, f, "p")
	expectList(t, "out", outs(t, f), nil)
	expectList(t, "who serves", turns(t, f, "mult", 2), []string{"b", "a"})
	audit(t, f)
}

func TestEjectOneAnswerEndsTheRow(t *testing.T) {
	for _, ok := range []Kind{Served, Tunnel} {
		f, _ := still(strict())
		active(t, f, "p", "a", "b")
		breakOn(t, f, "a", 2)
		held := takeAll(t, f)
		for _, l := range held {
			end(t, l, ok)
		}
		breakOn(t, f, "a", 2)
		expectList(t, "out", outs(t, f), nil)
	}
}

func TestEjectOnlyBrokenRequestsCount(t *testing.T) {
	f, c := still(strict())
	active(t, f, "p", "a", "b")
	for _, k := range []Kind{ClientGone, Unused, Busy} {
		for range 5 {
			for _, l := range takeAll(t, f) {
				end(t, l, k)
			}
			c.pass(time.Second)
		}
	}
	expectList(t, "out", outs(t, f), nil)
	breakOn(t, f, "a", 2)
	for _, l := range takeAll(t, f) { // says nothing about the worker
		end(t, l, ClientGone)
	}
	breakOn(t, f, "a", 1)
	expectList(t, "out", outs(t, f), []string{"a"})
}

func TestEjectLastsLongerEachTimeAndIsForgiven(t *testing.T) {
	f, c := still(strict())
	register(t, f, Info{ID: "a", Pool: "p"}) // one of ours is replaced the third time
	active(t, f, "p", "b")
	out := func() time.Duration {
		t.Helper()
		breakOn(t, f, "a", 3)
		lasts := statusOf(t, f, "p").Workers[0].Ejected
		c.pass(lasts)
		measure(t, f, "p")
		return lasts
	}
	for _, want := range []int{30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300} {
		expect(t, "out", out(), time.Duration(want)*time.Second)
	}
	c.pass(9 * 30 * time.Second) // of 11 ejections 9 are forgiven
	expect(t, "after a while", out(), 90*time.Second)
	c.pass(24 * time.Hour)
	expect(t, "after a day", out(), 30*time.Second)
}

func TestEjectReplacesAWorkerOfOursTheThirdTime(t *testing.T) {
	f, c := still(strict())
	active(t, f, "p", "a", "b")
	for range 2 {
		breakOn(t, f, "a", 3)
		c.pass(time.Minute)
		measure(t, f, "p")
	}
	f.Verdicts()
	c.pass(30 * time.Second)
	breakOn(t, f, "a", 3) // one of two is forgiven by now
	expectState(t, f, "a", Active)
	c.pass(time.Minute)
	measure(t, f, "p")
	breakOn(t, f, "a", 3)
	expectState(t, f, "a", Failed)
	expect(t, "why", f.workers["a"].reason, "3 requests in a row broke on it, for the 3. time")
	verdicts := f.Verdicts()
	expect(t, "verdict", verdicts[len(verdicts)-1], Verdict{Worker: f.workers["a"], Row: 3, Failed: true})
	select {
	case <-f.Changed():
	default:
		t.Error("the scaler is not told")
	}
	audit(t, f)
}

func TestEjectedWorkerComesBackByItselfAndSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{with(strict(), func(p *PoolConfig) {
			p.Concurrency, p.Ramp, p.QueueWait = 20, 10*time.Second, time.Minute
		})}, time.Now)
		add(t, f, Info{ID: "a", Pool: "p", Origin: Adopted})
		add(t, f, Info{ID: "b", Pool: "p", Origin: Adopted})
		f.Ready("a", "", 2)
		f.Ready("b", "", 2)
		breakOn(t, f, "a", 3)
		expect(t, "slots left", len(takeAll(t, f)), 20)
		var waiting []<-chan answer
		for range 3 {
			waiting = append(waiting, ask(t.Context(), f, Request{Capability: "mult"}))
		}
		pass(31 * time.Second)
		for _, in := range waiting[:2] {
			a := answered(t, in)
			expect(t, "worker", a.Worker.ID, "a")
			expect(t, "at", a.at, 30*time.Second)
		}
		expectWaiting(t, waiting[2])
		expectLimit(t, f, "a", 2)
		f.Remove("a")
		f.Remove("b")
		f.SetUnavailable("p", "test")
	})
}

func TestEjectedWorkerIsNotCountedOn(t *testing.T) {
	f, _ := still(strict())
	active(t, f, "p", "a", "b", "c")
	register(t, f, Info{ID: "r", Pool: "p", Concurrency: 4})
	breakOn(t, f, "a", 3)
	spares(t, f, "p", "s")
	m := measure(t, f, "p")
	expect(t, "active, ejected, idle, others", [...]int{m.Active, m.Ejected, m.Idle, m.Others}, [...]int{3, 1, 2, 4})
	expect(t, "room", roomOf(f, "p"), 7)
	limit(t, f, "a", 0)
	expect(t, "withheld", measure(t, f, "p").Withheld, 0)
	f.Steer("p", 3, 0)
	audit(t, f)
	expectState(t, f, "s", Active)
	add(t, f, Info{ID: "n", Pool: "p"})
	f.Ready("n", "", 4)
	expectState(t, f, "n", Active)
}

func TestEjectIsOffAtZeroAndDoesNotHoldForOthers(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a", "b")
	breakOn(t, f, "a", 20)
	expectList(t, "out", outs(t, f), nil)
	f.Update(strict())
	breakOn(t, f, "a", 1)
	expectList(t, "out", outs(t, f), []string{"a"})
}

func TestEjectedWorkerMayLeave(t *testing.T) {
	ends := map[string]func(f *Fleet){
		"drained": func(f *Fleet) { f.Drain("a", "test") },
		"failed":  func(f *Fleet) { f.Fail("a", "test") },
		"removed": func(f *Fleet) { f.Remove("a") },
	}
	for name, finish := range ends {
		f, c := still(strict())
		active(t, f, "p", "a", "b")
		breakOn(t, f, "a", 3)
		finish(f)
		audit(t, f)
		expectList(t, "out when "+name, outs(t, f), nil)
		c.pass(time.Minute)
		measure(t, f, "p")
		audit(t, f)
		expect(t, "who serves", serve(t, f, "mult"), "b")
	}
}

// nobody is an Elsewhere that only takes note.
type nobody struct{ Elsewhere }

func (nobody) Given([]Held, uint64) {}
func (nobody) Returned(Return)      {}

// Whoever has the workers now judges them.
func TestEjectIsForWhoHasTheWorkers(t *testing.T) {
	f, _ := still(strict())
	active(t, f, "p", "a", "b")
	breakOn(t, f, "a", 2)
	held := takeAll(t, f)
	f.HandOver(nobody{})
	for _, l := range held {
		end(t, l, Broke)
	}
	expectList(t, "out", outs(t, f), nil)
}
