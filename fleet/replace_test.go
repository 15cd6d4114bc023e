package fleet

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// replacing is a pool of workers named by what they are: old ones are to go.
func replacing(t *testing.T, concurrency int, ids ...string) *Fleet {
	t.Helper()
	f := New([]PoolConfig{{Name: "a", Capabilities: []string{"x"}, Concurrency: concurrency, Max: 9, QueueLength: 9, QueueWait: time.Minute, Ramp: 10 * time.Second}}, time.Now)
	for _, id := range ids {
		if _, err := f.Add(Info{ID: id, Pool: "a", Origin: Cold}); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func old(w *Worker) bool { return w.ID[0] == 'o' }

func inState(f *Fleet, states ...State) (ids []string) {
	for _, w := range f.Workers(states...) {
		ids = append(ids, w.ID)
	}
	slices.Sort(ids)
	return ids
}

func wantState(t *testing.T, f *Fleet, s State, ids ...string) {
	t.Helper()
	if got := inState(f, s); !slices.Equal(got, ids) {
		t.Errorf("%s are %v, want %v", s, got, ids)
	}
}

func TestReplaceTakesNobodyThatIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := replacing(t, 1, "old1", "old2", "new1")
		f.Ready("old1", "", 1)
		f.Ready("old2", "", 1)
		if w := f.Replace("a", 1, 1, "changed", old); w != nil {
			t.Errorf("%s went before there was another", w.ID)
		}
		f.Ready("new1", "", 1)
		if w := f.Replace("a", 1, 1, "changed", old); w == nil || w.ID != "old2" {
			t.Errorf("%v went, want the spare, which has nothing to do", w)
		}
		wantState(t, f, Active, "old1")
		wantState(t, f, Spare, "new1")
		if w := f.Replace("a", 1, 1, "changed", old); w != nil {
			t.Errorf("%s went too", w.ID)
		}
	})
}

func TestReplacePutsAnotherIntoRotationBeforeABusyOneGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := replacing(t, 1, "old1", "new1", "new2")
		f.Ready("old1", "", 1)
		lease, err := f.Acquire(t.Context(), Request{Capability: "x"})
		if err != nil {
			t.Fatal(err)
		}
		f.Ready("new1", "", 1)
		f.Ready("new2", "", 1)
		w := f.Replace("a", 1, 1, "changed", old)
		if w == nil || w.ID != "old1" {
			t.Fatalf("%v went", w)
		}
		wantState(t, f, Active, "new1")
		wantState(t, f, Spare, "new2")
		idle, err := f.Drain("old1", "changed")
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-idle:
			t.Error("it was given up with a request in flight")
		default:
		}
		lease.Release(Outcome{Kind: Served})
		<-idle
	})
}

func TestReplaceWaitsForAFreshWorkerToHaveAllItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := replacing(t, 10, "old1", "new1")
		f.Ready("old1", "", 1)
		<-time.After(20 * time.Second)
		f.Measure("a")
		f.Ready("new1", "", 1)
		for range 3 {
			if w := f.Replace("a", 1, 0, "changed", old); w != nil {
				t.Fatalf("%s went while the new one may have one task in ten", w.ID)
			}
		}
		wantState(t, f, Active, "new1", "old1")
		<-time.After(time.Second)
		f.Measure("a") // its ramp begins
		<-time.After(5 * time.Second)
		f.Measure("a")
		if w := f.Replace("a", 1, 0, "changed", old); w != nil {
			t.Errorf("%s went in the middle of the ramp", w.ID)
		}
		<-time.After(6 * time.Second)
		f.Measure("a")
		if w := f.Replace("a", 1, 0, "changed", old); w == nil || w.ID != "old1" {
			t.Errorf("%v went when the ramp was over", w)
		}
	})
}

func TestReplaceKeepsASpareWhenTheOldSpareIsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := replacing(t, 1, "old1", "new1", "new2")
		f.Ready("new1", "", 2)
		f.Ready("new2", "", 2)
		f.Ready("old1", "", 2)
		if w := f.Replace("a", 1, 1, "changed", old); w == nil || w.ID != "old1" {
			t.Errorf("%v went", w)
		}
		wantState(t, f, Active, "new2")
		wantState(t, f, Spare, "new1")
	})
}

func TestRetireFirstTakesThoseThatGoAndLetsOthersTakeTheirPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := replacing(t, 1, "new1", "new2", "old1")
		f.Ready("new1", "", 2)
		f.Ready("new2", "", 2)
		f.Ready("old1", "", 2)
		gone := f.RetireFirst("a", 1, 1, "scale_down", old)
		if len(gone) != 1 || gone[0].ID != "old1" {
			t.Fatalf("%v went", gone)
		}
		if len(inState(f, Active)) != 1 || len(inState(f, Spare)) != 1 {
			t.Errorf("in rotation %v, spare %v, want one of each", inState(f, Active), inState(f, Spare))
		}
		if again := f.RetireFirst("a", 1, 1, "scale_down", old); len(again) != 1 || again[0].ID == "old1" {
			t.Errorf("then %v went, want a new one since no old one is left", again)
		}
	})
}

func TestRetireFirstSparesTheNewWhileTheOldAreBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := replacing(t, 1, "old1", "new1")
		f.Ready("old1", "", 2)
		lease, err := f.Acquire(t.Context(), Request{Capability: "x"})
		if err != nil {
			t.Fatal(err)
		}
		f.Ready("new1", "", 2)
		if gone := f.RetireFirst("a", 1, 0, "scale_down", old); gone != nil {
			t.Fatalf("%v went, want nobody: another new one would be started", gone)
		}
		lease.Release(Outcome{})
		if gone := f.RetireFirst("a", 1, 0, "scale_down", old); len(gone) != 1 || gone[0].ID != "old1" {
			t.Errorf("%v went, want the old one, which is idle now", gone)
		}
	})
}
