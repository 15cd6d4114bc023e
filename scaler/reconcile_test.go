package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

func TestWhatIsGoneOrEndedIsReplacedThoughNoHintCame(t *testing.T) {
	for _, tc := range []struct {
		name, reason, said string
		lines              int
		hand               func(*drivertest.Fake, string)
	}{
		{"removed", "removed", somebodyRemovedIt, 0, func(f *drivertest.Fake, w string) { f.Vanish(w) }},
		{"ended", "exit", "code 3", 1, func(f *drivertest.Fake, w string) { f.Print(w, "last words"); f.Kill(w, 3) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, startDelay(time.Second), pool("mult", steady))
				b.run()
				b.pass(30 * time.Second)
				b.want("mult", 2, 1)
				b.driver.Mute(true)
				victim := b.driver.Workers()[0]
				tc.hand(b.driver, victim.Worker)
				b.pass(listEvery + 2*time.Second)
				b.want("mult", 2, 1)
				if last, ok := b.scaler.LastExit("mult"); !ok || last.Worker != victim.Worker || last.Reason != tc.reason || !strings.Contains(last.Error, tc.said) || len(last.Logs) != tc.lines {
					t.Errorf("the last exit is %+v", last)
				}
				if slices.ContainsFunc(b.driver.Workers(), func(i driver.Instance) bool { return i.Worker == victim.Worker }) {
					t.Error("it is still there")
				}
				b.end()
			})
		})
	}
}

// A pass costs one call, however many workers there are, while nothing is wrong with any.
func TestAPassOver64WorkersIsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 64, Max: 64} }))
		for i := range 64 {
			b.driver.Place(driver.Instance{
				Pool: "mult", Worker: fmt.Sprint("w", i), Generation: fmt.Sprint("g", i), HostPort: 30000 + i, Address: fmt.Sprint("http://127.0.0.1:", 30000+i), Running: true,
			})
		}
		b.run()
		b.pass(5 * time.Second)
		before := len(b.driver.Calls())
		b.pass(10 * listEvery)
		if n := len(b.driver.Calls()) - before; n != 10 || len(b.driver.Calls("list")) != 12 { // and those of Adopt and just after it
			t.Errorf("%d calls for ten passes: %v", n, b.driver.Calls()[before:])
		}
		b.want("mult", 64, 0)
		b.end()
	})
}

// listing is a driver whose lists are what the test makes of them.
type listingDriver struct {
	*drivertest.Fake
	list atomic.Pointer[func() ([]driver.Instance, error)] // nil: the Fake's
}

func (d *listingDriver) List(ctx context.Context) ([]driver.Instance, error) {
	if list := d.list.Load(); list != nil {
		return (*list)()
	}
	return d.Fake.List(ctx)
}

func TestAListThatFailedOrIsHalfAListChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		d := &listingDriver{Fake: b.driver}
		b.scaler.Driver = d
		b.run()
		b.pass(5 * time.Second)
		b.driver.Place(driver.Instance{Pool: "mult", Worker: "stray", Generation: "g", HostPort: 20019, Running: true})
		var lists atomic.Int32
		cut := func() ([]driver.Instance, error) {
			lists.Add(1)
			return b.driver.Workers()[3:], errors.New("the answer was cut off")
		}
		d.list.Store(&cut)
		calls := len(b.driver.Calls())
		b.pass(10 * time.Minute)
		b.want("mult", 2, 1)
		if n := len(b.driver.Calls()) - calls; n != 0 || len(b.driver.Workers()) != 4 {
			t.Errorf("%d calls rest on lists that failed, %d workers", n, len(b.driver.Workers()))
		}
		if n := lists.Load(); n < 50 || n > 80 {
			t.Errorf("%d lists in ten minutes", n)
		}
		if b.scaler.Engine().Away {
			t.Error("an engine that answers is not away")
		}
		d.list.Store(nil)
		b.driver.Vanish("stray")
		b.end()
	})
}

