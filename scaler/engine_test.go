package scaler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

// errAway is what a driver says without an engine.
var errAway = fmt.Errorf("the socket refuses: %w", driver.ErrUnavailable)

func TestAnEngineThatIsAwayIsNotedNothingIsDecidedAndItIsNotPestered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		log := b.listen()
		b.run()
		b.pass(5 * time.Second)
		b.driver.SetDown(errAway)
		b.pass(listEvery) // though nothing was asked of it
		if e := b.scaler.Engine(); !e.Away || !strings.Contains(e.Error, "refuses") || time.Since(e.Since) > listEvery {
			t.Fatalf("engine: %+v", e)
		}
		before := len(b.driver.Calls())
		wait := b.serve("mult", 12, 5*time.Second) // a load that calls for more workers
		b.fleet.Fail(b.driver.Workers()[0].Worker, "broke")
		b.pass(10 * time.Minute)
		wait()
		calls := b.driver.Calls()[before:]
		for _, c := range calls {
			if c.Op != "list" {
				t.Errorf("a call of %s", c.Op)
			}
		}
		if n := len(calls); n < 55 || n > 70 {
			t.Errorf("%d lists in ten minutes", n)
		}
		for range 600 { // whatever is hinted at and asked, ten times a second
			b.driver.Mute(false)
			b.fleet.Engine().Ask()
			b.pass(100 * time.Millisecond)
		}
		if n := len(b.driver.Calls()) - before - len(calls); n < 50 || n > 61 {
			t.Errorf("%d lists in a minute of hints", n)
		}
		if lines := log.with("engine is away"); len(lines) < 10 || len(lines) > 13 {
			t.Errorf("it is said in %d lines", len(lines))
		}
		b.driver.SetDown(nil)
		b.pass(listEvery + time.Second)
		b.want("mult", 2, 1)
		if lines := log.with("engine is back"); len(lines) != 1 || !strings.Contains(lines[0], "after=11m") {
			t.Errorf("its return: %v", lines)
		}
		var notes []string
		for _, e := range b.journal.Last(1000) {
			if strings.Contains(e.Note, "engine") {
				notes = append(notes, e.Note)
			}
		}
		if len(notes) != 2 || !strings.Contains(notes[0], "away") || !strings.Contains(notes[1], "back after 11m") {
			t.Errorf("journal: %q", notes)
		}
		if e := b.scaler.Engine(); e.Away || e.Error != "" || time.Since(e.Since) > listEvery+time.Second {
			t.Errorf("engine: %+v", e)
		}
		b.end()
	})
}

func TestWhileTheEngineIsAwayWorkersServeSparesStepInAndWaitingKeepsItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) {
			steady(p)
			p.Queue.Wait = 4 * time.Second
		}))
		b.run()
		b.pass(5 * time.Second)
		b.driver.SetDown(errAway)
		b.pass(listEvery)
		wait := b.serve("mult", 3, 20*time.Second)
		b.pass(0)
		b.want("mult", 3, 0)
		began := time.Now()
		_, err := b.fleet.Acquire(context.Background(), fleet.Request{Capability: "mult"})
		if waited := time.Since(began); !errors.Is(err, fleet.ErrQueueTimeout) || waited != 4*time.Second {
			t.Errorf("it waited %v for %v", waited, err)
		}
		wait()
		b.driver.SetDown(nil)
		b.pass(listEvery)
		b.end()
	})
}

func TestServingGoesOnWhileAListHangsAndAHungEngineIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		release := b.driver.Hang("list", "start", "stop", "inspect")
		for range 600 {
			began := time.Now()
			lease, err := b.fleet.Acquire(context.Background(), fleet.Request{Capability: "mult"})
			if err != nil || time.Since(began) > 0 {
				t.Fatalf("it waited %v for %v", time.Since(began), err)
			}
			lease.Release(fleet.Outcome{Kind: fleet.Served})
			b.pass(time.Second)
		}
		if !b.scaler.Engine().Away {
			t.Error("it is not away")
		}
		if n := len(b.driver.Calls("list")); n < 25 || n > 40 {
			t.Errorf("%d lists in ten minutes", n)
		}
		if n := len(b.driver.Calls("stop")); n > 0 {
			t.Errorf("%d removals", n)
		}
		release()
		b.pass(2 * listEvery)
		b.want("mult", 2, 1)
		b.end()
	})
}

func TestStartsThatFailForAnEngineThatIsAwayAreNobodysFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 4, Max: 8} }))
		log := b.listen()
		b.run()
		b.pass(15 * time.Second)
		for range 20 { // it goes while a worker is being replaced, again and again
			b.driver.FailNext("start", errAway)
			b.driver.FailNext("list", errAway, errAway)
			b.driver.Vanish(b.driver.Workers()[0].Worker)
			b.pass(0)
			if got := b.states("mult"); got[fleet.Active] != 3 || got[fleet.Starting] != 0 {
				t.Fatalf("the test needs a start that failed: %v", got)
			}
			if trouble, ok := b.scaler.Trouble("mult"); ok {
				t.Fatalf("the pool has trouble: %+v", trouble)
			}
			starts := len(b.driver.Calls("start"))
			b.pass(900 * time.Millisecond)
			if n := len(b.driver.Calls("start")) - starts; n != 0 {
				t.Errorf("%d starts while it is away", n)
			}
			b.pass(listEvery)
			b.want("mult", 4, 0)
		}
		if lines := log.with("did not start"); len(lines) != 0 {
			t.Errorf("a pool is blamed: %v", lines)
		}
		if s := b.ports.Status(); s.Leased != 4 || len(s.Quarantined) != 0 {
			t.Errorf("ports: %+v", s)
		}
		b.end()
	})
}

