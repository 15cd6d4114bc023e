package handover

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"understudy/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// both is the two ends of a line, with a fleet each.
type both struct {
	t         *testing.T
	old, next *fleet.Fleet
	successor *Successor
	pred      *Predecessor
	broke     []string
	wire      net.Conn // the predecessor's end
}

const concurrency = 2

func newFleet() *fleet.Fleet {
	return fleet.New([]fleet.PoolConfig{{
		Name: "p", Capabilities: []string{"mult"}, Concurrency: concurrency, Max: 4, Pick: fleet.RoundRobin, QueueLength: 100, QueueWait: time.Minute,
		Target: time.Second,
	}}, time.Now)
}

func add(t *testing.T, f *fleet.Fleet, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if _, err := f.Add(fleet.Info{ID: id, Pool: "p", Address: "http://" + id, Generation: "g-" + id, Origin: fleet.Adopted}); err != nil {
			t.Fatal(err)
		}
		f.Ready(id, "", 4)
	}
}

// meet connects two fleets that know the workers a and b, as far as adopted.
func meet(t *testing.T) *both {
	b := &both{t: t, old: newFleet(), next: newFleet()}
	add(t, b.old, "a", "b")
	add(t, b.next, "a", "b")
	near, far := net.Pipe()
	b.wire = near
	b.successor = NewSuccessor(near, Hello{Instance: "i", Driver: "docker", Addresses: map[string]string{"listen": ":1"}})
	b.pred = NewPredecessor(far)
	b.pred.Lend(b.next, func(w *fleet.Worker) { b.broke = append(b.broke, w.ID) })
	t.Cleanup(func() {
		b.successor.Close()
		b.pred.Close()
	})
	return b
}

func (b *both) take(f *fleet.Fleet) fleet.Lease {
	b.t.Helper()
	l, err := f.Acquire(b.t.Context(), fleet.Request{Capability: "mult"})
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

func (b *both) busy(f *fleet.Fleet) int {
	synctest.Wait()
	m, _ := f.Measure("p")
	return m.Busy
}

func TestTheTwoComeToTermsStageByStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := meet(t)
		h, err := b.pred.Hello(t.Context())
		if err != nil || h.Instance != "i" || h.Driver != "docker" || h.Addresses["listen"] != ":1" {
			t.Fatalf("%+v, %v", h, err)
		}
		b.pred.Tell(Prepared)
		if err := b.successor.Await(t.Context(), Prepared); err != nil {
			t.Fatal(err)
		}
		b.successor.Bequeath(Estate{Workers: []Worker{{Info: fleet.Info{ID: "a"}, State: "spare"}}, Pools: []Pool{{Name: "p", Starts: []time.Duration{7}}}})
		e, err := b.pred.Estate(t.Context())
		if err != nil || e.Workers[0].ID != "a" || e.Workers[0].State != "spare" || e.Pools[0].Name != "p" || e.Pools[0].Starts[0] != 7 {
			t.Fatalf("%+v, %v", e, err)
		}
		b.old.HandOver(b.successor)
		if err := b.pred.Taken(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.successor.Await(ctx, Serving); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a stage nobody reached: %v", err)
		}
	})
}

func TestTasksOfBothAreBookedAtTheSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := meet(t)
		before := b.take(b.old)
		b.old.HandOver(b.successor)
		after := b.take(b.old)
		if n := b.busy(b.next); n != 2 {
			t.Errorf("%d tasks booked, want 2", n)
		}
		before.Release(fleet.Outcome{Kind: fleet.Served})
		if n := b.busy(b.next); n != 1 {
			t.Errorf("%d tasks booked, want 1", n)
		}
		after.Release(fleet.Outcome{Kind: fleet.Broke})
		if n := b.busy(b.next); n != 0 {
			t.Errorf("%d tasks booked, want 0", n)
		}
		if len(b.broke) != 1 || b.broke[0] != after.Worker.ID {
			t.Errorf("told of %v, want %s", b.broke, after.Worker.ID)
		}
	})
}

func TestWhatTheSuccessorRefusesTheClientIsToldByItsOwnProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := meet(t)
		b.old.HandOver(b.successor)
		b.next.Remove("a")
		b.next.Remove("b")
		b.next.SetUnavailable("p", "nothing to be had")
		for want, req := range map[error]fleet.Request{fleet.ErrNoWorker: {Capability: "mult"}, fleet.ErrUnknownCapability: {Capability: "none"}} {
			if _, err := b.old.Acquire(t.Context(), req); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
	})
}

func TestAClientThatLeavesFreesItsPlaceInTheOtherQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := meet(t)
		b.old.HandOver(b.successor)
		var leases []fleet.Lease
		for range 2 * concurrency {
			leases = append(leases, b.take(b.next))
		}
		left := errors.New("left")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := b.old.Acquire(ctx, fleet.Request{Capability: "mult"})
			ended <- err
		}()
		synctest.Wait()
		if m, _ := b.next.Measure("p"); m.Queue != 1 {
			t.Fatalf("%d wait at the successor, want 1", m.Queue)
		}
		cancel(left)
		if err := <-ended; !errors.Is(err, left) {
			t.Errorf("it ended with %v", err)
		}
		synctest.Wait()
		if m, _ := b.next.Measure("p"); m.Queue != 0 {
			t.Errorf("%d wait at the successor, want 0", m.Queue)
		}
		for _, l := range leases {
			l.Release(fleet.Outcome{Kind: fleet.Served})
		}
	})
}