// What a list does not show yet, or shows no more, has changed since it began.
func TestAListIsHeldAgainstWhatWasThereWhenItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		d := &listingDriver{Fake: b.driver}
		b.scaler.Driver = d
		b.run()
		b.pass(5 * time.Second)
		begun, release := make(chan struct{}), make(chan struct{})
		late := func() ([]driver.Instance, error) {
			d.list.Store(nil)
			found := b.driver.Workers()
			close(begun)
			<-release
			return found, nil
		}
		d.list.Store(&late)
		<-begun
		old := b.driver.Workers()[0]
		if _, err := b.fleet.Drain(old.Worker, "test"); err != nil {
			t.Fatal(err)
		}
		b.pass(2 * time.Second) // it is removed and replaced while the list is made
		starts := len(b.driver.Calls("start"))
		free := b.ports.Status().Free
		close(release)
		b.pass(0)
		if stops := len(b.driver.Calls("stop")); len(b.scaler.orphans) != 0 || stops != 1 {
			t.Errorf("what was removed while the list was made is an orphan, or removed again: %d removals", stops)
		}
		b.pass(time.Second)
		b.want("mult", 2, 1)
		if n := len(b.driver.Calls("start")); starts != 4 || n != starts {
			t.Errorf("%d starts, then %d", starts, n)
		}
		if got := b.ports.Status().Free; got != free || len(b.scaler.orphans) != 0 {
			t.Errorf("%d ports are free instead of %d; orphans %v", got, free, b.scaler.orphans)
		}
		b.end()
	})
}

// Whatever the engine says about when something was made, it is given the time that a create may take.
func TestAWorkerWithoutOwnerIsRemovedAfterItsGraceAndItsPortIsNobodysBefore(t *testing.T) {
	for _, made := range []time.Duration{-365 * 24 * time.Hour, 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 1, Max: 19} }))
			log := b.listen()
			b.run()
			b.pass(5 * time.Second)
			port := 20010
			b.issue("g")
			id := b.driver.Place(driver.Instance{Pool: "mult", Worker: "stray", Generation: "g", HostPort: port, Running: true, Created: time.Now().Add(made)})
			b.pass(listEvery + time.Second)
			if s := b.ports.Status(); s.Leased != 2 {
				t.Errorf("its port is not booked: %+v", s)
			}
			next := *b.cfg
			next.Pools = []config.Pool{pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 19, Max: 19} })}
			b.scaler.Reload(t.Context(), &next)
			b.pass(orphanGrace - listEvery)
			b.want("mult", 19, 0)
			if n := len(b.driver.Calls("stop")); n != 0 {
				t.Errorf("%d removals within its grace", n)
			}
			b.pass(2 * listEvery)
			if calls := b.driver.Calls("stop"); len(calls) != 1 || calls[0].ID != id {
				t.Errorf("removals: %+v", calls)
			}
			if s := b.ports.Status(); s.Leased != 19 || s.Free != 1 {
				t.Errorf("its port did not come back: %+v", s)
			}
			if lines := log.with("nobody stands for"); len(lines) != 1 {
				t.Errorf("it is said in %d lines", len(lines))
			}
			b.end()
		})
	}
}

func TestAWorkerWithoutOwnerThatGoesByItselfLeavesItsPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		b.issue("g")
		b.driver.Place(driver.Instance{Pool: "mult", Worker: "stray", Generation: "g", HostPort: 20010, Running: true})
		b.pass(listEvery)
		leased := b.ports.Status().Leased
		b.driver.Vanish("stray")
		b.pass(listEvery)
		if now := b.ports.Status(); leased != 4 || now.Leased != 3 || len(b.driver.Calls("stop")) != 0 {
			t.Errorf("%d ports leased, then %+v; %d removals", leased, now, len(b.driver.Calls("stop")))
		}
		b.end()
	})
}

