package process

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"understudy/driver"
)

// Stop implements driver.Driver: SIGTERM, the grace, SIGKILL, to the worker and to whatever it has started.
func (d *Driver) Stop(ctx context.Context, id driver.ID, grace time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	d.mu.Lock()
	c := d.children[id]
	if c != nil {
		c.stopped = true
	}
	d.mu.Unlock()
	if c == nil {
		return nil
	}
	if err := c.end(ctx, grace); err != nil {
		return fmt.Errorf("stop worker %s: %w", id, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.children, id)
	return nil
}

// end asks the child to end, forces it after the grace, and returns when it has ended.
func (c *child) end(ctx context.Context, grace time.Duration) error {
	if grace > 0 {
		c.ask()
		patience := time.NewTimer(grace)
		defer patience.Stop()
		select {
		case <-c.ended:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-patience.C:
		}
	}
	c.force()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *child) ask() { c.signalRunning(syscall.SIGTERM) }

func (c *child) force() { c.signalRunning(syscall.SIGKILL) }

// signalRunning signals a child unless it has ended: its number may be somebody else's by now.
func (c *child) signalRunning(s syscall.Signal) {
	select {
	case <-c.ended:
	default:
		c.signal(s)
	}
}
