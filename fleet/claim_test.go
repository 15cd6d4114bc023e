package fleet

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestAClaimTakesAnIdleWorkerAtOnce(t *testing.T) {
	f, _ := still(kind("p", "a"))
	active(t, f, "p", "w1")
	lease, w, err := f.Claim(Request{Capability: "a"})
	if err != nil || w != nil || lease.Worker == nil || lease.Worker.ID != "w1" {
		t.Fatalf("%+v, %v, %v", lease, w, err)
	}
	end(t, lease, Served)
}

func TestAClaimThatFindsNobodyIdleWaitsInTheQueueWithoutBlocking(t *testing.T) {
	f, c := still(kind("p", "a"))
	active(t, f, "p", "w1")
	first := take(t, f, "a")
	c.pass(time.Second)
	_, w, err := f.Claim(Request{Capability: "a"})
	if err != nil || w == nil {
		t.Fatalf("%v, %v", w, err)
	}
	if w.Home() != "p" || w.Deadline() != 11*time.Second {
		t.Errorf("home %s, deadline %v; want p, 11s", w.Home(), w.Deadline())
	}
	select {
	case l := <-w.Granted():
		t.Fatalf("granted %+v while the worker is busy", l)
	default:
	}
	c.pass(time.Second)
	end(t, first, Served)
	select {
	case l := <-w.Granted():
		if l.Waited != time.Second {
			t.Errorf("waited %v, want 1s", l.Waited)
		}
		end(t, l, Served)
	default:
		t.Fatal("not granted when the worker became free")
	}
}

func TestAWaiterThatLeavesIsOutOfTheQueue(t *testing.T) {
	f, _ := still(kind("p", "a"))
	active(t, f, "p", "w1")
	first := take(t, f, "a")
	_, w, _ := f.Claim(Request{Capability: "a"})
	if _, err := w.Leave(); !errors.Is(err, ErrQueueTimeout) {
		t.Errorf("%v", err)
	}
	if m, _ := f.Measure("p"); m.Queue != 0 {
		t.Errorf("%d wait", m.Queue)
	}
	end(t, first, Served)
	if got := serve(t, f, "a"); got != "w1" {
		t.Errorf("served by %s: the worker went to one who left", got)
	}
}

func TestAWaiterGrantedInTheMomentItLeavesGetsTheLease(t *testing.T) {
	f, _ := still(kind("p", "a"))
	active(t, f, "p", "w1")
	first := take(t, f, "a")
	_, w, _ := f.Claim(Request{Capability: "a"})
	end(t, first, Served)
	lease, err := w.Leave()
	if err != nil || lease.Worker == nil {
		t.Fatalf("%+v, %v", lease, err)
	}
	end(t, lease, Served)
}

func TestClaimsThatNobodyCanServeEndAtOnceOrWhenThatBecomesSo(t *testing.T) {
	f, _ := still(kind("p", "a"))
	if _, _, err := f.Claim(Request{Capability: "b"}); !errors.Is(err, ErrUnknownCapability) {
		t.Errorf("%v", err)
	}
	_, w, err := f.Claim(Request{Capability: "a"})
	if err != nil {
		t.Fatal(err)
	}
	f.SetUnavailable("p", "no image")
	if l, ok := <-w.Granted(); ok {
		t.Errorf("granted %+v", l)
	}
	if _, w, err := f.Claim(Request{Capability: "a"}); w != nil || !errors.Is(err, ErrNoWorker) {
		t.Errorf("%v, %v", w, err)
	}
}

func TestAWaiterCanBlockUntilItsTurnOrItsEnd(t *testing.T) {
	f := New([]PoolConfig{{Name: "general", Capabilities: []string{"mult"}, QueueLength: 10, QueueWait: time.Hour}}, time.Now)
	_, w, err := f.Claim(Request{Capability: "mult"})
	if err != nil || w == nil {
		t.Fatal(w, err)
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if _, err := w.Wait(ctx); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	_, w, _ = f.Claim(Request{Capability: "mult"})
	if _, err := f.Add(Info{ID: "w", Pool: "general", Origin: Cold}); err != nil {
		t.Fatal(err)
	}
	f.Ready("w", "", 1)
	lease, err := w.Wait(t.Context())
	if err != nil || lease.Worker.ID != "w" {
		t.Errorf("got %+v %v", lease, err)
	}
	lease.Release(Outcome{})
}
