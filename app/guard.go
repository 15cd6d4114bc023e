package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"understudy/config"
	"understudy/driver"
)

// The guard is a small child on a pipe. The kernel closes the pipe however the balancer ends; one that ended properly has said so before.
// If it has not, and no other balancer of the instance takes over in time, the guard removes what the dead one left.

// guardBye is what a balancer says that has cleaned up, or has left its workers on purpose.
const guardBye = "bye\n"

// guardPoll is how often a guard looks for a successor.
const guardPoll = 500 * time.Millisecond

// guard is the balancer's end of the pipe.
type guard struct {
	pipe io.WriteCloser
	done chan struct{}
}

// startGuard runs the guard. Where the workers end with the process anyway, or nobody wants it, there is none.
func (a *App) startGuard() {
	if a.Config.Guard <= 0 || a.driver.Name() != "docker" || a.Options.Driver != nil {
		return
	}
	g, err := runGuard(a.Config, a.LockDir)
	if err != nil {
		a.Log.Warn("no guard: should this process be killed, its containers stay until the next start", slog.Any("error", err))
		return
	}
	a.guard = g
}

func runGuard(cfg *config.Config, lockDir string) (*guard, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "guard", "--instance", cfg.Instance, "--wait", cfg.Guard.String(), "--lock-dir", lockDir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C meant for the balancer is not meant for its guard
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	g := &guard{pipe: pipe, done: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(g.done) }()
	return g, nil
}

// dismiss tells the guard that there is nothing to do, and waits for its end. Safe on nil.
func (g *guard) dismiss() {
	if g == nil {
		return
	}
	_, _ = io.WriteString(g.pipe, guardBye) // a guard that is gone needs no word
	_ = g.pipe.Close()
	<-g.done
}

// GuardOptions say whom a guard guards.
type GuardOptions struct {
	Instance string
	Wait     time.Duration // for a successor
	LockDir  string        // empty: the host's
}

// Guard reads from pipe until the balancer has ended. Unless that one said bye, it waits for a successor, and when none comes removes every
// container and network of the instance. open connects to the engine.
func Guard(ctx context.Context, pipe io.Reader, o GuardOptions, open func(context.Context) (driver.Driver, error)) error {
	if o.LockDir == "" {
		o.LockDir = LockDir()
	}
	said, _ := bufio.NewReader(pipe).ReadString('\n')
	if said == guardBye {
		return nil
	}
	lock, err := inherit(ctx, o)
	if lock == nil || err != nil {
		return err
	}
	defer lock.Release()
	d, err := open(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	sweeper, ok := d.(driver.Sweeper)
	if !ok {
		return nil
	}
	return sweepAll(ctx, sweeper)
}

// inherit waits until the time is over and then takes the instance over. It yields nil when a successor has it.
func inherit(ctx context.Context, o GuardOptions) (*Lock, error) {
	over := time.NewTimer(o.Wait)
	defer over.Stop()
	ticker := time.NewTicker(guardPoll)
	defer ticker.Stop()
	for {
		last := false
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-over.C:
			last = true
		case <-ticker.C:
		}
		lock, err := TakeLock(o.LockDir, "docker", o.Instance, "the guard of a balancer that died, cleaning up")
		var locked *LockedError
		switch {
		case errors.As(err, &locked):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("guard: %w", err)
		case last:
			return lock, nil
		}
		lock.Release()
	}
}

const (
	sweepTries = 10
	sweepPause = 3 * time.Second
)

// sweepAll tries again while the engine is away.
func sweepAll(ctx context.Context, s driver.Sweeper) error {
	var errs []string
	for range sweepTries {
		_, err := s.Sweep(ctx, false)
		if err == nil {
			return nil
		}
		errs = append(errs, err.Error())
		timer := time.NewTimer(sweepPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
	return fmt.Errorf("guard: could not clean up: %s", strings.Join(errs, "; "))
}
