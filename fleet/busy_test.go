package fleet

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestBusyAnswerSendsTheRequestElsewhere(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a", "b")
	l := take(t, f, "mult")
	end(t, l, Busy)
	again, err := try(f, Request{Capability: "mult", Again: &l})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "second worker", again.Worker.ID, "b")
	expect(t, "arrivals", measure(t, f, "p").Slow.Arrivals, 1)
	_, err = try(f, Request{Capability: "mult"})
	expectErr(t, err, errImpatient) // a pauses
	audit(t, f)
	end(t, again, Served)
	m := measure(t, f, "p")
	expect(t, "answers", m.Latency, Latency{N: 1, Requests: 1})
	expect(t, "service times", len(m.Service), 1)
	audit(t, f)
}

func TestBusyAnswerKeepsThePlaceInTheQueue(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a", "b")
	first, other := take(t, f, "mult"), take(t, f, "mult")
	c.pass(time.Millisecond)
	later := enqueue(t, f, Request{Capability: "mult"})
	latest := enqueue(t, f, Request{Capability: "mult"})
	end(t, first, Busy)
	back := enqueue(t, f, Request{Capability: "mult", Again: &first})
	audit(t, f)
	c.pass(time.Millisecond)
	end(t, other, Served)
	l := expectGrant(t, back, "b")
	expect(t, "waited since its first arrival", l.Waited, 2*time.Millisecond)
	expectGrant(t, later, "")
	end(t, l, Served)
	end(t, expectGrant(t, later, "b"), Served)
	end(t, expectGrant(t, latest, "b"), Served)
	audit(t, f)
}

func TestBusyAnswersLengthenThePause(t *testing.T) {
	f, c := still(kind("p", "mult"))
	w := active(t, f, "p", "a")[0]
	for i, want := range []time.Duration{50, 100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000, 1000} {
		end(t, take(t, f, "mult"), Busy)
		expect(t, "pause", w.paused-f.since(), want*time.Millisecond)
		c.pass(want*time.Millisecond - 1)
		if l, err := try(f, Request{Capability: "mult"}); err == nil {
			t.Fatalf("%d. pause: %s was asked before its end", i, l.Worker)
		}
		audit(t, f)
		c.pass(1)
	}
	end(t, take(t, f, "mult"), Served)
	end(t, take(t, f, "mult"), Busy)
	expect(t, "pause after an answer", w.paused-f.since(), 50*time.Millisecond)
	audit(t, f)
}

func TestPausedWorkerComesBackByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{kind("p", "mult")}, time.Now)
		active(t, f, "p", "a")
		l := take(t, f, "mult")
		end(t, l, Busy)
		in := ask(t.Context(), f, Request{Capability: "mult", Again: &l})
		expectWaiting(t, in)
		pass(time.Second)
		a := answered(t, in)
		expect(t, "worker", a.Worker.ID, "a")
		expect(t, "at", a.at, 50*time.Millisecond)
		expect(t, "start", a.Start, Warm)
		audit(t, f)
	})
}

func TestPausedWorkerComesBackForThoseWhoWaitedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{kind("p", "mult", "add")}, time.Now)
		active(t, f, "p", "a")
		l := take(t, f, "mult")
		waiting := ask(t.Context(), f, Request{Capability: "add"})
		end(t, l, Busy) // and its client has left: nobody comes back with it
		pass(time.Second)
		a := answered(t, waiting)
		expect(t, "worker", a.Worker.ID, "a")
		expect(t, "at", a.at, 50*time.Millisecond)
		audit(t, f)
	})
}

// Only the head of the queue has set its timer to the end of the pause.
func TestPausedWorkerComesBackWhenWhoeverWatchedTheClockIsGone(t *testing.T) {
	leaves := map[string]func(cancel context.CancelFunc, other Lease){
		"cancelled": func(cancel context.CancelFunc, _ Lease) { cancel() },
		"served":    func(_ context.CancelFunc, other Lease) { other.Release(Outcome{Kind: Served}) },
	}
	for name, leave := range leaves {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := New([]PoolConfig{kind("p", "mult")}, time.Now)
				active(t, f, "p", "a", "b")
				l, other := take(t, f, "mult"), take(t, f, "mult")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				first := ask(ctx, f, Request{Capability: "mult"})
				second := ask(t.Context(), f, Request{Capability: "mult"})
				third := ask(t.Context(), f, Request{Capability: "mult"})
				end(t, l, Busy) // and its client has left
				leave(cancel, other)
				answered(t, first)
				pass(time.Second)
				a := answered(t, second)
				expect(t, "worker", a.Worker.ID, "a")
				expect(t, "at", a.at, 50*time.Millisecond)
				expectWaiting(t, third)
				audit(t, f)
				end(t, a.Lease, Busy) // for 100 ms now
				pass(time.Second)
				expect(t, "the third", answered(t, third).at, 1100*time.Millisecond)
				audit(t, f)
			})
		})
	}
}

func TestPausedWorkerIsBroughtBackByWhoeverLooks(t *testing.T) {
	looks := map[string]func(t testing.TB, f *Fleet){
		"measuring": func(t testing.TB, f *Fleet) { measure(t, f, "p") },
		"steering":  func(_ testing.TB, f *Fleet) { f.Steer("p", 1, 0) },
		"arriving":  func(_ testing.TB, f *Fleet) { try(f, Request{Capability: "mult"}) },
	}
	for name, look := range looks {
		t.Run(name, func(t *testing.T) {
			f, c := still(kind("p", "mult"))
			active(t, f, "p", "a")
			end(t, take(t, f, "mult"), Busy)
			w := enqueue(t, f, Request{Capability: "mult"})
			c.pass(50*time.Millisecond - 1)
			look(t, f)
			expectGrant(t, w, "")
			c.pass(1)
			look(t, f)
			expectGrant(t, w, "a")
			audit(t, f)
		})
	}
}

