package fleet

import (
	"testing"
	"time"
)

func TestEjectNeverTheLastOne(t *testing.T) {
	f, _ := still(strict())
	active(t, f, "p", "a")
	breakOn(t, f, "a", 10)
	expectList(t, "out", outs(t, f), nil)
	expect(t, "verdicts", len(f.Verdicts()), 0)
}

func TestEjectCountsASpareAmongThoseWhoAreLeft(t *testing.T) {
	f, _ := still(strict())
	active(t, f, "p", "a")
	spares(t, f, "p", "s")
	for range 3 {
		end(t, take(t, f, "mult"), Broke)
	}
	expectList(t, "out", outs(t, f), []string{"a"})
	l := take(t, f, "mult")
	expect(t, "promoted", l.Worker.ID, "s")
	expect(t, "start", l.Start, SpareStart)
	audit(t, f)
}

// When more than half would be out, it is not the single worker that is in trouble.
func TestEjectEverybodyServesWhenTooManyBreak(t *testing.T) {
	f, c := still(strict())
	active(t, f, "p", "a", "b", "c")
	breakOn(t, f, "a", 3)
	breakOn(t, f, "b", 2)
	expectList(t, "out", outs(t, f), []string{"a"})
	f.Verdicts()
	breakOn(t, f, "b", 1)
	expectList(t, "out", outs(t, f), nil)
	expectList(t, "verdicts", f.Verdicts(), []Verdict{{Worker: f.workers["b"], Row: 3, Back: 1}})
	c.pass(30*time.Second - 1)
	breakOn(t, f, "c", 6) // the truce
	expectList(t, "out", outs(t, f), nil)
	c.pass(1)
	breakOn(t, f, "b", 2) // a new row
	expectList(t, "out", outs(t, f), nil)
	breakOn(t, f, "c", 1)
	expectList(t, "out", outs(t, f), []string{"c"})
}

func TestEjectWhoIsReadmittedServesThoseWhoWait(t *testing.T) {
	f, _ := still(strict())
	active(t, f, "p", "a", "b", "c")
	breakOn(t, f, "a", 3)
	breakOn(t, f, "b", 2)
	held := takeAll(t, f)
	waits := enqueue(t, f, Request{Capability: "mult"})
	for _, l := range held {
		if l.Worker.ID == "b" {
			end(t, l, Broke)
		}
	}
	expectGrant(t, waits, "a")
	audit(t, f)
}

func TestEjectNeverTheOnlyOneThatCan(t *testing.T) {
	f, _ := still(with(strict(), func(p *PoolConfig) { p.Capabilities = []string{"mult", "add"} }))
	register(t, f, Info{ID: "a", Pool: "p", Capabilities: []string{"add"}})
	active(t, f, "p", "b", "c")
	register(t, f, Info{ID: "m", Pool: "p", Capabilities: []string{"mult"}})
	breakOn(t, f, "m", 3)
	expectList(t, "out", outs(t, f), []string{"m"})
	f.Drain("c", "test")
	f.Drain("b", "test") // m is the only one for mult now, and half of those that are left
	expectList(t, "out", outs(t, f), nil)
	audit(t, f)
	breakOn(t, f, "m", 3)
	expectList(t, "out", outs(t, f), nil)
}

func TestEjectDoesNotTakeWhoIsOutForOneWhoCan(t *testing.T) {
	f, _ := still(with(strict(), func(p *PoolConfig) { p.Capabilities = []string{"mult", "add"} }))
	for _, id := range []string{"m", "n"} {
		register(t, f, Info{ID: id, Pool: "p", Capabilities: []string{"mult"}})
	}
	for _, id := range []string{"a", "b"} {
		register(t, f, Info{ID: id, Pool: "p", Capabilities: []string{"add"}})
	}
	breakOn(t, f, "m", 3)
	breakOn(t, f, "n", 3)
	expectList(t, "out", outs(t, f), []string{"m"})
}

func TestEjectEndsWhenTooManyOthersLeave(t *testing.T) {
	leaves := map[string]func(f *Fleet){
		"drained": func(f *Fleet) { f.Drain("b", "test") },
		"failed":  func(f *Fleet) { f.Fail("b", "test") },
		"removed": func(f *Fleet) { f.Remove("b") },
		"retired": func(f *Fleet) { f.Retire("p", 1, 0, "test") },
	}
	for name, leave := range leaves {
		f, _ := still(strict())
		active(t, f, "p", "a", "b")
		breakOn(t, f, "a", 3)
		leave(f)
		expectList(t, "out when the other is "+name, outs(t, f), nil)
		expect(t, "who serves", serve(t, f, "mult"), "a")
		audit(t, f)
	}
}
