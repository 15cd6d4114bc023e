package balancer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/probe"
)

var (
	errRefused = fmt.Errorf("GET: %w", syscall.ECONNREFUSED)
	errEOF     = fmt.Errorf("GET: %w", io.EOF)
)

func TestAWorkerIsOutAfterTwoFailedProbesInARow(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		w.add(t, "a", fleet.Cold)
		w.add(t, "b", fleet.Cold)
		w.add(t, "c", fleet.Cold)
		pass(1100 * time.Millisecond)
		w.set("http://a", errEOF)
		pass(2 * time.Second)
		w.set("http://a", nil) // it failed once
		pass(5 * time.Second)
		if got := w.state("a"); got != "active" {
			t.Fatalf("after one failure it is %s", got)
		}
		w.set("http://a", errEOF)
		pass(3 * time.Second)
		if got := w.state("a"); got != "failed" {
			t.Errorf("after two failures it is %s", got)
		}
		status := w.f.Status()[0].Workers
		i := slices.IndexFunc(status, func(s fleet.WorkerStatus) bool { return s.ID == "a" })
		if status[i].Reason != errEOF.Error() {
			t.Errorf("the reason is %q", status[i].Reason)
		}
		if w.state("b") != "active" || w.state("c") != "active" {
			t.Error("others are out too")
		}
	})
}

func TestOneFailureThatProvesItIsEnough(t *testing.T) {
	for _, err := range []error{errRefused, fmt.Errorf("GET: %w", probe.ErrIdentity)} {
		inWard(t, general(), func(t *testing.T, w ward) {
			w.add(t, "a", fleet.Cold)
			w.add(t, "b", fleet.Cold)
			w.set("http://a", err)
			pass(1100 * time.Millisecond)
			if w.state("a") != "failed" || w.state("b") != "active" {
				t.Errorf("%v: %s, %s", err, w.state("a"), w.state("b"))
			}
		})
	}
}

func TestWhatIsNotOursIsRemoved(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		w.add(t, "a", fleet.Registered)
		w.add(t, "b", fleet.Cold)
		w.set("http://a", errRefused)
		pass(1100 * time.Millisecond)
		if got := w.state("a"); got != "none" {
			t.Errorf("the registered worker is %s", got)
		}
	})
}

func TestWorkersHeardOfAreNotProbed(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		served, idle, serving := w.add(t, "served", fleet.Cold), w.add(t, "idle", fleet.Cold), w.add(t, "busy", fleet.Cold)
		_ = idle
		link, err := w.upstreams.of(served)
		if err != nil {
			t.Fatal(err)
		}
		at, err := w.upstreams.of(serving)
		if err != nil {
			t.Fatal(err)
		}
		at.inflight.Add(1)
		for range 20 {
			link.heard.Store(int64(w.upstreams.now()))
			pass(500 * time.Millisecond)
		}
		if n := w.count("http://served"); n != 0 {
			t.Errorf("the one that serves was probed %d times", n)
		}
		if n := w.count("http://busy"); n != 0 {
			t.Errorf("the busy one was probed %d times", n)
		}
		if n := w.count("http://idle"); n < 4 || n > 6 {
			t.Errorf("the idle one was probed %d times in 10 s, want every 2 s", n)
		}
	})
}