func TestAStartThatTakesLongerThanTheGraceIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, startDelay(4*orphanGrace), pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 1, Max: 1} }))
		b.run()
		b.pass(5 * orphanGrace)
		b.want("mult", 1, 0)
		if n := len(b.driver.Calls("start")); n != 1 || len(b.driver.Calls("stop")) != 0 {
			t.Errorf("%d starts, %d removals", n, len(b.driver.Calls("stop")))
		}
		b.end()
	})
}

func TestNothingIsDoneAboutAListWhileAnotherBalancerTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		release := b.driver.Hang("list")
		b.pass(listEvery) // one is under way when the hold begins
		if err := b.scaler.Hold(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		b.driver.Mute(true)
		b.driver.Vanish(b.driver.Workers()[0].Worker)
		b.driver.Place(driver.Instance{Pool: "mult", Worker: "stray", Generation: "g", HostPort: 20019, Running: true})
		release()
		lists := len(b.driver.Calls("list"))
		b.pass(5 * orphanGrace)
		if n := len(b.driver.Calls("list")); n != lists || len(b.driver.Calls("stop")) != 0 || b.states("mult")[fleet.Failed] != 0 {
			t.Errorf("held, it made %d lists and %d removals, and failed %d workers", n-lists, len(b.driver.Calls("stop")), b.states("mult")[fleet.Failed])
		}
		if err := b.scaler.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.pass(2 * time.Second)
		b.want("mult", 2, 1)
		b.pass(2 * orphanGrace)
		if n := len(b.driver.Workers()); n != 3 {
			t.Errorf("%d workers in the end", n)
		}
		b.end()
	})
}

func TestAWorkerThatTheEngineWillNotRemoveIsTriedAgainUntilItIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", steady))
		b.run()
		b.pass(5 * time.Second)
		stuck := b.driver.Workers()[0]
		for range stopTries + 3 {
			b.driver.FailNext("stop", errors.New("device or resource busy"))
		}
		if _, err := b.fleet.Drain(stuck.Worker, "test"); err != nil {
			t.Fatal(err)
		}
		b.pass(125 * time.Second)
		if n := b.scaler.Engine().Stuck; n != 1 {
			t.Errorf("%d are said to be stuck", n)
		}
		b.want("mult", 2, 1)
		if s := b.ports.Status(); s.Leased+len(s.Quarantined) != 4 {
			t.Errorf("its port may be given to another: %+v", s)
		}
		b.pass(time.Minute)
		if n := len(b.driver.Calls("stop")); n != stopTries+4 {
			t.Errorf("it was tried %d times", n)
		}
		if s := b.ports.Status(); s.Leased != 3 || len(s.Quarantined) != 0 || b.scaler.Engine().Stuck != 0 || len(b.driver.Workers()) != 3 {
			t.Errorf("ports %+v, %d stuck, %d workers", s, b.scaler.Engine().Stuck, len(b.driver.Workers()))
		}
		b.end()
	})
}

func TestABurstOfHintsIsOneListAndLostHintsAreOneAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", func(p *config.Pool) { p.Workers = config.Workers{Min: 8, Max: 8} }))
		b.run()
		b.pass(11 * time.Second)
		lists := len(b.driver.Calls("list"))
		for _, inst := range b.driver.Workers() {
			b.driver.Kill(inst.Worker, 1)
		}
		b.pass(2 * time.Second)
		if n := len(b.driver.Calls("list")) - lists; n != 1 {
			t.Errorf("%d lists for eight hints", n)
		}
		b.driver.Mute(true)
		b.pass(time.Second)
		victim := b.driver.Workers()[0].Worker
		b.driver.Vanish(victim)
		b.driver.Mute(false)
		b.pass(0)
		if _, _, ok := b.fleet.Worker(victim); ok {
			t.Error("the list did not come at once")
		}
		b.end()
	})
}
