package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/fleet"
	"understudy/fleet/clocktest"
	"understudy/scaler"
)

// changesIn are the changes among what a stream sent.
func changesIn(t *testing.T, events []event) []Change {
	t.Helper()
	var out []Change
	for _, e := range events {
		if e.name != "change" {
			continue
		}
		var c Change
		if err := json.Unmarshal([]byte(e.data), &c); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func TestAStreamThatIsOpenedLateBeginsWithTheLastMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		s.Now = time.Now
		s.Start = time.Now()
		s.journal = scaler.NewJournal(10)
		s.Journal = s.journal
		old := entry("general", 1, 2, "long ago")
		old.At = time.Now()
		s.journal.Add(old)
		h := s.live(ctx)
		wait(t, 10*time.Minute)
		s.fleet.Remove("guest")
		wait(t, 20*time.Minute)
		s.fleet.Ready("w3", "", 1)
		e := entry("general", 2, 3, "recent")
		e.At = time.Now()
		s.journal.Add(e)
		wait(t, time.Minute)
		a, done := streamTo(ctx, h, "")
		synctest.Wait()
		var past Past
		if err := json.Unmarshal([]byte(a.events()[2].data), &past); err != nil {
			t.Fatal(err)
		}
		if len(past.Pools) != 2 || len(past.Pools[0].At) != 900 || past.Process != s.Start.UnixMilli() || past.At != time.Now().UnixMilli() {
			t.Errorf("%d pools, %d samples, process %d at %d", len(past.Pools), len(past.Pools[0].At), past.Process, past.At)
		}
		if first, last := past.Pools[0].At[0], past.Pools[0].At[899]; last-first != 899_000 || last != past.At {
			t.Errorf("samples from %d to %d, now is %d", first, last, past.At)
		}
		if m := past.Moments[len(past.Moments)-1]; m.Worker != "w3" || m.From != "starting" || m.To != "spare" && m.To != "active" {
			t.Errorf("the last moment is %+v", m)
		}
		if len(past.Decisions) != 1 || past.Decisions[0].Reason != "recent" || past.Decisions[0].Number != 2 {
			t.Errorf("decisions %+v, want only what is not old", past.Decisions)
		}
		cancel()
		<-done
	})
}

func TestAStreamBeginsWithTheLastMinutesWhoeverSetsTheClock(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			ctx, cancel := context.WithCancel(t.Context())
			var clock clocktest.Clock
			s.Now, s.Start = clock.Now, clock.Now()
			s.journal = scaler.NewJournal(10)
			s.Journal = s.journal
			h := s.live(ctx)
			for _, what := range []string{"long ago", "recent"} {
				e := entry("general", 1, 2, what)
				e.At = clock.Now()
				s.journal.Add(e)
				wait(t, 14*time.Minute)
			}
			clock.Set(by)
			a, done := streamTo(ctx, h, "")
			synctest.Wait()
			var past Past
			if err := json.Unmarshal([]byte(a.events()[2].data), &past); err != nil {
				t.Fatal(err)
			}
			if len(past.Decisions) != 1 || past.Decisions[0].Reason != "recent" {
				t.Errorf("set by %v: decisions %+v, want only what is not old", by, past.Decisions)
			}
			cancel()
			<-done
		})
	}
}

func TestAChangeSaysOnlyWhatHasChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		a, done := streamTo(ctx, s.live(ctx), "")
		wait(t, time.Second)
		s.serve(t, 0)
		wait(t, time.Second)
		s.fleet.Remove("w2")
		s.add(t, fleet.Info{ID: "w9", Pool: "general", Origin: fleet.Cold})
		s.fleet.SetDesired("general", 4, "another reason")
		s.ports.Return(20000)
		wait(t, time.Second)
		c := changesIn(t, a.events())
		if len(c) != 3 {
			t.Fatalf("%d changes", len(c))
		}
		for i, p := range c[0].Pools {
			if p.Pool != nil || p.Workers != nil || p.Gone != nil || p.Moments != nil || c[0].Head != nil {
				t.Errorf("nothing has happened, but pool %d says %+v", i, p)
			}
		}
		if got := c[1].Pools[0].Workers; len(got) != 1 || fmt.Sprint(got[0]) != "map[id:w1 inflight:0 served:26]" {
			t.Errorf("a worker that has served: %v", got)
		}
		p := c[2].Pools[0]
		if len(p.Workers) != 1 || p.Workers[0].(map[string]any)["state"] != "starting" || fmt.Sprint(p.Gone) != "[w2]" {
			t.Errorf("came %v, went %v", p.Workers, p.Gone)
		}
		if p.Pool == nil || p.Pool.Reason != "another reason" || p.Pool.Workers != nil || p.Sample.Desired != 4 || len(p.Moments) != 2 {
			t.Errorf("the pool is %+v, the sample %+v, moments %v", p.Pool, p.Sample, p.Moments)
		}
		if c[2].Head == nil || c[2].Head.Ports.Leased != 2 {
			t.Errorf("the head is %+v", c[2].Head)
		}
		cancel()
		<-done
	})
}

