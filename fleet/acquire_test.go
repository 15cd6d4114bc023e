package fleet

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestAcquireTakesAnIdleWorkerAtOnce(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a")
	l := take(t, f, "mult")
	expect(t, "worker", l.Worker.ID, "a")
	expect(t, "start", l.Start, Warm)
	expect(t, "waited", l.Waited, 0)
	expect(t, "home", l.Home(), "p")
	audit(t, f)
	end(t, l, Served)
	expect(t, "a second release", l.Release(Outcome{Kind: Served}), false)
	expect(t, "served", f.Workers()[0].served, 1)
	audit(t, f)
}

func TestLeaseThatNobodyGaveIsHarmless(t *testing.T) {
	expect(t, "release", Lease{}.Release(Outcome{Kind: Served}), false)
	expect(t, "home", Lease{}.Home(), "")
}

func TestAcquirePromotesTheSpareInTheSameCall(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a")
	spares(t, f, "p", "older", "newer")
	take(t, f, "mult")
	l := take(t, f, "mult")
	expect(t, "worker", l.Worker.ID, "older")
	expect(t, "start", l.Start, SpareStart)
	expect(t, "waited", l.Waited, 0)
	expectState(t, f, "older", Active)
	expectState(t, f, "newer", Spare)
	audit(t, f)
	end(t, l, Served)
	expect(t, "the promoted one stays in rotation", serve(t, f, "mult"), "older")
	expect(t, "and is no spare any more", take(t, f, "mult").Start, Warm)
}

func TestAcquireDoesNotPromoteTheExcludedSpare(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	w := spares(t, f, "p", "a", "b")
	l, err := try(f, Request{Capability: "mult", Not: w[0]})
	if err != nil || l.Worker != w[1] {
		t.Fatalf("got %v, %v, want b", l.Worker, err)
	}
	_, err = try(f, Request{Capability: "mult", Not: w[0]})
	expectErr(t, err, errImpatient)
	audit(t, f)
}

func TestAcquireOfAnUnknownCapabilityIsRefusedAndLeavesNoTrace(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a")
	for _, c := range []string{"add", "", Wildcard} {
		_, err := try(f, Request{Capability: c})
		expectErr(t, err, ErrUnknownCapability)
	}
	expect(t, "arrivals", measure(t, f, "p").Slow.Arrivals, 0)
	expectList(t, "capabilities", f.Capabilities(), []string{"mult"})
}

func TestQueueServesTheOldestRequestAcrossCapabilities(t *testing.T) {
	f, c := still(kind("p", "mult", "add"))
	active(t, f, "p", "a")
	l := take(t, f, "mult")
	var waiting []*waiter
	for _, capability := range []string{"add", "mult", "mult", "add"} {
		waiting = append(waiting, enqueue(t, f, Request{Capability: capability}))
		c.pass(time.Millisecond)
	}
	for i, w := range waiting {
		audit(t, f)
		end(t, l, Served)
		for _, later := range waiting[i+1:] {
			expectGrant(t, later, "")
		}
		l = expectGrant(t, w, "a")
		expect(t, "start", l.Start, Warm)
		expect(t, "waited", l.Waited, 4*time.Millisecond-time.Duration(i)*time.Millisecond)
	}
	end(t, l, Served)
	audit(t, f)
}

func TestQueueIsBoundedInLength(t *testing.T) {
	f, _ := still(with(kind("p", "mult", "add"), func(p *PoolConfig) { p.QueueLength = 2 }))
	active(t, f, "p", "a")
	l := take(t, f, "mult")
	enqueue(t, f, Request{Capability: "mult"})
	enqueue(t, f, Request{Capability: "mult"})
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, ErrQueueFull)
	enqueue(t, f, Request{Capability: "add"}) // its own queue has room
	if err := l.Release(Outcome{Kind: Busy}); !err {
		t.Fatal("release")
	}
	enqueue(t, f, Request{Capability: "mult", Again: &l}) // who had a place keeps it
	expect(t, "waiting", measure(t, f, "p").Queue, 4)
	audit(t, f)
}

func TestQueueOfLengthZeroServesWhoNeedNotWait(t *testing.T) {
	f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.QueueLength = 0 }))
	active(t, f, "p", "a")
	take(t, f, "mult")
	_, err := try(f, Request{Capability: "mult"})
	expectErr(t, err, ErrQueueFull)
}

func TestQueueIsBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{with(kind("p", "mult"), func(p *PoolConfig) { p.QueueWait = 3 * time.Second })}, time.Now)
		active(t, f, "p", "a")
		l := take(t, f, "mult")
		first := ask(t.Context(), f, Request{Capability: "mult"})
		pass(time.Second)
		second := ask(t.Context(), f, Request{Capability: "mult"})
		pass(2*time.Second - 1)
		expectWaiting(t, first)
		pass(1)
		a := answered(t, first)
		expectErr(t, a.err, ErrQueueTimeout)
		expect(t, "refused at", a.at, 3*time.Second)
		expectWaiting(t, second)
		audit(t, f)
		end(t, l, Served)
		expect(t, "who waits on is served", answered(t, second).Worker.ID, "a")
	})
}

func TestQueueWaitChangesForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{kind("p", "mult"), kind("other", "mult", "add")}, time.Now)
		active(t, f, "p", "a")
		take(t, f, "mult")
		f.SetQueueWait("nobody", 0)
		early := ask(t.Context(), f, Request{Capability: "mult"})
		elsewhere := ask(t.Context(), f, Request{Capability: "add"})
		pass(60 * time.Millisecond)
		f.SetQueueWait("p", 100*time.Millisecond)
		late := ask(t.Context(), f, Request{Capability: "mult"})
		pass(40*time.Millisecond - 1)
		expectWaiting(t, early)
		pass(1)
		expectErr(t, answered(t, early).err, ErrQueueTimeout)
		expectWaiting(t, late)
		if !f.Update(with(kind("p", "mult"), func(p *PoolConfig) { p.QueueWait = time.Second })) || f.Update(kind("nobody")) {
			t.Fatal("Update tells whether there is such a pool")
		}
		pass(960*time.Millisecond - 1) // a longer wait holds for those who wait, too
		expectWaiting(t, late)
		pass(1)
		expectErr(t, answered(t, late).err, ErrQueueTimeout)
		expectWaiting(t, elsewhere)
		end := ask(t.Context(), f, Request{Capability: "mult"})
		f.SetQueueWait("p", 0)
		expectErr(t, answered(t, end).err, ErrQueueTimeout)
		f.SetQueueWait("other", 0)
		expectErr(t, answered(t, elsewhere).err, ErrQueueTimeout)
		audit(t, f)
	})
}

func TestWaiterThatIsCancelledLeavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{kind("p", "mult")}, time.Now)
		active(t, f, "p", "a")
		l := take(t, f, "mult")
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := ask(ctx, f, Request{Capability: "mult"})
		stays := ask(t.Context(), f, Request{Capability: "mult"})
		errGone := errors.New("the client hung up")
		cancel(errGone)
		a := answered(t, gone)
		expectErr(t, a.err, errGone)
		expect(t, "at", a.at, 0)
		expect(t, "waiting", measure(t, f, "p").Queue, 1)
		audit(t, f)
		end(t, l, Served)
		expect(t, "the next in line", answered(t, stays).Worker.ID, "a")
		audit(t, f)
	})
}

// The waiter's goroutine is played by the test here: it finds out that its caller has left before or after the grant.
func TestWaiterCancelledAndGrantedInOneInstantKeepsNoLease(t *testing.T) {
	for _, grantFirst := range []bool{true, false} {
		f, _ := still(kind("p", "mult"))
		active(t, f, "p", "a")
		l := take(t, f, "mult")
		gone := enqueue(t, f, Request{Capability: "mult"})
		next := enqueue(t, f, Request{Capability: "mult"})
		leave := func() {
			got, err := f.leave(gone, context.Canceled)
			expectErr(t, err, context.Canceled)
			expect(t, "the lease it kept", got.Worker, nil)
		}
		if grantFirst {
			end(t, l, Served)
			expectGrant(t, next, "")
			leave()
		} else {
			leave()
			expectGrant(t, next, "")
			end(t, l, Served)
		}
		audit(t, f)
		end(t, expectGrant(t, next, "a"), Served)
		expect(t, "served", f.Workers()[0].served, 2) // a lease given back unused is nothing served
		audit(t, f)
	}
}

func TestWaiterGrantedInTheInstantItsTimeEndsTakesTheLease(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a")
	l := take(t, f, "mult")
	w := enqueue(t, f, Request{Capability: "mult"})
	c.pass(10 * time.Second)
	end(t, l, Served)
	got, err := f.leave(w, ErrQueueTimeout)
	if err != nil || got.Worker == nil {
		t.Fatalf("got %v, %v, want the lease", got.Worker, err)
	}
	end(t, got, Served)
	audit(t, f)
}

