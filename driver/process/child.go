package process

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"understudy/driver"
	"understudy/driver/tail"
)

const (
	keptLines = 200 // of each worker's output
	// lastWords is how long output is still read after a worker ended, in case something it left behind holds the pipe open.
	lastWords = time.Second
)

// child is one worker. inst and stopped are guarded by the driver's mu.
type child struct {
	inst    driver.Instance
	stopped bool // by us: its end is no news
	serial  int  // never changes once it is listed
	cmd     *exec.Cmd
	output  *os.File
	logs    *tail.Buffer
	over    func()        // called once its group has been killed
	ended   chan struct{} // closed when it has ended and all it printed is in logs
}

func newChild(cmd *exec.Cmd, output *os.File, spec driver.Spec) *child {
	return &child{
		cmd:    cmd,
		output: output,
		logs:   tail.New(keptLines),
		ended:  make(chan struct{}),
		inst: driver.Instance{
			ID:           driver.ID(fmt.Sprintf("%s-%d", spec.Worker, cmd.Process.Pid)),
			Pool:         spec.Pool,
			Worker:       spec.Worker,
			Generation:   spec.Generation,
			Hash:         spec.Hash,
			Capabilities: slices.Clone(spec.Capabilities),
			HostPort:     spec.HostPort,
			Address:      fmt.Sprintf("http://%s:%d", loopback, spec.HostPort),
			Running:      true,
		},
	}
}

// copy shares no memory with the child. Called with the driver's mu held.
func (c *child) copy() driver.Instance {
	inst := c.inst
	inst.Capabilities = slices.Clone(inst.Capabilities)
	return inst
}

// signal signals the child and whatever it has started.
func (c *child) signal(s syscall.Signal) { signalGroup(c.cmd.Process, s) }

// wait waits for the end of the child and of its output, and returns its exit code: 128 + the signal when one ended it.
func (c *child) wait() int {
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(c.logs, c.output)
	}()
	c.cmd.Wait()
	c.signal(syscall.SIGKILL) // what it leaves behind would hold its port
	c.over()                  // whatever is in the group ends now, and cannot start anything
	c.output.SetReadDeadline(time.Now().Add(lastWords))
	<-drained
	c.output.Close()
	c.logs.Close()
	return exitCode(c.cmd.ProcessState)
}

// reap waits for the end of a child, and tells of it unless we have stopped it.
func (d *Driver) reap(c *child) {
	code := c.wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	c.inst.Running, c.inst.ExitCode = false, code
	close(c.ended)
	if c.stopped {
		return
	}
	d.log.Debug("process: a worker ended", "worker", c.inst.Worker, "code", code)
	for hints := range d.watchers {
		select {
		case hints <- c.inst.ID:
		default: // the list is the truth
		}
	}
}