// TestEveryStreamIsToldTheSameHoweverLateItCame: the opening and what follows fit together.
func TestEveryStreamIsToldTheSameHoweverLateItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		h := s.live(ctx)
		first, firstDone := streamTo(ctx, h, "")
		wait(t, 2500*time.Millisecond)
		s.journal.Add(entry("general", 2, 3, "between two ticks"))
		second, secondDone := streamTo(ctx, h, "")
		wait(t, 2*time.Second)
		for name, a := range map[string]*answer{"first": first, "second": second} {
			events := a.events()
			if count(events, "decision") != 1 || count(events, "status") != 1 {
				t.Errorf("the %s has %v", name, events)
			}
			if last := events[len(events)-1]; last != first.events()[len(first.events())-1] {
				t.Errorf("the %s ends with %v", name, last)
			}
		}
		cancel()
		<-firstDone
		<-secondDone
	})
}

func TestAListenerThatFallsBehindIsDroppedAndTheOthersAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		h := s.live(ctx)
		slow, ok := s.Feed.listen(ctx)
		if !ok {
			t.Fatal("the feed has no place")
		}
		a, done := streamTo(ctx, h, "")
		wait(t, (backlog+5)*time.Second)
		n := 0
		for range slow.frames { // ends because it was closed
			n++
		}
		if n != backlog {
			t.Errorf("%d frames were kept for a listener that does not read, want %d", n, backlog)
		}
		s.Feed.leave(slow)
		if n := count(a.events(), "change"); n != backlog+5 {
			t.Errorf("the other has heard %d changes, want %d", n, backlog+5)
		}
		cancel()
		<-done
	})
}

func TestStreamsEndWithTheFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		feeding, stop := context.WithCancel(t.Context())
		h := s.live(feeding)
		_, done := streamTo(t.Context(), h, "")
		wait(t, time.Second)
		stop()
		<-done
		if w := do(h, "GET", "/api/v1/stream", nil, ""); w.Code != 503 || codeOf(t, w) != "draining" {
			t.Errorf("afterwards: %d %s", w.Code, w.Body)
		}
	})
}

func TestPoolsThatAreOthersComeAsANewStatus(t *testing.T) {
	f := NewFeed(newStage(t).Options)
	f.shown = f.status()
	next := f.status()
	next.Pools = next.Pools[:1]
	if frame := string(f.changes(f.Now(), next)); !strings.HasPrefix(frame, "event: status\n") || strings.Contains(frame, "broken") {
		t.Errorf("%.80s", frame)
	}
}

func TestWhatIsToldIsWrittenOnce(t *testing.T) {
	s := newStage(t)
	f := NewFeed(s.Options)
	f.history.Add(f.Now(), f.Fleet.Status())
	one, other := f.admit(), f.admit()
	if &one.opening[0] != &other.opening[0] {
		t.Error("the opening is written for each stream")
	}
	f.tick()
	a, b := <-one.frames, <-other.frames
	if &a[0] != &b[0] {
		t.Error("a change is written for each stream")
	}
	late := f.admit()
	if &late.opening[0] == &one.opening[0] {
		t.Error("a stream after the tick begins with what was before it")
	}
}

// BenchmarkTick is what a second costs with so many dashboards open, but for writing to their sockets.
func BenchmarkTick(b *testing.B) {
	for _, listeners := range []int{0, 10} {
		b.Run(fmt.Sprint(listeners), func(b *testing.B) {
			f, at := benchFleet(b)
			for range listeners {
				f.admit()
			}
			for b.Loop() {
				*at = at.Add(time.Second)
				f.tick()
				for l := range f.listeners {
					<-l.frames
				}
			}
		})
	}
}

// benchFleet is a feed of a pool with eight workers.
func benchFleet(b *testing.B) (*Feed, *time.Time) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	now := func() time.Time { return at }
	pools := fleet.New([]fleet.PoolConfig{{Name: "general", Capabilities: []string{"mult"}, Max: 8, QueueLength: 10, Target: time.Second}}, now)
	for i := range 8 {
		id := fmt.Sprint("w", i)
		if _, err := pools.Add(fleet.Info{ID: id, Pool: "general", Port: 20000 + i, Origin: fleet.Cold}); err != nil {
			b.Fatal(err)
		}
		pools.Ready(id, "", 1)
	}
	f := NewFeed(Options{Fleet: pools, Ports: fleet.NewPorts(20000, 20063, now), Journal: scaler.NewJournal(10), Now: now, Start: at})
	return f, &at
}