func TestPausedWorkersAreAskedAgainEachInItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{kind("p", "mult")}, time.Now)
		active(t, f, "p", "a", "b")
		a, b := take(t, f, "mult"), take(t, f, "mult")
		end(t, a, Busy)
		pass(20 * time.Millisecond)
		end(t, b, Busy)
		first := ask(t.Context(), f, Request{Capability: "mult", Again: &a})
		second := ask(t.Context(), f, Request{Capability: "mult", Again: &b})
		pass(time.Second)
		one, two := answered(t, first), answered(t, second)
		expect(t, "first worker", one.Worker.ID, "a")
		expect(t, "first at", one.at, 50*time.Millisecond)
		expect(t, "second worker", two.Worker.ID, "b")
		expect(t, "second at", two.at, 70*time.Millisecond)
		audit(t, f)
	})
}

func TestPausedWorkerDoesNotOutliveItsEnd(t *testing.T) {
	ends := map[string]func(f *Fleet){
		"drained": func(f *Fleet) { f.Drain("a", "test") },
		"failed":  func(f *Fleet) { f.Fail("a", "test") },
		"removed": func(f *Fleet) { f.Remove("a") },
	}
	for name, finish := range ends {
		t.Run(name, func(t *testing.T) {
			f, c := still(kind("p", "mult"))
			active(t, f, "p", "a")
			end(t, take(t, f, "mult"), Busy)
			finish(f)
			audit(t, f)
			c.pass(time.Second)
			_, err := try(f, Request{Capability: "mult"})
			expectErr(t, err, errImpatient)
			audit(t, f)
		})
	}
}

func TestBusyAnswerOfADrainingWorkerPausesNobody(t *testing.T) {
	f, c := still(kind("p", "mult"))
	active(t, f, "p", "a")
	l := take(t, f, "mult")
	f.Drain("a", "test")
	end(t, l, Busy)
	audit(t, f)
	c.pass(time.Second)
	measure(t, f, "p")
	audit(t, f)
}

func TestPausedWorkerIsNoIdleWorker(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	active(t, f, "p", "a")
	end(t, take(t, f, "mult"), Busy)
	f.Steer("p", 0, 1)
	expectState(t, f, "a", Active)
	expect(t, "retired", len(f.Retire("p", 1, 0, "test")), 0)
	audit(t, f)
}

func TestRetryGoesToAnotherWorkerAndNeverBack(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	w := active(t, f, "p", "a", "b")
	l := take(t, f, "mult")
	busy := take(t, f, "mult") // b
	end(t, l, Broke)
	retry := enqueue(t, f, Request{Capability: "mult", Again: &l, Not: w[0]})
	audit(t, f)
	expect(t, "others get a", serve(t, f, "mult"), "a")
	expectGrant(t, retry, "")
	end(t, busy, Served)
	expectGrant(t, retry, "b")
	m := measure(t, f, "p")
	expect(t, "failed", m.Latency.Failed, 1)
	expect(t, "arrivals", m.Slow.Arrivals, 3)
	audit(t, f)
}

// An idle worker that the request at the head must not have stands in nobody's way.
func TestQueueGoesPastARequestThatCannotBeServed(t *testing.T) {
	f, c := still(kind("p", "mult"))
	w := active(t, f, "p", "a", "b", "c")
	held := []Lease{take(t, f, "mult"), take(t, f, "mult"), take(t, f, "mult")}
	notA := enqueue(t, f, Request{Capability: "mult", Not: w[0]})
	next := enqueue(t, f, Request{Capability: "mult"})
	end(t, held[0], Served)
	end(t, expectGrant(t, next, "a"), Served) // a is idle again, and not for the head
	expectGrant(t, notA, "")
	audit(t, f)
	c.pass(time.Millisecond)
	end(t, held[1], Served)
	expectGrant(t, notA, "b")
	audit(t, f)
	end(t, held[2], Served)
	expectList(t, "a kept its turn", turns(t, f, "mult", 2), []string{"a", "c"})
	audit(t, f)
}

func TestPauseEndsWithAnAnswerToAnotherTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 2 })}, time.Now)
		active(t, f, "p", "a", "b")
		var onA, onB []Lease
		for range 4 {
			l := take(t, f, "mult")
			if l.Worker.ID == "a" {
				onA = append(onA, l)
			} else {
				onB = append(onB, l)
			}
		}
		end(t, onA[0], Busy)
		waiting := ask(t.Context(), f, Request{Capability: "mult", Again: &onA[0]})
		pass(10 * time.Millisecond)
		expectWaiting(t, waiting)
		end(t, onA[1], Served) // so it is not that busy any more
		a := answered(t, waiting)
		expect(t, "worker", a.Worker.ID, "a")
		expect(t, "at", a.at, 10*time.Millisecond)
		audit(t, f)
		end(t, a.Lease, Served)
		end(t, onB[0], Served)
		end(t, onB[1], Served)
		pass(time.Second)
		measure(t, f, "p")
		audit(t, f)
		expect(t, "who is idle longest", take(t, f, "mult").Worker.ID, "a")
	})
}

func TestPauseThatWasCutShortTakesNobodysTurn(t *testing.T) {
	f, c := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 2 }))
	active(t, f, "p", "a", "b")
	one, two, three := take(t, f, "mult"), take(t, f, "mult"), take(t, f, "mult") // a, b, a
	end(t, one, Busy)
	end(t, three, Served) // a is back, and idle before b
	end(t, two, Served)
	audit(t, f)
	c.pass(time.Second)
	measure(t, f, "p")
	expectList(t, "turns", turns(t, f, "mult", 2), []string{"a", "b"})
	audit(t, f)
}
