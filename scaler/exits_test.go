package scaler

import (
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
	"understudy/probe"
)

// ends counts the exits that a scaler records.
type ends struct {
	silent
	mu sync.Mutex
	n  map[string]int
}

func (e *ends) Exited(pool, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.n[pool+" "+reason]++
}

func (e *ends) of(pool, reason string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.n[pool+" "+reason]
}

// count makes the bench's scaler count exits. It comes before run.
func (b *bench) count() *ends {
	e := &ends{n: map[string]int{}}
	b.scaler.Recorder = e
	return e
}

// startsOf counts the starts of a pool so far.
func (b *bench) startsOf(pool string) (n int) {
	for _, c := range b.driver.Calls("start") {
		if c.Spec.Pool == pool {
			n++
		}
	}
	return n
}

// single is a pool of one worker without a spare, so that starts can be counted.
func single(p *config.Pool) { p.Workers.Max, p.Workers.Spare = 1, 0 }

// badPlan lets the workers of pool bad have that plan, and all others none.
func badPlan(plan drivertest.Plan) drivertest.FakeOptions {
	return drivertest.FakeOptions{Plan: func(s driver.Spec) drivertest.Plan {
		if s.Pool == "bad" {
			return plan
		}
		return drivertest.Plan{}
	}}
}

func isBad(inst driver.Instance) bool { return inst.Pool == "bad" }

// Each worker that misbehaves is started again so many times in ten minutes and no more, is told by its reason, and harms no other pool.
func TestAWorkerThatMisbehavesIsStartedLessAndLessOftenAndHarmsNoOtherPool(t *testing.T) {
	exit := func(after time.Duration, code int) drivertest.Plan {
		return drivertest.Plan{Exit: true, ExitAfter: after, ExitCode: code, Logs: []string{"last \x1b[2Jwords"}}
	}
	oom := func(after time.Duration) drivertest.Plan {
		p := exit(after, 137)
		p.OOM = true
		return p
	}
	for _, tc := range []struct {
		name        string
		plan        drivertest.Plan
		deaf        bool
		reason      string
		least, most int // starts in ten minutes
		said        string
	}{
		{"exits at once", exit(0, 3), false, "exit", 10, 18, "code 3"},
		{"exits before it listens", exit(time.Second, 3), true, "exit", 10, 18, "code 3"},
		{"exits after three seconds", exit(3*time.Second, 0), false, "exit", 10, 18, "code 0"},
		{"never listens", drivertest.Plan{Logs: []string{"loading"}}, true, "never_ready", 7, 12, "ready.timeout"},
		{"is killed by a signal", exit(2*time.Second, 139), false, "signal", 10, 18, "signal 11"},
		{"runs out of memory at once", oom(time.Second), false, "oom", 10, 18, "oom flag = true"},
		{"runs out of memory under load", oom(30 * time.Second), false, "oom", 6, 14, "resources.memory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, badPlan(tc.plan), pool("bad", single), pool("good", nil))
				if tc.deaf {
					b.prober.deaf = isBad
				}
				ended := b.count()
				b.run()
				b.pass(10 * time.Minute)
				if n := b.startsOf("bad"); n < tc.least || n > tc.most {
					t.Errorf("%d starts in ten minutes, want %d to %d", n, tc.least, tc.most)
				}
				if n, all := ended.of("bad", tc.reason), b.startsOf("bad"); n < all-1 || len(ended.n) != 1 {
					t.Errorf("%d exits are counted as %s after %d starts: %v", n, tc.reason, all, ended.n)
				}
				last, ok := b.scaler.LastExit("bad")
				if !ok || last.Reason != tc.reason || !strings.Contains(last.Error, tc.said) || !slices.Equal(last.Logs, tc.plan.Logs) {
					t.Errorf("the last exit is %+v, want one that says %q", last, tc.said)
				}
				if trouble, ok := b.scaler.Trouble("bad"); !ok || !slices.Equal(trouble.Logs, tc.plan.Logs) {
					t.Errorf("trouble: %+v", trouble)
				}
				if _, ok := b.scaler.LastExit("good"); ok {
					t.Error("the other pool had an exit")
				}
				b.want("good", 1, 1)
				if n := b.startsOf("good"); n != 2 {
					t.Errorf("%d starts in the other pool", n)
				}
				b.end()
			})
		})
	}
}

func TestAWorkerThatRunsOutOfMemoryOnceIsReplacedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		b := newBench(t, drivertest.FakeOptions{Plan: func(driver.Spec) drivertest.Plan {
			p := drivertest.Plan{Exit: first, ExitAfter: 2 * time.Minute, ExitCode: 137, OOM: true}
			first = false
			return p
		}}, pool("bad", single))
		b.run()
		b.pass(2*time.Minute + time.Second)
		b.want("bad", 1, 0)
		if trouble, ok := b.scaler.Trouble("bad"); ok {
			t.Errorf("one worker that lasted two minutes is trouble: %+v", trouble)
		}
		if last, ok := b.scaler.LastExit("bad"); !ok || !last.OOM || last.Code != 137 {
			t.Errorf("last exit: %+v", last)
		}
		b.pass(10 * time.Minute)
		if last, ok := b.scaler.LastExit("bad"); !ok || last.Reason != "oom" {
			t.Errorf("ten minutes later the last exit is %+v", last)
		}
		b.end()
	})
}

