package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"understudy/driver"
	"understudy/driver/drivertest"
)

// scene is the lock of a balancer that has died, as process 1, and its guard.
type scene struct {
	t    *testing.T
	fake *drivertest.Fake
	o    GuardOptions
	open func(context.Context) (driver.Driver, error)
}

const deadPid = 1 << 30 // no kernel gives that to a process

func newScene(t *testing.T) *scene {
	fake := drivertest.NewFake(drivertest.FakeOptions{})
	s := &scene{t: t, fake: fake, o: GuardOptions{
		Instance: "x", Balancer: deadPid, Wait: time.Minute, LockDir: t.TempDir(), Log: slog.New(slog.DiscardHandler),
	}}
	s.open = func(context.Context) (driver.Driver, error) { return fake, nil }
	s.dies(deadPid)
	return s
}

// dies leaves the lock as a process that is killed does.
func (s *scene) dies(pid int) {
	s.t.Helper()
	line := fmt.Sprintf("process %d (listens) since then\n", pid)
	if err := os.WriteFile(lockPath(s.o.LockDir, "docker", "x"), []byte(line), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) guard() error { return CleanUpAfter(s.t.Context(), s.o, s.open) }

func (s *scene) swept(times int) {
	s.t.Helper()
	if n := len(s.fake.Calls("sweep")); n != times {
		s.t.Errorf("%d sweeps, want %d", n, times)
	}
}

func (s *scene) lockIsGone() {
	s.t.Helper()
	if left, _ := os.ReadDir(s.o.LockDir); len(left) > 0 {
		s.t.Errorf("the lock is left: %v", left)
	}
}

func TestAGuardReadsUntilItsBalancerHasEnded(t *testing.T) {
	for said, bye := range map[string]bool{"": false, guardBye: true, "by": false, "bye": false, "something\n": false} {
		if got := SaidBye(strings.NewReader(said)); got != bye {
			t.Errorf("after %q: bye is %v", said, got)
		}
	}
}

func TestAGuardCleansUpOnceTheTimeForASuccessorIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		began := time.Now()
		if err := s.guard(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != s.o.Wait {
			t.Errorf("it cleaned up after %v", took)
		}
		s.swept(1)
		s.lockIsGone()
	})
}

func TestAGuardLeavesASuccessorAlone(t *testing.T) {
	for what, come := range map[string]func(s *scene) func(){
		"that runs": func(s *scene) func() {
			l, err := TakeLock(s.o.LockDir, "docker", "x", "successor")
			if err != nil {
				s.t.Error(err)
			}
			return l.Release
		},
		"that came and ended in order": func(s *scene) func() {
			l, err := TakeLock(s.o.LockDir, "docker", "x", "successor")
			if err != nil {
				s.t.Error(err)
			}
			l.Release()
			return func() {}
		},
		"that came and died too: its own guard looks after it": func(s *scene) func() {
			s.dies(deadPid + 1)
			return func() {}
		},
		"that has the lock and has not written its name yet": func(s *scene) func() {
			file, err := os.OpenFile(lockPath(s.o.LockDir, "docker", "x"), os.O_RDWR, 0)
			if err != nil {
				s.t.Fatal(err)
			}
			l, err := lockFile(file, file.Name())
			if err != nil {
				s.t.Fatal(err)
			}
			return l.Release
		},
	} {
		for _, after := range []time.Duration{0, 20 * time.Second, time.Minute - time.Nanosecond} {
			t.Run(fmt.Sprintf("%s, %v after", what, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newScene(t)
					release := make(chan func(), 1)
					time.AfterFunc(after, func() { release <- come(s) })
					if err := s.guard(); err != nil {
						t.Error(err)
					}
					s.swept(0)
					(<-release)()
				})
			})
		}
	}
}

var errAway = errors.New("away")

func TestAGuardOutlastsAnEngineThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		var tries []time.Time
		there := s.open
		s.open = func(ctx context.Context) (driver.Driver, error) {
			tries = append(tries, time.Now())
			if l, err := TakeLock(s.o.LockDir, "docker", "other", ""); err != nil {
				t.Error(err)
			} else {
				l.Release()
			}
			if len(tries) <= 100 {
				return nil, errAway
			}
			return there(ctx)
		}
		if err := s.guard(); err != nil {
			t.Error(err)
		}
		s.swept(1)
		s.lockIsGone()
		if n := len(tries); n != 101 {
			t.Fatalf("%d tries", n)
		}
		if first, last := tries[1].Sub(tries[0]), tries[100].Sub(tries[99]); first != guardPause || last != guardLongest {
			t.Errorf("the first pause was %v, the last %v", first, last)
		}
	})
}

func TestAGuardGivesUpAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		if o := s.o.filled(); o.Patience != 24*time.Hour {
			t.Errorf("its patience is %v unless told", o.Patience)
		}
		s.o.Patience = time.Hour // it looks at the lock twice a second, so a day of it is long
		s.open = func(context.Context) (driver.Driver, error) { return nil, errAway }
		began := time.Now()
		if err := s.guard(); !errors.Is(err, errAway) {
			t.Errorf("it ended with %v", err)
		}
		if took := time.Since(began); took < s.o.Patience || took > s.o.Patience+2*time.Minute {
			t.Errorf("it gave up after %v", took)
		}
	})
}

// While it waits for the engine, and between two attempts to sweep, the instance is free.
func TestASuccessorCanComeWhileTheGuardWaitsForTheEngine(t *testing.T) {
	for what, trouble := range map[string]func(*scene){
		"nobody answers": func(s *scene) {
			s.open = func(context.Context) (driver.Driver, error) { return nil, errAway }
		},
		"it answers, and lists nothing": func(s *scene) { s.fake.SetDown(errAway) },
		"it does not remove everything": func(s *scene) { s.fake.FailNext("sweep", slices.Repeat([]error{errAway}, 100)...) },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				trouble(s)
				time.AfterFunc(10*time.Minute, func() {
					l, err := TakeLock(s.o.LockDir, "docker", "x", "successor")
					if err != nil {
						t.Errorf("the successor: %v", err)
					}
					l.Release()
				})
				began := time.Now()
				if err := s.guard(); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took < 10*time.Minute || took > 10*time.Minute+time.Second {
					t.Errorf("it ended after %v", took)
				}
				synctest.Wait() // it may have seen the successor before that one let go
				s.lockIsGone()
			})
		})
	}
}

func TestAGuardThatIsToEndEnds(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errAway)
	if err := CleanUpAfter(ctx, s.o, s.open); !errors.Is(err, errAway) {
		t.Errorf("it ended with %v", err)
	}
	s.swept(0)
}

func TestWhoComesWhileAGuardCleansUpWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		l, err := inheritLock(s.o.LockDir, "docker", "x", deadPid)
		if err != nil || l == nil {
			t.Fatal(l, err)
		}
		time.AfterFunc(guardSweep, l.Release)
		waited := 0
		began := time.Now()
		mine, err := AwaitLock(t.Context(), s.o.LockDir, "docker", "x", "successor", func() { waited++ })
		if err != nil || waited != 1 {
			t.Fatalf("%v, told %d times", err, waited)
		}
		if took := time.Since(began); took < guardSweep || took > guardSweep+time.Second {
			t.Errorf("it waited %v", took)
		}
		began = time.Now()
		var locked *LockedError
		if _, err := AwaitLock(t.Context(), s.o.LockDir, "docker", "x", "third", func() { t.Error("there is no guard") }); !errors.As(err, &locked) {
			t.Errorf("a third gets %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the third waited %v", took)
		}
		mine.Release()
		s.lockIsGone()
	})
}

// A guard that is killed is replaced, sooner at first and then once a minute.
func TestAGuardThatEndsIsReplacedAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts atomic.Int32
		log := &safeBuffer{}
		g := keepGuard(slog.New(slog.NewTextHandler(log, nil)), "all is lost", func() (*guardian, error) {
			if starts.Add(1)%2 == 0 {
				return nil, errAway
			}
			ended := make(chan struct{})
			close(ended)
			return &guardian{pipe: nopPipe{}, state: func() string { return "signal: killed" }, ended: ended}, nil
		})
		<-time.After(time.Hour)
		if n := starts.Load(); n < 60 || n > 70 {
			t.Errorf("%d starts in an hour", n)
		}
		g.dismiss()
		for _, say := range []string{"signal: killed", "no guard: all is lost"} {
			if !strings.Contains(log.String(), say) {
				t.Errorf("it does not say %q", say)
			}
		}
	})
}

// One that is stopped cannot hear that it may go.
func TestAGuardThatDoesNotEndIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard, pipe := io.Pipe()
		ended := make(chan struct{})
		killed := false
		g := keepGuard(slog.New(slog.DiscardHandler), "", func() (*guardian, error) {
			return &guardian{pipe: pipe, kill: func() { killed = true; close(ended) }, ended: ended}, nil
		})
		said := make(chan bool, 1)
		go func() { said <- SaidBye(heard) }()
		g.dismiss()
		if !<-said || !killed {
			t.Errorf("killed: %v", killed)
		}
	})
}

type nopPipe struct{}

func (nopPipe) Write(p []byte) (int, error) { return len(p), nil }
func (nopPipe) Close() error                { return nil }
