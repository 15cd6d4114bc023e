package scaler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

func TestAChangedPoolIsReplacedOneByOneNewOnesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, planned(map[string]drivertest.Plan{"old": {StopDelay: 2 * time.Second}, "new": {StartDelay: 700 * time.Millisecond}}), nil)
		b.reload(env("V=new"))
		b.wantBounds(b.watch("mult", 30*time.Second), 3, 1, 4)
		b.want("mult", 2, 1)
		b.wantMade("new", 3)
		b.wantRollout("mult", stateDone, 3, 3, 0)
		starts, stops := b.driver.Calls("start"), b.driver.Calls("stop")
		if n := startsWith(starts, "new"); n != 3 || len(stops) != 3 {
			t.Fatalf("%d starts of new workers and %d stops, want 3 and 3", n, len(stops))
		}
		for i, stop := range stops { // an old one goes when a new one is there, and the next starts when it has gone
			if began := starts[3+i].Ended; stop.Began.Before(began) || i > 0 && starts[3+i].Began.Before(stops[i-1].Ended) {
				t.Errorf("stop %d began at %v, the start before it ended at %v", i, stop.Began, began)
			}
		}
		if first := stops[0].Began.Sub(starts[3].Ended); first < firstLasts {
			t.Errorf("the first new worker had been there for %v when an old one went", first)
		}
		b.end()
	})
}

func TestAChangeUnderLoadBreaksNothing(t *testing.T) {
	for _, concurrency := range []int{1, 10} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := rolled(t, startDelay(500*time.Millisecond), func(p *config.Pool) { p.Concurrency = concurrency })
				ctx, stop := context.WithCancel(t.Context())
				failed, sent := make(chan error, 10000), 0
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					for ctx.Err() == nil {
						sent++
						go func() {
							lease, err := b.fleet.Acquire(context.Background(), fleet.Request{Capability: "mult"})
							if err != nil {
								failed <- err
								return
							}
							<-time.After(100 * time.Millisecond)
							if err := b.running(lease.Worker); err != nil {
								failed <- err
							}
							lease.Release(fleet.Outcome{Kind: fleet.Served})
						}()
						<-time.After(time.Second / time.Duration(12*concurrency))
					}
				}()
				b.pass(20 * time.Second)
				b.reload(env("V=new"))
				b.pass(2 * time.Minute)
				stop()
				<-ended
				b.pass(time.Second)
				close(failed)
				for err := range failed {
					t.Error(err)
				}
				if got := b.made(); got["old"] > 0 || got["new"] < 3 || sent < 1000 {
					t.Errorf("workers by what they were made from: %v; %d requests", got, sent)
				}
				if r, _ := b.scaler.Rollout("mult"); r.State != stateDone {
					t.Errorf("the rollout is %+v", r)
				}
				b.end()
			})
		})
	}
}

// running is an error when the driver does not run the worker, on which a task would break.
func (b *bench) running(w *fleet.Worker) error {
	for _, inst := range b.driver.Workers() {
		if inst.Worker == w.ID && inst.Running {
			return nil
		}
	}
	return fmt.Errorf("worker %s was stopped with a task on it", w)
}

func TestAnImageThatMeansSomethingElseAtAReloadIsAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(500*time.Millisecond), func(p *config.Pool) { p.Image = "shop/web:latest" })
		b.driver.Retag("shop/web:latest", "sha256:newer")
		b.pass(time.Minute)
		if n := len(b.driver.Calls("start")); n != 3 {
			t.Fatalf("%d starts, want none before somebody asks for it", n)
		}
		b.reload(func(*config.Pool) {})
		b.wantBounds(b.watch("mult", 30*time.Second), 3, 1, 4)
		for _, inst := range b.driver.Workers() {
			if inst.Image != "sha256:newer" {
				t.Errorf("worker %s runs %s", inst.Worker, inst.Image)
			}
		}
		b.wantRollout("mult", stateDone, 3, 3, 0)
		b.end()
	})
}