func TestWhatAnOperatorRemovesAgainAndAgainIsNotFoughtOver(t *testing.T) {
	for _, tc := range []struct {
		name, reason string
		hand         func(*drivertest.Fake, string) bool
	}{
		{"removed", "removed", (*drivertest.Fake).Vanish},
		{"killed", "signal", func(f *drivertest.Fake, worker string) bool { return f.Kill(worker, 137) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, drivertest.FakeOptions{}, pool("bad", single), pool("good", nil))
				ended := b.count()
				b.run()
				b.pass(time.Minute)
				for range 10 * 60 * 10 { // ten minutes, ten times a second
					for _, inst := range b.driver.Workers() {
						if isBad(inst) && inst.Running {
							tc.hand(b.driver, inst.Worker)
						}
					}
					b.pass(100 * time.Millisecond)
				}
				if n := b.startsOf("bad"); n < 10 || n > 19 {
					t.Errorf("%d starts against somebody who removes each", n)
				}
				if n := ended.of("bad", tc.reason); n < b.startsOf("bad")-1 || len(ended.n) != 1 {
					t.Errorf("%d starts, exits %v", b.startsOf("bad"), ended.n)
				}
				b.want("good", 1, 1)
				b.pass(75 * time.Second)
				b.want("bad", 1, 0)
				b.end()
			})
		})
	}
}

func TestAWorkerThatStillRunsIsToldByWhatWasFoundOfIt(t *testing.T) {
	for _, cause := range []fleet.Cause{fleet.Silent, fleet.Stranger, fleet.Breaking} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, badPlan(drivertest.Plan{Logs: []string{"busy with itself"}}), pool("bad", single))
			ended := b.count()
			log := b.listen()
			b.run()
			b.pass(time.Minute)
			first := b.driver.Workers()[0].Worker
			b.fleet.FailBy(first, cause, "what was found")
			b.pass(time.Second)
			last, _ := b.scaler.LastExit("bad")
			if last.Worker != first || last.Reason != string(cause) || last.Error != "what was found" || last.Code != 0 || len(last.Logs) != 1 {
				t.Errorf("last exit: %+v", last)
			}
			if n := ended.of("bad", string(cause)); n != 1 {
				t.Errorf("exits: %v", ended.n)
			}
			if lines := log.with("worker ended"); len(lines) != 1 || strings.Contains(lines[0], "ERROR") != (cause == fleet.Stranger) {
				t.Errorf("%s is logged as %q", cause, lines)
			}
			b.want("bad", 1, 0)
			b.end()
		})
	}
}

func TestAStartThatNoWorkerCameOfIsNoExit(t *testing.T) {
	for _, err := range []error{driver.ErrImageMissing, driver.ErrUnavailable, fmt.Errorf("boom")} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, badPlan(drivertest.Plan{StartErr: err}), pool("bad", single))
			ended := b.count()
			b.run()
			b.pass(time.Minute)
			if last, ok := b.scaler.LastExit("bad"); ok || len(ended.n) > 0 {
				t.Errorf("%v: last exit %+v", err, last)
			}
			b.end()
		})
	}
}

func TestAStrangerAtTheAddressOfAStartIsNeverUsedAndCountedAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("bad", single), pool("good", nil))
		b.prober.deaf = isBad
		b.prober.says = probe.ErrIdentity
		ended := b.count()
		b.run()
		b.pass(10 * time.Minute)
		if n := ended.of("bad", "identity"); n < 5 || n > 12 || len(ended.n) != 1 {
			t.Errorf("exits: %v", ended.n)
		}
		b.want("bad", 0, 0)
		b.want("good", 1, 1)
		b.end()
	})
}

func TestWorkersThatTakeLongToAnswerKeepNoOtherPoolFromStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(p *config.Pool) { p.Workers.Min, p.Workers.Max, p.Ready.Timeout = 8, 8, 5*time.Minute }
		b := newBench(t, drivertest.FakeOptions{}, pool("bad", slow), pool("good", nil))
		b.prober.deaf = isBad
		b.run()
		if n := b.startsOf("bad"); n != maxParallelStarts {
			t.Errorf("%d starts at once", n)
		}
		b.pass(slotTime + time.Second)
		b.want("good", 1, 1)
		if n := b.startsOf("bad"); n > 2*maxParallelStarts {
			t.Errorf("%d starts of the slow pool", n)
		}
		b.end()
	})
}