// A grant on its way to a client that has just left must not be lost: the slot would be taken for ever.
func TestAGrantThatNobodyWantsAnyMoreGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := meet(t)
		b.old.HandOver(b.successor)
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				go cancel()
				if l, err := b.old.Acquire(ctx, fleet.Request{Capability: "mult"}); err == nil {
					l.Release(fleet.Outcome{Kind: fleet.Served})
				}
			})
		}
		wg.Wait()
		if n := b.busy(b.next); n != 0 {
			t.Errorf("%d slots are taken for nobody", n)
		}
	})
}

func TestWhenThePredecessorDiesEverythingItHeldIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := meet(t)
		b.take(b.old)
		b.old.HandOver(b.successor)
		b.take(b.old)
		if n := b.busy(b.next); n != 2 {
			t.Fatalf("%d tasks booked, want 2", n)
		}
		b.wire.Close()
		<-b.pred.Over()
		if n := b.busy(b.next); n != 0 {
			t.Errorf("%d tasks booked for a process that is dead", n)
		}
	})
}

func TestWhenTheSuccessorDiesThePredecessorClaimsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := meet(t)
		b.old.HandOver(b.successor)
		for range 2 * concurrency {
			b.take(b.next)
		}
		got := make(chan fleet.Lease, 1)
		go func() { got <- b.take(b.old) }()
		synctest.Wait()
		b.pred.Close()
		(<-got).Release(fleet.Outcome{Kind: fleet.Served})
		if err := b.successor.Await(t.Context(), Serving); !errors.Is(err, ErrGone) {
			t.Errorf("%v, want ErrGone", err)
		}
	})
}

func TestWorkersThatAreNotTheDriversTravel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := meet(t)
		for _, o := range []fleet.Origin{fleet.Registered, fleet.Member} {
			if _, err := b.old.Add(fleet.Info{ID: string(o), Pool: "p", Address: "http://x", Generation: "g", Concurrency: 5, Origin: o}); err != nil {
				t.Fatal(err)
			}
			b.old.Ready(string(o), "", 0)
		}
		b.old.Fail("a", "broke")
		if _, err := b.old.Drain("b", "asked for"); err != nil {
			t.Fatal(err)
		}
		task, _ := b.old.Occupy("b")
		b.old.HandOver(b.successor)
		if err := b.pred.Taken(t.Context()); err != nil {
			t.Fatal(err)
		}
		idle, _ := b.next.Drain("b", "")
		select {
		case <-idle:
			t.Error("a worker counts as idle while the predecessor has a task on it")
		default:
		}
		task.Release(fleet.Outcome{Kind: fleet.Served})
		<-idle
		for id, want := range map[string]fleet.State{"registered": fleet.Active, "member": fleet.Active, "a": fleet.Failed, "b": fleet.Draining} {
			w, state, ok := b.next.Worker(id)
			if !ok || state != want {
				t.Errorf("%s is %v, want %v", id, state, want)
			} else if id == "member" && (w.Generation != "g" || w.Concurrency != 5) {
				t.Errorf("it came as %+v", w.Info)
			}
		}
	})
}

func TestEachSideHearsWhyTheOtherWillNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := meet(t)
		b.pred.Fail(errors.New("listen: no such thing"))
		b.pred.Close()
		var failed FailedError
		if err := b.successor.Await(t.Context(), Prepared); !errors.As(err, &failed) || failed.Why != "listen: no such thing" {
			t.Errorf("the predecessor hears %v", err)
		}
		c := meet(t)
		c.successor.Abort("too late")
		c.successor.Close()
		var aborted AbortedError
		if _, err := c.pred.Estate(t.Context()); !errors.As(err, &aborted) || !strings.Contains(err.Error(), "too late") {
			t.Errorf("the successor hears %v", err)
		}
	})
}

func TestAnotherVersionIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		p := NewPredecessor(far)
		if err := json.NewEncoder(near).Encode(message{Kind: kindHello, Hello: &Hello{Version: Version + 1}}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Hello(t.Context()); err == nil || !strings.Contains(err.Error(), "version 2") {
			t.Errorf("got %v", err)
		}
		near.Close()
		p.Close()
	})
}

func TestWordsThatAreNotKnownDoNoHarm(t *testing.T) {
	for k, w := range kindWords() {
		if kindOf(w) != k {
			t.Errorf("%s is read as %v", w, kindOf(w))
		}
	}
	if kindOf("invented later") != fleet.Unused || stateOf("invented later") != fleet.Active {
		t.Error("a word that is not known means something")
	}
}