func TestASlowProbeOfABusyWorkerNeverKillsIt(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		one := w.add(t, "a", fleet.Cold)
		link, err := w.upstreams.of(one)
		if err != nil {
			t.Fatal(err)
		}
		w.hangs("http://a")
		for range 10 { // a request arrives while the probe is on its way, and takes long; then the same again
			pass(time.Second + time.Millisecond)
			link.inflight.Add(1)
			pass(3 * time.Second)
			link.inflight.Add(-1)
		}
		if w.count("http://a") == 0 {
			t.Fatal("never probed")
		}
		if got := w.state("a"); got != "active" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestASuspectIsProbedAtOnceEvenWhenBusy(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		one := w.add(t, "a", fleet.Cold)
		w.add(t, "b", fleet.Cold)
		link, err := w.upstreams.of(one)
		if err != nil {
			t.Fatal(err)
		}
		link.inflight.Add(1)
		w.set("http://a", errRefused)
		w.health.suspect(one)
		pass(10 * time.Millisecond)
		if got := w.state("a"); got != "failed" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestASuspectThatHangsIsOutAndOneThatServesIsNot(t *testing.T) {
	for _, serves := range []bool{false, true} {
		inWard(t, general(), func(t *testing.T, w ward) {
			one := w.add(t, "a", fleet.Cold)
			w.add(t, "b", fleet.Cold)
			link, err := w.upstreams.of(one)
			if err != nil {
				t.Fatal(err)
			}
			w.hangs("http://a")
			link.inflight.Add(1)
			w.health.suspect(one)
			for range 10 {
				pass(500 * time.Millisecond)
				if serves {
					link.heard.Store(int64(w.upstreams.now()))
				}
			}
			want := "failed"
			if serves {
				want = "active"
			}
			if got := w.state("a"); got != want {
				t.Errorf("serves=%v: it is %s", serves, got)
			}
		})
	}
}

func TestAllAtOnceAreNotGivenUpBeforeTheNextRoundAgrees(t *testing.T) {
	ids := []string{"a", "b", "c", "d"}
	failAll := func(w ward, err error) {
		for _, id := range ids {
			w.set("http://"+id, err)
		}
	}
	alive := func(w ward) (n int) {
		for _, id := range ids {
			if w.state(id) == "active" {
				n++
			}
		}
		return n
	}
	tests := []struct {
		name     string
		recovers bool
		bySuspct bool
		want     int
	}{
		{"for good", false, false, 0},
		{"for a moment", true, false, 4},
		{"for good, found by broken requests", false, true, 0},
		{"for a moment, found by broken requests", true, true, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWard(t, general(), func(t *testing.T, w ward) {
				var all []*fleet.Worker
				for _, id := range ids {
					all = append(all, w.add(t, id, fleet.Cold))
				}
				pass(500 * time.Millisecond)
				failAll(w, errRefused)
				if tt.bySuspct {
					for range 3 { // one broken request after another
						for _, one := range all {
							w.health.suspect(one)
						}
						pass(100 * time.Millisecond)
					}
				} else {
					pass(600 * time.Millisecond)
				}
				if n := alive(w); n != 4 {
					t.Fatalf("%d are left after the first round", n)
				}
				if tt.recovers {
					failAll(w, nil)
				}
				pass(2 * time.Second)
				if n := alive(w); n != tt.want {
					t.Errorf("%d are left in the end, want %d", n, tt.want)
				}
			})
		})
	}
}

func TestAMinorityIsGivenUpAtOnceAndTheOthersAreAskedInTheSameRound(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		var all []*fleet.Worker
		for _, id := range []string{"a", "b", "c", "d"} {
			all = append(all, w.add(t, id, fleet.Cold))
		}
		w.set("http://a", errRefused)
		w.set("http://b", errRefused)
		w.health.suspect(all[0])
		pass(10 * time.Millisecond)
		if w.state("a") != "failed" || w.state("b") != "failed" || w.state("c") != "active" || w.state("d") != "active" {
			t.Errorf("%s %s %s %s", w.state("a"), w.state("b"), w.state("c"), w.state("d"))
		}
	})
}

func TestProbesAreBounded(t *testing.T) {
	inWard(t, general(), func(t *testing.T, w ward) {
		for i := range 50 {
			w.add(t, fmt.Sprint("w", i), fleet.Cold)
		}
		pass(1500 * time.Millisecond)
		if w.most > probesAtOnce || w.most < 2 {
			t.Errorf("%d probes at the same time", w.most)
		}
		if len(w.asked) != 50 {
			t.Errorf("%d of 50 were probed", len(w.asked))
		}
		for id := range maps.Keys(w.asked) {
			if w.asked[id] != 1 {
				t.Errorf("%s was probed %d times in the first round", id, w.asked[id])
			}
		}
		w.f.Remove("w0")
		pass(3 * time.Second)
		if len(w.health.pulses) != 49 {
			t.Errorf("%d pulses for 49 workers", len(w.health.pulses))
		}
	})
}

