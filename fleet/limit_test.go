package fleet

import (
	"testing"
	"testing/synctest"
	"time"
)

// wide is a pool whose workers take three tasks at a time.
func wide() PoolConfig {
	return with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 3 })
}

func limit(t testing.TB, f *Fleet, id string, n int) {
	t.Helper()
	if !f.Limit(id, n) {
		t.Fatalf("Limit(%s, %d): there is no such worker", id, n)
	}
	audit(t, f)
}

func roomOf(f *Fleet, pool string) int { return f.pool(pool).room }

func TestLimitLetsSoManyTasksBegin(t *testing.T) {
	f, _ := still(wide())
	active(t, f, "p", "a")
	limit(t, f, "a", 2)
	take(t, f, "mult")
	take(t, f, "mult")
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient)
	expect(t, "room", roomOf(f, "p"), 0)
	expect(t, "limit people see", statusOf(t, f, "p").Workers[0].Limit, 2)
	audit(t, f)
}

func TestLimitTakesNothingAway(t *testing.T) {
	f, _ := still(wide())
	active(t, f, "p", "a")
	held := []Lease{take(t, f, "mult"), take(t, f, "mult"), take(t, f, "mult")}
	limit(t, f, "a", 1)
	w := enqueue(t, f, Request{Capability: "mult"})
	expect(t, "in flight", measure(t, f, "p").Busy, 3)
	for i, l := range held {
		expectGrant(t, w, "")
		expect(t, "room", roomOf(f, "p"), 0)
		end(t, l, Served)
		audit(t, f)
		if i < 2 {
			expect(t, "room while it has too many", roomOf(f, "p"), 0)
		}
	}
	expectGrant(t, w, "a")
	audit(t, f)
}

func TestLimitRaisedFeedsThoseWhoWait(t *testing.T) {
	f, _ := still(wide())
	active(t, f, "p", "a")
	limit(t, f, "a", 0)
	expectState(t, f, "a", Active)
	first, second, third := enqueue(t, f, Request{Capability: "mult"}), enqueue(t, f, Request{Capability: "mult"}), enqueue(t, f, Request{Capability: "mult"})
	audit(t, f)
	limit(t, f, "a", 2)
	expectGrant(t, first, "a")
	expectGrant(t, second, "a")
	expectGrant(t, third, "")
	limit(t, f, "a", 3)
	expectGrant(t, third, "a")
	expect(t, "in flight", measure(t, f, "p").Busy, 3)
}

func TestLimitRaisedWakesARequestThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{wide()}, time.Now)
		active(t, f, "p", "a")
		limit(t, f, "a", 0)
		in := ask(t.Context(), f, Request{Capability: "mult"})
		expectWaiting(t, in)
		pass(time.Second)
		limit(t, f, "a", 1)
		expect(t, "at", answered(t, in).at, time.Second)
	})
}

func TestLimitOfNothingKeepsHopeAlive(t *testing.T) {
	f, _ := still(wide())
	active(t, f, "p", "a")
	f.SetUnavailable("p", "no image")
	limit(t, f, "a", 0)
	w := enqueue(t, f, Request{Capability: "mult"}) // it may be raised any time
	expectGrant(t, w, "")
	f.Remove("a")
	expectGrant(t, w, "-")
}

func TestLimitedSpareIsNoSpare(t *testing.T) {
	f, _ := still(wide())
	spares(t, f, "p", "a", "b")
	limit(t, f, "a", 0)
	expect(t, "promoted", take(t, f, "mult").Worker.ID, "b")
	expectState(t, f, "a", Spare)
	audit(t, f)
}

func TestLimitRaisedOfASpareServesThoseWhoWait(t *testing.T) {
	f, _ := still(wide())
	spares(t, f, "p", "a")
	limit(t, f, "a", 0)
	w := enqueue(t, f, Request{Capability: "mult"})
	audit(t, f)
	limit(t, f, "a", 1)
	expectGrant(t, w, "a")
	expectState(t, f, "a", Active)
}

func TestLimitBeforeReadyHoldsFromTheFirstMoment(t *testing.T) {
	f, _ := still(wide())
	w := enqueue(t, f, Request{Capability: "mult"})
	add(t, f, Info{ID: "a", Pool: "p", Origin: Adopted})
	limit(t, f, "a", 0)
	f.Ready("a", "http://a", 1)
	audit(t, f)
	expectGrant(t, w, "")
	limit(t, f, "a", 3)
	expectGrant(t, w, "a")
}

func TestLimitSteersThoseFirstThatCanServe(t *testing.T) {
	f, _ := still(wide())
	spares(t, f, "p", "a", "b")
	limit(t, f, "a", 0)
	f.Steer("p", 1, 1)
	expectState(t, f, "b", Active)
	f.Steer("p", 2, 0)
	expectState(t, f, "a", Active)
	audit(t, f)
}

// Another balancer may have tasks on a worker that this one may not fill.
func TestLimitedWorkersAreNotRetired(t *testing.T) {
	f, _ := still(wide())
	active(t, f, "p", "a", "b")
	spares(t, f, "p", "c", "d")
	limit(t, f, "a", 2)
	limit(t, f, "d", 0)
	expect(t, "idle", measure(t, f, "p").Idle, 1)
	expectList(t, "retired", ids(f.Retire("p", 4, 0, "test")), []string{"c", "b"})
	audit(t, f)
	limit(t, f, "a", 3)
	limit(t, f, "d", 3)
	expectList(t, "retired", ids(f.Retire("p", 4, 0, "test")), []string{"d", "a"})
}

func TestLimitKeepsTheTurnOfWhoIsStillOnOffer(t *testing.T) {
	f, _ := still(wide())
	active(t, f, "p", "a", "b", "c")
	limit(t, f, "a", 2)
	limit(t, f, "a", 1)
	limit(t, f, "a", 3)
	expectList(t, "turns", turns(t, f, "mult", 3), []string{"a", "b", "c"})
}

func TestLimitDoesNotEndAPause(t *testing.T) {
	f, c := still(wide())
	active(t, f, "p", "a")
	end(t, take(t, f, "mult"), Busy)
	limit(t, f, "a", 0)
	w := enqueue(t, f, Request{Capability: "mult"})
	limit(t, f, "a", 1)
	expectGrant(t, w, "")
	c.pass(pauseBase)
	measure(t, f, "p")
	expectGrant(t, w, "a")
	audit(t, f)
}

func TestLimitIsCutToWhatTheWorkerTakes(t *testing.T) {
	f, _ := still(wide())
	w := active(t, f, "p", "a")[0]
	limit(t, f, "a", 1<<40)
	expect(t, "limit", w.limit, 3)
	limit(t, f, "a", -1)
	expect(t, "limit", w.limit, 0)
	expect(t, "an unknown worker", f.Limit("nobody", 1), false)
	f.Drain("a", "test")
	limit(t, f, "a", 3) // changes nothing for one that is leaving
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient)
}
