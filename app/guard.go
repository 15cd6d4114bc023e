package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"understudy/driver"
	"understudy/scaler"
)

// The guard of containers is a small child on a pipe. The kernel closes the pipe however the balancer ends; one that ended properly has said so before.
// If it has not, and no other balancer of the instance takes over in time, the guard removes what the dead one left. This is the
// balancer's end of the pipe; guarding.go is the other. That of local processes (groups.go) is kept in the same way.

// guardBye is what a balancer says that has cleaned up, or has left its workers on purpose.
const guardBye = "bye\n"

const (
	guardAgain   = time.Second      // before a guard that ended is replaced; twice as long each time,
	guardRarely  = time.Minute      // up to this; one that has lived as long begins anew
	leftoverTime = 10 * time.Second // for what is removed in the background to be gone
	leftoverPoll = 200 * time.Millisecond
	guardGoodbye = 5 * time.Second // for a guard to end once it is told; then it is killed
	guardListens = time.Second     // for a guard to read what it is told, when it has not for long
)

// guard sees to it that there is one as long as the balancer lives.
type guard struct {
	run  func() (*guardian, error)
	log  *slog.Logger
	lack string        // what it means that there is none
	over chan struct{} // closed by dismiss
	done chan struct{} // closed when the last guardian has ended
}

// guardian is the process.
type guardian struct {
	pipe  io.WriteCloser
	kill  func()
	state func() string // how it ended; only then
	ended chan struct{} // closed once it has
}

// startGuard runs the guard. Where the workers end with the process anyway, or nobody wants it, there is none.
func (a *App) startGuard() {
	if a.Config.Guard <= 0 || a.driver.Name() != "docker" || a.Options.Driver != nil {
		return
	}
	cfg, dir := a.Config, a.LockDir
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute // the guard goes elsewhere
	}
	const lack = "should this process be killed, its containers stay until the next start"
	a.guard = keepGuard(a.Log, lack, func() (*guardian, error) {
		return runGuardian("guard", "--instance", cfg.Instance, "--wait", cfg.Guard.String(), "--lock-dir", dir, "--of", strconv.Itoa(os.Getpid()))
	})
}

// runGuardian starts this program as a guard. It gets the pipe and nothing else of ours: no listener, no terminal, no output.
func runGuardian(args ...string) (*guardian, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C meant for the balancer is not meant for its guard
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	g := &guardian{
		pipe: pipe, kill: func() { _ = cmd.Process.Kill() }, state: func() string { return cmd.ProcessState.String() }, ended: make(chan struct{}),
	}
	go func() { _ = cmd.Wait(); close(g.ended) }()
	return g, nil
}

// keepGuard runs a guard, and another one whenever it ends before it is dismissed. lack says what it means that there is none.
func keepGuard(log *slog.Logger, lack string, run func() (*guardian, error)) *guard {
	g := &guard{run: run, log: log, lack: lack, over: make(chan struct{}), done: make(chan struct{})}
	first := g.try()
	go g.keep(first)
	return g
}

// try yields nil when no guard can be started.
func (g *guard) try() *guardian {
	one, err := g.run()
	if err != nil {
		g.log.Warn("no guard: "+g.lack, slog.Any("error", err))
		return nil
	}
	return one
}

func (g *guard) keep(one *guardian) {
	defer close(g.done)
	pauses := driver.Backoff{Base: guardAgain, Max: guardRarely}
	for {
		if one != nil {
			began := time.Now()
			select {
			case <-g.over:
				one.dismiss()
				return
			case <-one.ended:
			}
			if time.Since(began) > guardRarely {
				pauses.Reset()
			}
			_ = one.pipe.Close()
			g.log.Warn("the guard has ended, another one is started", slog.String("how", one.state()))
		}
		timer := time.NewTimer(pauses.Next())
		select {
		case <-g.over:
			timer.Stop()
			return
		case <-timer.C:
		}
		one = g.try()
	}
}

// say tells a guardian something. One that somebody has stopped may not read: whoever speaks does not wait for it any longer than guardListens.
func (o *guardian) say(line string) error {
	if p, ok := o.pipe.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = p.SetWriteDeadline(time.Now().Add(guardListens))
	}
	_, err := io.WriteString(o.pipe, line)
	return err
}

// dismiss tells a guardian that there is nothing to do, and waits for its end.
func (o *guardian) dismiss() {
	_ = o.say(guardBye) // one that is gone needs no word
	_ = o.pipe.Close()
	timer := time.NewTimer(guardGoodbye)
	defer timer.Stop()
	select {
	case <-o.ended:
	case <-timer.C: // somebody has stopped it
		o.kill()
		<-o.ended
	}
}

// dismiss ends the guard: there is nothing to do for it. Safe on nil.
func (g *guard) dismiss() {
	if g == nil {
		return
	}
	close(g.over)
	<-g.done
}

// bequeathToGuard leaves to the guard what this process was to remove at its end, and cannot: another balancer's workers when it fails to
// start, its own when the engine is away. It has no effect where workers may stay. The guard takes the instance once this process has ended.
func (a *App) bequeathToGuard() {
	if a.guard == nil || a.current().OnExit == "leave" {
		return
	}
	a.guard = nil // not dismissed: it finds that we are gone
	a.lock.lend() // and our name in the lock
}

// leftovers is for the end, when everything has been removed: if it has not, the guard goes on. The error says what is left, and to whom.
func (a *App) leftovers() error {
	if a.handed.Load() || a.current().OnExit == "leave" {
		return nil
	}
	left := a.scaler.Forsaken()
	if left.Err == nil && a.guard != nil {
		left = a.awaitGone()
	}
	if left.Err == nil {
		return nil
	}
	heir := fmt.Sprintf("the next start of instance %s takes them over, understudy cleanup --instance %s removes them", a.Config.Instance, a.Config.Instance)
	if a.guard != nil {
		heir = "the guard removes them as soon as it can"
	}
	a.bequeathToGuard()
	return fmt.Errorf("%d workers are left: %s: %w", left.Workers, heir, left.Err)
}

// awaitGone waits until the driver lists no worker, for leftoverTime at most: a start that was given up is removed in the background.
func (a *App) awaitGone() scaler.Forsaken {
	ctx, cancel := context.WithTimeout(context.Background(), leftoverTime)
	defer cancel()
	ticker := time.NewTicker(leftoverPoll)
	defer ticker.Stop()
	left, err := a.driver.List(ctx)
	for ctx.Err() == nil && (err != nil || len(left) > 0) {
		select {
		case <-ticker.C:
			left, err = a.driver.List(ctx)
		case <-ctx.Done():
		}
	}
	if err == nil && len(left) > 0 {
		err = errNotRemoved
	}
	return scaler.Forsaken{Workers: len(left), Err: err}
}

var errNotRemoved = errors.New("they could not be removed")