func TestWhatAProbeExpectsDependsOnWhoseWorkerItIs(t *testing.T) {
	theirs, own := pool("theirs", "a"), builtIn("own", "b")
	theirs.Ready = config.Ready{Path: "/up", Status: "204", Identity: "auto"}
	own.Ready.Identity = "auto"
	required, off := theirs, own
	required.Name, required.Ready.Identity = "required", "required"
	off.Name, off.Ready.Identity = "off", "off"
	s := newSettings(&config.Config{Pools: []config.Pool{theirs, own, required, off}})
	tests := []struct {
		pool   string
		origin fleet.Origin
		want   probe.Target
	}{
		{"theirs", fleet.Cold, probe.Target{Address: "http://h", Path: "/up", Lo: 204, Hi: 204}},
		{"theirs", fleet.Member, probe.Target{Address: "http://h", Path: "/up", Lo: 204, Hi: 204}},
		{"own", fleet.Cold, probe.Target{Address: "http://h", Path: "/", Lo: 200, Hi: 499, Identity: "g1"}},
		{"own", fleet.Adopted, probe.Target{Address: "http://h", Path: "/", Lo: 200, Hi: 499, Identity: "g1"}},
		{"own", fleet.Registered, probe.Target{Address: "http://h"}},
		{"required", fleet.Cold, probe.Target{Address: "http://h", Path: "/up", Lo: 204, Hi: 204, Identity: "g1"}},
		{"required", fleet.Member, probe.Target{Address: "http://h", Path: "/up", Lo: 204, Hi: 204}},
		{"off", fleet.Cold, probe.Target{Address: "http://h", Path: "/", Lo: 200, Hi: 499}},
	}
	for _, tt := range tests {
		got := s.target(&fleet.Worker{Info: fleet.Info{Pool: tt.pool, Origin: tt.origin, Address: "http://h", Generation: "g1"}})
		if got != tt.want {
			t.Errorf("%s %s: %+v, want %+v", tt.pool, tt.origin, got, tt.want)
		}
	}
}

func TestABrokenRequestGetsItsWorkerReplacedWithoutWaitingForATick(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	ctx, cancel := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	loops.Go(func() { w.balancer.Health().Run(ctx) })
	defer loops.Wait()
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { // one request, then the worker is gone
		c, err := l.Accept()
		_ = l.Close()
		if err == nil {
			_, _ = http.ReadRequest(bufio.NewReader(c))
			_ = c.Close()
		}
	}()
	w.add(fleet.Info{Pool: "general", Address: "http://" + l.Addr().String()})
	if resp, _ := w.post("/mult", "hi"); resp.StatusCode != 502 {
		t.Fatalf("got %d", resp.StatusCode)
	}
	wait(t, w.fleet.Changed(), "the scaler to be told")
	if _, state, _ := w.fleet.Worker("w1"); state != fleet.Failed {
		t.Errorf("it is %s", state)
	}
}

func TestHealthEndsWithItsContextAndBlamesNobodyForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newScript(), fleetOf(general())
		b := New(Options{Fleet: f, Config: &config.Config{Pools: general()}, Prober: s})
		for i := range 3 {
			id := fmt.Sprint("w", i)
			if _, err := f.Add(fleet.Info{ID: id, Pool: "general", Address: "http://" + id, Origin: fleet.Cold}); err != nil {
				t.Fatal(err)
			}
			f.Ready(id, "", 100)
			s.hangs("http://" + id)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); b.Health().Run(ctx) }()
		pass(1500 * time.Millisecond) // in the middle of a round
		cancel(errors.New("the end"))
		<-done
		for _, p := range b.health.pulses {
			if p.strikes > 0 {
				t.Error("a probe that was cut short counts")
			}
		}
	})
}