func TestAcquireWhereNoWorkerCanBeHadIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{kind("p", "mult"), kind("q", "add")}, time.Now)
		waiting := ask(t.Context(), f, Request{Capability: "mult"})
		other := ask(t.Context(), f, Request{Capability: "add"})
		f.SetUnavailable("p", "the image is missing")
		f.SetUnavailable("nobody", "")
		a := answered(t, waiting)
		expectErr(t, a.err, ErrNoWorker)
		expect(t, "at", a.at, 0)
		expectWaiting(t, other)
		_, err := try(f, Request{Capability: "mult"})
		expectErr(t, err, ErrNoWorker)
		expect(t, "what people read", statusOf(t, f, "p").Unavailable, "the image is missing")
		m := measure(t, f, "p")
		expect(t, "waiting", m.Queue, 0)
		audit(t, f)

		f.SetUnavailable("p", "")
		expectWaiting(t, ask(t.Context(), f, Request{Capability: "mult"}))
		audit(t, f)
	})
}

func TestAcquireOfAnUnavailablePoolIsServedByWorkersThatLive(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a")
	f.SetUnavailable("p", "the image is missing")
	l := take(t, f, "mult")
	w := enqueue(t, f, Request{Capability: "mult"})
	end(t, l, Served)
	end(t, expectGrant(t, w, "a"), Served)
	audit(t, f)
}

func TestWaitersAreSentAwayWhenTheLastHopeEnds(t *testing.T) {
	ends := map[string]func(f *Fleet){
		"drained": func(f *Fleet) { f.Drain("a", "test") },
		"failed":  func(f *Fleet) { f.Fail("a", "test") },
		"removed": func(f *Fleet) { f.Remove("a") },
	}
	for name, last := range ends {
		t.Run(name, func(t *testing.T) {
			f, c := still(kind("p", "mult"))
			active(t, f, "p", "a")
			f.SetUnavailable("p", "the image is missing")
			l := take(t, f, "mult")
			w := enqueue(t, f, Request{Capability: "mult"})
			c.pass(time.Second)
			expectGrant(t, w, "")
			last(f)
			expectGrant(t, w, "-")
			_, err := f.leave(w, context.Canceled)
			expectErr(t, err, ErrNoWorker)
			_, err = try(f, Request{Capability: "mult"})
			expectErr(t, err, ErrNoWorker)
			c.pass(10 * time.Second)
			expect(t, "standing", f.pools[0].gauge.standing.Min(f.since(), 5*time.Second), 1)
			l.Release(Outcome{Kind: Served})
			audit(t, f)
		})
	}
}

func TestRetireOfTheLastHopeSendsWaitersAway(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	a := active(t, f, "p", "a")[0]
	f.SetUnavailable("p", "the image is missing")
	w := enqueue(t, f, Request{Capability: "mult", Not: a})
	expectList(t, "retired", f.Retire("p", 1, 0, "test"), []*Worker{a})
	expectGrant(t, w, "-")
	audit(t, f)
}

func TestStartIsColdForThoseWhoWaitedForTheWorkerToStart(t *testing.T) {
	f, c := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 2 }))
	add(t, f, Info{ID: "a", Pool: "p"})
	first := enqueue(t, f, Request{Capability: "mult"})
	second := enqueue(t, f, Request{Capability: "mult"})
	third := enqueue(t, f, Request{Capability: "mult"})
	c.pass(400 * time.Millisecond)
	f.Ready("a", "", 0)
	expectState(t, f, "a", Active) // it was waited for: no spare
	l := expectGrant(t, first, "a")
	expect(t, "start", l.Start, ColdStart)
	expect(t, "waited", l.Waited, 400*time.Millisecond)
	expect(t, "start of the second slot", expectGrant(t, second, "a").Start, ColdStart)
	end(t, l, Served)
	expect(t, "start of who waited on", expectGrant(t, third, "a").Start, Warm)
	audit(t, f)
}

func TestStartIsWarmForWorkersWeDidNotStart(t *testing.T) {
	f, c := still(kind("p", "mult"))
	add(t, f, Info{ID: "a", Pool: "p", Origin: Adopted})
	w := enqueue(t, f, Request{Capability: "mult"})
	c.pass(time.Second)
	f.Ready("a", "", 0)
	expect(t, "start", expectGrant(t, w, "a").Start, Warm)
}
