package h1

import (
	"errors"
	"os"
	"time"
)

// await waits for the first byte of a request.
func (c *serverConn) await() bool {
	for c.in.buffered() == 0 {
		c.in.r, c.in.w = 0, 0
		c.in.makeRoom()
		c.wait(deadline(c.server.IdleTimeout))
		err := c.in.fill()
		c.waited()
		if err != nil && !c.lastCall(err) {
			return false
		}
	}
	return true
}

// wait says that nothing is in the way of ending the connection from here on, waited that something is.
func (c *serverConn) wait(by time.Time) {
	c.setRead(by)
	c.deadlines.Lock()
	c.waiting = true
	c.deadlines.Unlock()
	if c.server.ending.Load() { // whoever set that may have been here before us
		c.hurry()
	}
}

func (c *serverConn) waited() {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	c.waiting = false
}

// lastCall looks once more for a request when the wait for one was cut short because the server ends: it may have come in that moment.
func (c *serverConn) lastCall(err error) bool {
	if !c.server.ending.Load() || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.setRead(time.Now().Add(lastMoment))
	return c.in.fill() == nil
}

// hurry ends the wait for a request that may never come. Any goroutine.
func (c *serverConn) hurry() {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if !c.waiting {
		return
	}
	by := time.Unix(1, 0)
	if c.served.Load() == 0 {
		by = time.Now().Add(newGrace)
	}
	c.readBy = by
	_ = c.net.SetReadDeadline(by) // fails only when the connection is closed
}

func deadline(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

func (c *serverConn) setRead(by time.Time) {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if move(&c.readBy, by) {
		_ = c.net.SetReadDeadline(by) // fails only when the connection is closed
	}
}

func (c *serverConn) setWrite(by time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	if !move(&c.writeBy, by) {
		return nil
	}
	return c.net.SetWriteDeadline(by)
}

// move tells whether a deadline must be set.
func move(at *time.Time, by time.Time) bool {
	if later := by.Sub(*at); !by.IsZero() && !at.IsZero() && 0 <= later && later < deadlineStep || by.Equal(*at) {
		return false
	}
	*at = by
	return true
}