func TestAdoptedWorkersOfAnOlderConfigurationOrImageAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pool("mult", func(p *config.Pool) { p.Workers.Min, p.Image = 2, "img" })
		b := newBench(t, startDelay(500*time.Millisecond), p)
		for i, inst := range []driver.Instance{
			{Worker: "asitis", Hash: p.Fingerprint(), Image: "sha256:img"},
			{Worker: "hash", Hash: "another", Image: "sha256:img"},
			{Worker: "image", Hash: p.Fingerprint(), Image: "sha256:old"},
		} {
			inst.Pool, inst.HostPort, inst.Running = "mult", 20000+i, true
			inst.Address = fmt.Sprintf("http://127.0.0.1:%d", inst.HostPort)
			b.driver.Place(inst)
		}
		b.run()
		b.wantBounds(b.watch("mult", time.Minute), 3, 1, 4)
		b.want("mult", 2, 1)
		b.wantRollout("mult", stateDone, 2, 2, 0)
		left := false
		for _, inst := range b.driver.Workers() {
			left = left || inst.Worker == "asitis"
			if inst.Hash != p.Fingerprint() || inst.Image != "sha256:img" {
				t.Errorf("left: %+v", inst)
			}
		}
		if !left {
			t.Error("the one that was as it shall be was replaced too")
		}
		b.end()
	})
}

func TestAChangeBackMakesTheOldWorkersCurrentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, planned(map[string]drivertest.Plan{"new": {StartDelay: 2 * time.Second}}), nil)
		b.reload(env("V=new"))
		b.pass(7 * time.Second) // one is replaced, the next has begun
		if got := b.made(); got["old"] != 2 || got["new"] != 2 {
			t.Fatalf("in the middle: %v", got)
		}
		b.reload(env("V=old"))
		b.wantBounds(b.watch("mult", 30*time.Second), 3, 1, 4)
		b.wantMade("old", 3)
		if n := startsWith(b.driver.Calls("start"), "old"); n != 4 {
			t.Errorf("%d old workers were started, want one in place of the one that had gone", n)
		}
		b.wantRollout("mult", stateDone, 2, 2, 0)
		b.end()
	})
}

func TestTheNewestOfTwoChangesWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(time.Second), nil)
		b.reload(env("V=second"))
		b.pass(5 * time.Second) // one has been replaced, the next is in its start
		b.reload(env("V=third"))
		b.wantBounds(b.watch("mult", time.Minute), 3, 1, 4)
		b.wantMade("third", 3)
		if n := startsWith(b.driver.Calls("start"), "second"); n > 2 {
			t.Errorf("%d workers of the change between were started", n)
		}
		b.wantRollout("mult", stateDone, 4, 4, 0)
		b.end()
	})
}

func TestAChangeWhilePreparingIsTheOneThatCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := startDelay(500 * time.Millisecond)
		o.PrepareDelay = func(s driver.Spec) time.Duration { return 10 * time.Second }
		b := rolled(t, o, nil)
		b.reload(env("V=second"))
		b.pass(5 * time.Second)
		b.reload(env("V=third"))
		b.pass(12 * time.Second)
		b.wantMade("old", 3) // the first is too late, the second not ready yet
		b.pass(time.Minute)
		b.wantMade("third", 3)
		if n := startsWith(b.driver.Calls("start"), "second"); n != 0 {
			t.Errorf("%d workers of the change between were started", n)
		}
		b.end()
	})
}

func TestAPoolThatGrowsAndShrinksInTheMiddleOfAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(time.Second), func(p *config.Pool) { p.Workers.Min = 6 })
		b.want("mult", 6, 1)
		b.reload(func(p *config.Pool) { p.Env, p.Workers.Min = []string{"V=new"}, 2 })
		b.pass(20 * time.Second)
		if stops := len(b.driver.Calls("stop")); stops < 3 {
			t.Errorf("%d stops: it did not shrink meanwhile", stops)
		}
		wait := b.serve("mult", 12, 3*time.Second)
		got := b.watch("mult", 10*time.Second)
		if got.ready[1] <= 3 {
			t.Errorf("it did not grow: %s", got)
		}
		wait()
		b.pass(3 * time.Minute)
		b.want("mult", 2, 1)
		b.wantMade("new", 3)
		if r, _ := b.scaler.Rollout("mult"); r.State != stateDone {
			t.Errorf("the rollout is %+v", r)
		}
		b.end()
	})
}

func TestWhatGoesBecauseThePoolShrinksIsOutdatedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		news := 0
		o := drivertest.FakeOptions{Plan: func(s driver.Spec) drivertest.Plan {
			if slices.Contains(s.Env, "V=new") {
				if news++; news > 2 {
					return drivertest.Plan{StartDelay: time.Hour} // from here on only the policy takes workers away
				}
			}
			return drivertest.Plan{StartDelay: time.Second}
		}}
		b := rolled(t, o, func(p *config.Pool) { p.Workers.Min = 5 })
		b.reload(env("V=new"))
		b.pass(15 * time.Second)
		if got := b.made(); got["old"] != 4 || got["new"] != 3 {
			t.Fatalf("in the middle: %v", got)
		}
		b.reload(func(p *config.Pool) { p.Workers.Min = 1 })
		b.pass(2 * time.Minute)
		b.want("mult", 1, 1)
		for _, c := range b.driver.Calls("stop") {
			if b.valueOf(c.Worker) == "new" {
				t.Errorf("a new worker was taken away")
			}
		}
		b.end()
	})
}

func TestAPoolWithoutWorkersTriesAChangeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(500*time.Millisecond), func(p *config.Pool) { p.Workers = config.Workers{Min: 0, Max: 4} })
		b.want("mult", 0, 0)
		b.reload(env("V=new"))
		b.pass(2 * time.Second)
		b.wantMade("new", 1)
		b.pass(20 * time.Second)
		b.want("mult", 0, 0)
		b.wantRollout("mult", stateDone, 0, 0, 0)
		if n := len(b.driver.Calls("start")); n != 1 {
			t.Errorf("%d starts, want one", n)
		}
		b.end()
	})
}

func TestAtItsMaxAPoolMayHaveOneMoreWhileItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(500*time.Millisecond), func(p *config.Pool) { p.Workers.Max = 3 })
		b.reload(env("V=new"))
		b.wantBounds(b.watch("mult", 30*time.Second), 3, 1, 4)
		b.wantMade("new", 3)
		b.end()
	})
}

func TestWithoutAPortForOneMoreTheSpareIsReplacedFirst(t *testing.T) {
	for ports, least := range map[int]int{3: 2, 2: 1, 1: 0} {
		t.Run(fmt.Sprint(ports), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, startDelay(500*time.Millisecond), pool("mult", func(p *config.Pool) { p.Workers.Min, p.Env = 2, []string{"V=old"} }))
				b.ports = fleet.NewPorts(20000, 20000+ports-1, time.Now)
				b.scaler.Ports = b.ports
				b.run()
				b.pass(time.Minute)
				b.reload(env("V=new"))
				got := b.watch("mult", time.Minute)
				if got.ready[0] < least || got.alive[1] > ports {
					t.Errorf("with %d ports there were %s", ports, got)
				}
				b.wantMade("new", ports)
				b.end()
			})
		})
	}
}

func TestOnePoolsChangeDoesNotStarveAnothersStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pools []config.Pool
		for i := range 6 {
			pools = append(pools, pool(fmt.Sprintf("p%d", i), nil))
		}
		b := newBench(t, planned(map[string]drivertest.Plan{"slow": {StartDelay: 5 * time.Second}}), pools...)
		b.run()
		b.pass(time.Minute)
		next := *b.cfg
		next.Pools = nil
		for i, p := range pools {
			if i < 5 {
				p.Env = []string{"V=slow"}
			}
			next.Pools = append(next.Pools, p)
		}
		b.scaler.Reload(t.Context(), &next)
		b.pass(2 * time.Second)
		if n := startsWith(b.driver.Calls("start"), "slow"); n != maxExtras {
			t.Errorf("%d extra starts at a time, want %d", n, maxExtras)
		}
		wait := b.serve("p5", 4, 2*time.Second)
		b.pass(time.Second)
		if got := b.states("p5"); got[fleet.Active]+got[fleet.Spare] < 3 {
			t.Errorf("the pool that has to grow waits: %v", got)
		}
		wait()
		b.pass(3 * time.Minute)
		for i := range 5 {
			if r, _ := b.scaler.Rollout(fmt.Sprintf("p%d", i)); r.State != stateDone {
				t.Errorf("pool %d: %+v", i, r)
			}
		}
		b.end()
	})
}

func TestAChangeWaitsForTheEngineAndForWhoeverHoldsTheScaler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(500*time.Millisecond), nil)
		b.driver.FailNext("prepare", fmt.Errorf("no socket: %w", driver.ErrUnavailable))
		b.reload(env("V=new"))
		b.pass(5 * time.Second)
		b.wantMade("old", 3)
		b.pass(6 * time.Second) // it is there again, and one new worker is made
		if err := b.scaler.Hold(t.Context(), 10*time.Second); err != nil {
			t.Fatal(err)
		}
		before := len(b.driver.Calls("start", "stop"))
		b.pass(time.Minute)
		if n := len(b.driver.Calls("start", "stop")); n != before || before < 4 {
			t.Errorf("%d calls while it was held, %d before", n-before, before)
		}
		if err := b.scaler.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.pass(30 * time.Second)
		b.wantMade("new", 3)
		if said := strings.Join(b.notes(), "\n"); !strings.Contains(said, "replaced: 3 of 3") {
			t.Errorf("the journal says %q", said)
		}
		b.end()
	})
}
