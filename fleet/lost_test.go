package fleet

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestALostWorkerGetsNothingUntilItIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{kind("general", "mult")}, time.Now)
		active(t, f, "general", "a", "b")
		spares(t, f, "general", "c")
		for _, id := range []string{"a", "b", "c"} {
			if !f.Lose(id, "it refuses") || f.Lose(id, "again") {
				t.Errorf("%s cannot be lost, or twice", id)
			}
		}
		if n := f.Lost(); n != 3 {
			t.Errorf("%d are lost", n)
		}
		got := make(chan string, 3)
		for range 3 {
			go func() {
				lease, err := f.Acquire(context.Background(), Request{Capability: "mult"})
				if err != nil {
					t.Error(err)
				}
				got <- lease.Worker.ID
			}()
		}
		pass(5 * time.Second)
		if len(got) > 0 {
			t.Errorf("%s was used", <-got)
		}
		m, _ := f.Measure("general")
		if m.Idle != 0 || m.Ejected != 2 || m.Queue != 3 {
			t.Errorf("measured: %+v", m)
		}
		for _, id := range []string{"b", "c", "a"} { // the spare too: requests wait
			if !f.Regain(id) || f.Regain(id) {
				t.Errorf("%s cannot be found, or twice", id)
			}
			pass(0)
			if len(got) != 1 {
				t.Fatalf("%d requests have a worker after %s was found", len(got), id)
			}
			if worker := <-got; worker != id {
				t.Errorf("%s was used instead of %s", worker, id)
			}
		}
	})
}

func TestWhoWaitsForWorkersThatAreAllLostIsTimedOutAndNotRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New([]PoolConfig{kind("general", "mult")}, time.Now)
		active(t, f, "general", "a")
		f.Lose("a", "it refuses")
		f.SetUnavailable("general", "there is no image")
		began := time.Now()
		if _, err := f.Acquire(context.Background(), Request{Capability: "mult"}); !errors.Is(err, ErrQueueTimeout) || time.Since(began) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestWhatIsInFlightOnALostWorkerGoesOnAndItsEndBringsItNothingNew(t *testing.T) {
	f, _ := still(kind("general", "mult"))
	active(t, f, "general", "a", "b")
	one, err := f.Acquire(context.Background(), Request{Capability: "mult"})
	if err != nil {
		t.Fatal(err)
	}
	f.Lose(one.Worker.ID, "it refuses")
	if !one.Release(Outcome{Kind: Served}) {
		t.Error("its lease was over before")
	}
	for range 4 {
		next, err := f.Acquire(context.Background(), Request{Capability: "mult"})
		if err != nil || next.Worker == one.Worker {
			t.Fatalf("it got %v, %v", next.Worker, err)
		}
		next.Release(Outcome{Kind: Served})
	}
	for _, w := range f.Status()[0].Workers {
		if w.Lost != (w.ID == one.Worker.ID) || w.Lost != (w.Reason == "it refuses") {
			t.Errorf("worker %s: lost %v, reason %q", w.ID, w.Lost, w.Reason)
		}
	}
}

func TestALostWorkerThatFailsOrIsDrainedIsLostNoMore(t *testing.T) {
	f, _ := still(kind("general", "mult"))
	active(t, f, "general", "a", "b")
	f.Lose("a", "it refuses")
	f.Lose("b", "it refuses")
	f.Fail("a", "it ended")
	if _, err := f.Drain("b", "test"); err != nil {
		t.Error(err)
	}
	if n := f.Lost(); n != 0 {
		t.Errorf("%d are lost", n)
	}
	if f.Regain("a") || f.Lose("b", "again") || f.Lose("nobody", "") {
		t.Error("what is not ready was lost or found")
	}
	expectState(t, f, "a", Failed)
	expectState(t, f, "b", Draining)
}

func TestAQuestionAboutTheEngineIsAnsweredByWhatWasFoundOutAfterIt(t *testing.T) {
	f, _ := still(kind("general", "mult"))
	e := f.Engine()
	if q := e.Ask(); !e.Vouched(q) || e.Away() {
		t.Error("nobody watches: it counts as there")
	}
	e.Watch(true)
	<-e.News()
	early := e.Asked()
	late := e.Ask()
	if e.Vouched(late) {
		t.Error("vouched before it was answered")
	}
	e.Answer(early, true)
	if e.Vouched(late) || !e.Vouched(early) {
		t.Error("a question is answered by what was found out before it was asked, or not by what was found out after")
	}
	e.Answer(late, true)
	if !e.Vouched(late) || len(e.News()) != 1 {
		t.Error("not vouched, or no news")
	}
	<-e.News()
	e.Answer(late, false)
	if e.Vouched(early) || !e.Away() {
		t.Error("vouched by an engine that is away")
	}
	e.Answer(late, true)
	if !e.Vouched(late) || e.Away() || len(e.News()) != 1 {
		t.Error("it did not come back, or no news")
	}
	e.Answer(late, false)
	e.Watch(false)
	if e.Away() || !e.Vouched(e.Ask()) {
		t.Error("nobody watches any more, and it is away")
	}
}
