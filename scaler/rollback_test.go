package scaler

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/fleet"
)

// rollouts counts the changes that ended, by how.
type rollouts struct {
	silent
	mu sync.Mutex
	n  map[string]int
}

func (r *rollouts) Rollout(pool, result string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n[pool+" "+result]++
}

func TestAChangeWhoseWorkersDoNotWorkIsTakenBack(t *testing.T) {
	tests := []struct {
		name   string
		plan   drivertest.Plan
		deaf   bool
		starts int // of new workers
		why    string
		takes  time.Duration
	}{
		{"they cannot be started", drivertest.Plan{StartErr: errors.New("exec format error")}, false, 3, "exec format", 20 * time.Second},
		{"they exit at once", drivertest.Plan{Exit: true, ExitCode: 3, Logs: []string{"no such option"}}, true, 3, "code 3", 20 * time.Second},
		{"they never answer", drivertest.Plan{}, true, 3, "ready.timeout", 30 * time.Second},
		{"they die soon after they are ready", drivertest.Plan{Exit: true, ExitAfter: 2 * time.Second, ExitCode: 1}, false, 3, "code 1", 30 * time.Second},
		{"they die when the first has lasted", drivertest.Plan{Exit: true, ExitAfter: 5 * time.Second, ExitCode: 1}, false, 5, "code 1", time.Minute},
		{"their image is missing", drivertest.Plan{StartErr: fmt.Errorf("gone: %w", driver.ErrImageMissing)}, false, 1, "gone", 20 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := rolled(t, planned(map[string]drivertest.Plan{"new": tt.plan}), func(p *config.Pool) { p.Ready.Timeout = 5 * time.Second })
				b.prober.mu.Lock()
				b.prober.deaf = func(i driver.Instance) bool { return tt.deaf && b.valueOf(i.Worker) == "new" }
				b.prober.mu.Unlock()
				counted := &rollouts{n: map[string]int{}}
				b.scaler.Recorder = counted
				b.reload(env("V=new"))
				got := b.watch("mult", tt.takes)
				if tt.plan.ExitAfter != 5*time.Second { // else some have been replaced by then
					b.wantBounds(got, 3, 1, 4)
				}
				b.want("mult", 2, 1)
				b.wantMade("old", 3)
				if n := startsWith(b.driver.Calls("start"), "new"); n < min(tt.starts, 3) || n > tt.starts {
					t.Errorf("%d starts of new workers, want %d", n, tt.starts)
				}
				r, _ := b.scaler.Rollout("mult")
				if r.State != stateRolledBack || r.Outdated != 0 || !strings.Contains(r.Error, tt.why) {
					t.Errorf("the rollout is %+v, want it rolled back because of %q", r, tt.why)
				}
				if counted.n["mult rolled_back"] != 1 || len(counted.n) != 1 {
					t.Errorf("counted: %v", counted.n)
				}
				if said := strings.Join(b.notes(), "\n"); strings.Count(said, "rolled back") != 1 {
					t.Errorf("the journal says %q", said)
				}
				b.growsWith("old")
				b.reload(func(*config.Pool) {}) // the file is touched: it is tried anew
				b.pass(time.Minute)
				if n := startsWith(b.driver.Calls("start"), "new"); n <= tt.starts && n < 2*min(tt.starts, 3) {
					t.Errorf("%d starts of new workers after another reload", n)
				}
				b.end()
			})
		})
	}
}

// growsWith makes the pool start more workers and looks what they are made from.
func (b *bench) growsWith(value string) {
	b.t.Helper()
	before := len(b.driver.Calls("start"))
	wait := b.serve("mult", 8, 3*time.Second)
	b.pass(3 * time.Second)
	wait()
	calls := b.driver.Calls("start")[before:]
	if n := startsWith(calls, value); n == 0 || n != len(calls) {
		b.t.Errorf("of %d later starts %d were of %q", len(calls), n, value)
	}
}

