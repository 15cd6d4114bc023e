package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Command is a program to run.
type Command struct {
	Name  string // for messages and the log's name
	Args  []string
	Env   []string // added to our own
	Cores string   // as taskset takes them, such as "0" or "2-7"; empty: all
}

func (c Command) exec(ctx context.Context) *exec.Cmd {
	args := c.Args
	if c.Cores != "" {
		args = append([]string{"taskset", "-c", c.Cores}, args...) // it becomes the program, so the pid stays
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.SysProcAttr = attributes()
	return cmd
}

// Process runs beside the race.
type Process struct {
	Name   string
	PID    int
	log    string
	exited chan struct{}
	err    error // how it ended; read it after exited is closed
}

// Start runs c until Stop or the end of the stage. What it prints goes into a file and is shown when it fails.
func (s *Stage) Start(c Command) (*Process, error) {
	out, err := os.Create(filepath.Join(s.Dir, c.Name+".log"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := c.exec(context.Background())
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	p := &Process{Name: c.Name, PID: cmd.Process.Pid, log: out.Name(), exited: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	s.running = append(s.running, p)
	return p, nil
}

// grace is how long a process may take to end when it is asked to.
const grace = 30 * time.Second

// Stop asks the process to end, waits for it, and kills it when it does not. What it leaves of its process group is killed in any case.
// Stopping twice is fine.
func (p *Process) Stop() error {
	select {
	case <-p.exited:
		return nil
	default:
	}
	defer func() { _ = syscall.Kill(-p.PID, syscall.SIGKILL) }()
	_ = syscall.Kill(p.PID, syscall.SIGTERM)
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-p.exited:
		return nil
	case <-patience.C:
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
		<-p.exited
		return fmt.Errorf("%s did not end within %v and was killed", p.Name, grace)
	}
}

// Alive is nil while the process runs, and afterwards says how it ended and what it printed last.
func (p *Process) Alive() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s ended too early: %v%s", p.Name, p.err, p.Tail())
	default:
		return nil
	}
}

// Tail is the end of what the process printed, on lines of their own.
func (p *Process) Tail() string {
	const most = 2000
	text, _ := os.ReadFile(p.log)
	return "\n" + string(bytes.TrimSpace(text[max(0, len(text)-most):]))
}

// Answers waits until url answers with status 200.
func (p *Process) Answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("it takes too long"))
	defer cancel()
	err := Until(ctx, p.Name+" answers at "+url, func() (bool, error) {
		if err := p.Alive(); err != nil {
			return false, err
		}
		status, _, err := Get(ctx, url)
		return err == nil && status == http.StatusOK, nil
	})
	if err != nil && p.Alive() == nil {
		return fmt.Errorf("%w; it printed:%s", err, p.Tail())
	}
	return err
}

// Outcome is what came of a program that has ended.
type Outcome struct {
	Out  string        // its standard output
	CPU  time.Duration // user and system time
	Peak int64         // largest resident memory, in bytes
}

// Run runs c to its end. When ctx ends first, c is ended. An error carries the end of c's standard error.
func Run(ctx context.Context, c Command) (Outcome, error) {
	cmd := c.exec(ctx)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return Outcome{}, context.Cause(ctx)
		}
		text := stderr.Bytes()
		return Outcome{}, fmt.Errorf("%s: %w\n%s", c.Name, err, bytes.TrimSpace(text[max(0, len(text)-2000):]))
	}
	o := Outcome{Out: stdout.String(), CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		o.Peak = usage.Maxrss << 10 // KiB on Linux
	}
	return o, nil
}