func TestStartsThatGetNoAnswerFromAnEngineThatIsThereAreBookedAsOneFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 4, Max: 8} }))
		b.driver.FailNext("start", errAway, errAway, errAway, errAway)
		b.run()
		b.pass(300 * time.Millisecond)
		if trouble, ok := b.scaler.Trouble("mult"); !ok || trouble.Fails != 1 {
			t.Errorf("trouble: %+v", trouble)
		}
		b.pass(5 * time.Second)
		b.want("mult", 4, 0)
		b.end()
	})
}

// Nobody knows what became of a start that got no answer: the container may be there, and hold its port, without an owner.
func TestThePortOfAStartWithoutAnAnswerIsBookedUntilAListTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 1, Max: 20} }))
		b.driver.FailNext("start", errAway)
		b.driver.FailNext("list", nil, errAway) // the first is Adopt's
		b.run()
		lost := b.driver.Calls("start")[0].Spec
		if s := b.ports.Status(); s.Leased != 1 {
			t.Fatalf("ports: %+v", s)
		}
		b.driver.Place(driver.Instance{Pool: "mult", Worker: lost.Worker, Generation: lost.Generation, HostPort: lost.HostPort})
		next := *b.cfg
		next.Pools = []config.Pool{pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 19, Max: 20} })}
		b.scaler.Reload(t.Context(), &next)
		b.pass(30 * time.Second)
		b.want("mult", 19, 0)
		if s := b.ports.Status(); s.Leased != 20 || len(s.Quarantined) != 0 {
			t.Errorf("ports: %+v", s)
		}
		b.pass(orphanGrace)
		if s := b.ports.Status(); s.Leased != 19 || len(b.driver.Workers()) != 19 {
			t.Errorf("ports: %+v, %d workers", s, len(b.driver.Workers()))
		}
		b.end()
	})
}

// lose is what the health checks do with a worker that is out of reach.
func (b *bench) lose() (lost []string) {
	for _, w := range b.fleet.Workers(fleet.Active, fleet.Spare) {
		b.fleet.Engine().Ask()
		if b.fleet.Lose(w.ID, "it refuses") {
			lost = append(lost, w.ID)
		}
	}
	return lost
}

func TestADoubtHasTheDriverAskedAtOnceAndWhatIsLostIsWaitedForAfterAReturn(t *testing.T) {
	for _, found := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
			b.run()
			b.pass(5 * time.Second)
			b.driver.SetDown(errAway)
			lost := b.lose()
			b.pass(0)
			if !b.scaler.Engine().Away || len(lost) != 3 {
				t.Fatalf("engine %+v, %d lost", b.scaler.Engine(), len(lost))
			}
			starts := len(b.driver.Calls("start"))
			b.pass(time.Minute)
			b.driver.SetDown(nil)
			for b.scaler.Engine().Away {
				b.pass(100 * time.Millisecond)
			}
			b.pass(returnTime - time.Second)
			if n := len(b.driver.Calls("start")); n != starts {
				t.Errorf("%d starts before anybody could look", n-starts)
			}
			if found {
				for _, id := range lost {
					b.fleet.Regain(id)
				}
			}
			b.pass(10 * time.Second)
			if n := len(b.driver.Calls("start")) - starts; found != (n == 0) {
				t.Errorf("found %v: %d starts", found, n)
			}
			for _, id := range lost {
				b.fleet.Regain(id)
			}
			b.end()
		})
	}
}

func TestAfterAReturnTheRefillIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(time.Second), pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 12, Max: 12} }))
		b.run()
		b.pass(10 * time.Second)
		b.want("mult", 12, 0)
		b.driver.Mute(true)
		b.driver.SetDown(errAway)
		b.pass(listEvery)
		for _, inst := range b.driver.Workers() { // dockerd ends, and its containers with it
			b.driver.Kill(inst.Worker, 137)
		}
		b.pass(time.Minute)
		before := len(b.driver.Calls("start"))
		b.driver.SetDown(nil)
		b.pass(30 * time.Second)
		b.want("mult", 12, 0)
		starts := b.driver.Calls("start")[before:]
		if len(starts) != 12 {
			t.Errorf("%d starts", len(starts))
		}
		for _, c := range starts {
			n := 0
			for _, o := range starts {
				if !o.Began.After(c.Began) && o.Ended.After(c.Began) {
					n++
				}
			}
			if n > maxParallelStarts {
				t.Errorf("%d starts at the same time", n)
			}
		}
		b.end()
	})
}

func TestTheEndDoesNotWaitForAListThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		b.driver.Hang("list")
		b.pass(6 * time.Second)
		began := time.Now()
		b.end()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}