func TestAnImageThatCannotBeHadIsNotEvenTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(500*time.Millisecond), nil)
		b.driver.FailNext("prepare", fmt.Errorf("image no/such cannot be pulled: %w", driver.ErrImageMissing))
		b.reload(func(p *config.Pool) { p.Image = "no/such" })
		b.pass(time.Minute)
		b.want("mult", 2, 1)
		if n := len(b.driver.Calls("start", "stop")); n != 3 {
			t.Errorf("%d starts and stops, want the three from before", n)
		}
		if r := b.wantRollout("mult", stateRolledBack, 0, 0, 0); !strings.Contains(r.Error, "cannot be pulled") {
			t.Errorf("because of %q", r.Error)
		}
		b.growsWith("old")
		b.reload(func(p *config.Pool) { p.Image = "" }) // as it was: nothing is wrong any more
		b.pass(time.Second)
		if r, ok := b.scaler.Rollout("mult"); ok {
			t.Errorf("there is still %+v", r)
		}
		b.end()
	})
}

// The earlier change goes on and is done; that it is not what the file asks for by now must not be forgotten over that.
func TestAChangeThatCannotBeMadeWhileAnEarlierOneIsIsSaidToBeMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, startDelay(500*time.Millisecond), nil)
		b.reload(env("V=new"))
		b.pass(time.Second)
		b.driver.FailNext("prepare", fmt.Errorf("image no/such cannot be pulled: %w", driver.ErrImageMissing))
		b.reload(func(p *config.Pool) { p.Image = "no/such" })
		b.pass(time.Second)
		if r := b.wantRollout("mult", stateRolling, 0, 3, 3); !strings.Contains(r.Error, "cannot be pulled") {
			t.Errorf("because of %q", r.Error)
		}
		b.pass(time.Minute)
		b.wantMade("new", 3)
		if r := b.wantRollout("mult", stateRolledBack, 3, 3, 0); !strings.Contains(r.Error, "cannot be pulled") {
			t.Errorf("because of %q", r.Error)
		}
		b.reload(func(p *config.Pool) { p.Image = "" }) // what is there is what is wanted
		b.pass(time.Second)
		if r, ok := b.scaler.Rollout("mult"); ok {
			t.Errorf("there is still %+v", r)
		}
		b.end()
	})
}

func TestATagThatCameToMeanSomethingBrokenIsTakenBackToWhatItMeant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tag, broken = "shop/web:latest", "sha256:broken"
		o := drivertest.FakeOptions{Plan: func(s driver.Spec) drivertest.Plan { return drivertest.Plan{StartDelay: 500 * time.Millisecond} }}
		b := rolled(t, o, func(p *config.Pool) { p.Image, p.Ready.Timeout = tag, 5*time.Second })
		b.prober.mu.Lock()
		b.prober.deaf = func(i driver.Instance) bool { return i.Image == broken }
		b.prober.mu.Unlock()
		b.driver.Retag(tag, broken)
		b.reload(func(*config.Pool) {})
		b.wantBounds(b.watch("mult", time.Minute), 3, 1, 4)
		b.wantRollout("mult", stateRolledBack, 0, 3, 0)
		b.growsWith("old")
		for _, inst := range b.driver.Workers() {
			if inst.Image == broken {
				t.Errorf("worker %s is made from what does not work", inst.Worker)
			}
		}
		last := b.driver.Calls("start")
		if s := last[len(last)-1].Spec; s.Image != "sha256:"+tag || s.Pull != driver.PullNever {
			t.Errorf("the last start was of %q, pull %s", s.Image, s.Pull)
		}
		b.end()
	})
}

