package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"understudy/driver"
)

// loopback is the only address workers are told to listen on.
const loopback = "127.0.0.1"

// Start implements driver.Driver. Its port is looked at before, since a process only finds out when it is too late to tell.
func (d *Driver) Start(ctx context.Context, spec driver.Spec) (driver.Instance, error) {
	began := time.Now()
	if ctx.Err() != nil {
		return driver.Instance{}, context.Cause(ctx)
	}
	cmd, err := d.command(spec)
	if err != nil {
		return driver.Instance{}, err
	}
	unbook, err := d.book(spec)
	if err != nil {
		return driver.Instance{}, err
	}
	defer unbook()
	c, err := d.spawn(cmd, spec)
	if err != nil {
		return driver.Instance{}, err
	}
	inst := d.adopt(c)
	if ctx.Err() != nil {
		d.Stop(context.WithoutCancel(ctx), inst.ID, 0)
		return driver.Instance{}, context.Cause(ctx)
	}
	inst.Took.Start = time.Since(began)
	return inst, nil
}

// Prepare implements driver.Preparer: it looks whether there is something to run.
func (d *Driver) Prepare(ctx context.Context, spec driver.Spec) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	_, err := d.command(spec)
	return err
}

// command is what to run for the spec. A program that is not there is what a missing image is to an engine.
func (d *Driver) command(spec driver.Spec) (*exec.Cmd, error) {
	words := driver.ExpandPort(spec.Command, spec.HostPort)
	if len(words) == 0 && spec.Image != "" {
		return nil, fmt.Errorf("pool %s has an image, %s, and no command: give it a command, or use a container engine: %w", spec.Pool, spec.Image, driver.ErrImageMissing)
	}
	if len(words) == 0 {
		words = []string{d.executable, "worker", "--listen", fmt.Sprintf("%s:%d", loopback, spec.HostPort)}
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return nil, fmt.Errorf("pool %s: its command cannot be run: %v: %w", spec.Pool, err, driver.ErrImageMissing)
	}
	cmd := exec.Command(path, words[1:]...)
	cmd.Args[0] = words[0]
	cmd.Env = environment(spec)
	if d.mark.Token != "" {
		cmd.Env = driver.WithEnv(cmd.Env, markKey+"="+d.mark.Token)
	}
	cmd.SysProcAttr = attributes()
	return cmd, nil
}

// environment is our own, without what configures us (a token may be in it), then the spec's, then where to listen.
func environment(spec driver.Spec) []string {
	own := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "UNDERSTUDY_") })
	return driver.WithEnv(driver.WithEnv(own, spec.Env...), fmt.Sprintf("PORT=%d", spec.HostPort), "HOST="+loopback)
}

// book makes sure that nobody holds the spec's port, and that no other start gets it until the function returned is called.
func (d *Driver) book(spec driver.Spec) (unbook func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	taken := d.booked[spec.HostPort]
	for _, c := range d.children {
		taken = taken || c.inst.Running && c.inst.HostPort == spec.HostPort
	}
	if taken {
		return nil, fmt.Errorf("port %d of %s belongs to another worker: %w", spec.HostPort, loopback, driver.ErrPortTaken)
	}
	if err := probe(spec.HostPort); err != nil {
		return nil, err
	}
	d.booked[spec.HostPort] = true
	d.starts.Add(1)
	return func() {
		defer d.starts.Done()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.booked, spec.HostPort)
	}, nil
}

// probe listens on the port for a moment.
func probe(port int) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", loopback, port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d of %s is taken by another process: %w", port, loopback, driver.ErrPortTaken)
	}
	if err != nil {
		return fmt.Errorf("port %d of %s cannot be used: %w", port, loopback, err)
	}
	return listener.Close()
}

// spawn runs the command as a child.
func (d *Driver) spawn(cmd *exec.Cmd, spec driver.Spec) (*child, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("worker %s: %w", spec.Worker, err)
	}
	cmd.Stdout, cmd.Stderr = writer, writer // one pipe keeps both in order
	var g Group
	err = d.launch.do(func() error {
		if err := cmd.Start(); err != nil {
			return err
		}
		// Told before anything else. The child runs already: should we be killed in between, the kernel ends it (on Linux), and what it has
		// started by then has its mark.
		g = groupOf(cmd.Process.Pid)
		d.groups.Begun(g)
		return nil
	})
	writer.Close() // the child has its own
	if err != nil {
		reader.Close()
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("worker %s: its command cannot be run: %v: %w", spec.Worker, err, driver.ErrImageMissing)
		}
		return nil, fmt.Errorf("worker %s: %w", spec.Worker, err)
	}
	c := newChild(cmd, reader, spec)
	c.over = func() { d.groups.Over(g) }
	return c, nil
}

// adopt puts the child on the list and begins to wait for its end.
func (d *Driver) adopt(c *child) driver.Instance {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.started++
	c.serial = d.started
	c.inst.Created = time.Now()
	d.children[c.inst.ID] = c
	go d.reap(c)
	return c.copy()
}