func TestWithNothingToGoBackToAChangeIsTriedOnAndOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(map[string]drivertest.Plan{"new": {StartErr: errors.New("not yet")}}), pool("mult", env("V=new")))
		b.driver.Place(driver.Instance{Worker: "old", Pool: "mult", Hash: "another", HostPort: 20000, Running: true, Address: "http://127.0.0.1:20000"})
		b.run()
		b.pass(10 * time.Minute)
		if n := len(b.driver.Calls("start")); n < 5 || n > 60 {
			t.Errorf("%d starts in ten minutes", n)
		}
		if r, _ := b.scaler.Rollout("mult"); r.State != stateRolling || !strings.Contains(r.Error, "not yet") || r.Outdated != 1 {
			t.Errorf("the rollout is %+v", r)
		}
		if !slices.ContainsFunc(b.driver.Workers(), func(i driver.Instance) bool { return i.Worker == "old" }) || b.states("mult")[fleet.Active] != 1 {
			t.Errorf("the one that serves is gone: %v", b.states("mult"))
		}
		b.reload(env("V=good"))
		b.pass(time.Minute)
		b.wantMade("good", 2)
		b.end()
	})
}

func TestAPoolThatNeverWorkedTakesAChangeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, planned(map[string]drivertest.Plan{"bad": {StartErr: fmt.Errorf("no image: %w", driver.ErrImageMissing)}}), pool("mult", env("V=bad")))
		b.run()
		b.pass(time.Minute)
		if got := b.fleet.Status()[0].Unavailable; !strings.Contains(got, "no image") {
			t.Errorf("unavailable because of %q", got)
		}
		b.reload(env("V=good"))
		b.pass(2 * time.Second)
		b.want("mult", 1, 1)
		if got := b.fleet.Status()[0].Unavailable; got != "" {
			t.Errorf("still unavailable because of %q", got)
		}
		b.end()
	})
}

// With nothing running the request has only the start to hope for.
func TestWhoWaitsForAWorkerThatCannotBeMadeGetsOneAsBefore(t *testing.T) {
	for name, plan := range map[string]drivertest.Plan{
		"missing": {StartDelay: 500 * time.Millisecond, StartErr: fmt.Errorf("gone: %w", driver.ErrImageMissing)},
		"crashes": {StartDelay: 100 * time.Millisecond, Exit: true, ExitAfter: 300 * time.Millisecond, ExitCode: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := rolled(t, planned(map[string]drivertest.Plan{"new": plan}), func(p *config.Pool) {
					p.Workers, p.Queue.Wait = config.Workers{Min: 0, Max: 4}, time.Minute
				})
				b.serve("mult", 1, time.Second)() // so that the old ones are known to work
				b.pass(time.Minute)
				b.want("mult", 0, 0)
				b.reload(env("V=new"))
				if name == "missing" {
					lease, err := b.fleet.Acquire(t.Context(), fleet.Request{Capability: "mult"})
					if err != nil {
						t.Fatalf("the request that waited: %v", err)
					}
					if v := b.valueOf(lease.Worker.ID); v != "old" {
						t.Errorf("it got a worker made from %q", v)
					}
					lease.Release(fleet.Outcome{Kind: fleet.Served})
				}
				b.pass(time.Minute)
				if r, _ := b.scaler.Rollout("mult"); r.State != stateRolledBack {
					t.Errorf("the rollout is %+v", r)
				}
				b.end()
			})
		})
	}
}

func TestAStartForAChangeThatIsNoLongerWantedSaysNothingOfTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rolled(t, planned(map[string]drivertest.Plan{
			"bad": {StartDelay: 3 * time.Second, StartErr: errors.New("exec format error")}, "good": {StartDelay: 5 * time.Second},
		}), nil)
		b.reload(env("V=bad"))
		b.pass(2 * time.Second)
		b.reload(env("V=good"))
		b.pass(2 * time.Second)
		if r, _ := b.scaler.Rollout("mult"); r.State != stateRolling || r.Error != "" {
			t.Errorf("the rollout is %+v", r)
		}
		if trouble, ok := b.scaler.Trouble("mult"); ok {
			t.Errorf("starts are said to fail: %+v", trouble)
		}
		b.pass(time.Minute)
		b.wantMade("good", 3)
		b.end()
	})
}
