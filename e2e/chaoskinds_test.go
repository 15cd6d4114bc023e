//go:build long

package e2e

import (
	"os/exec"
	"syscall"
	"time"
)

// mishap is one way in which a balancer meets its death, or nearly.
type mishap struct {
	name   string
	happen func(*chaos)
}

func mishaps() []mishap {
	return []mishap{
		{"killed under load", func(c *chaos) { c.moment(time.Second); c.killAll() }},
		{"killed while it starts", func(c *chaos) {
			c.killAll()
			c.launch()
			c.moment(600 * time.Millisecond)
			c.killAll()
		}},
		{"killed twice", func(c *chaos) {
			c.killAll()
			c.launch()
			c.moment(400 * time.Millisecond)
			c.killAll()
			c.launch()
			c.moment(400 * time.Millisecond)
			c.killAll()
		}},
		{"killed while workers are made", func(c *chaos) { // those that were there are gone
			c.operate("rm", "-f")
			c.operate("rm", "-f")
			c.load.Store(12)
			c.moment(700 * time.Millisecond)
			c.killAll()
		}},
		{"killed while a worker drains", func(c *chaos) {
			if victim := c.anyWorker(); victim != "" {
				_ = c.p.drain(victim) // it may have gone by itself
			}
			c.moment(400 * time.Millisecond)
			c.killAll()
		}},
		{"killed while it ends", func(c *chaos) {
			c.signal(c.balancers(), syscall.SIGTERM)
			c.moment(900 * time.Millisecond)
			c.killAll()
		}},
		{"killed while it reloads", func(c *chaos) {
			c.rewrite(200 + c.random.IntN(200))
			c.signal(c.balancers(), syscall.SIGHUP)
			c.moment(200 * time.Millisecond)
			c.killAll()
		}},
		{"both killed in a hand-over", func(c *chaos) { c.handOver(); c.killAll() }},
		{"the old one killed in a hand-over", func(c *chaos) {
			old := c.balancers()
			c.handOver()
			c.signal(old, syscall.SIGKILL)
		}},
		{"the new one killed in a hand-over", func(c *chaos) {
			old := c.balancers()
			c.handOver()
			for _, pid := range c.balancers() {
				if pid != old[0] {
					c.signal([]int{pid}, syscall.SIGKILL)
				}
			}
		}},
		{"its guard killed, then itself", func(c *chaos) {
			c.signal(guards(c.p.instance), syscall.SIGKILL)
			c.moment(300 * time.Millisecond)
			c.killAll()
		}},
		{"a worker removed by an operator", func(c *chaos) { c.operate("rm", "-f"); c.sometimesKill() }},
		{"a worker killed by an operator", func(c *chaos) { c.operate("kill"); c.sometimesKill() }},
		{"a worker paused by an operator", func(c *chaos) { c.operate("pause"); c.sometimesKill() }},
		{"a stop of the whole group", func(c *chaos) {
			groups := map[int]bool{} // who took over is in the group of the first, which it does not lead; a second signal would cut the end short
			for _, pid := range c.balancers() {
				if group, err := syscall.Getpgid(pid); err == nil { // else it has ended
					groups[group] = true
				}
			}
			for group := range groups {
				_ = syscall.Kill(-group, syscall.SIGTERM)
			}
			await(c.t, "it has ended", func() bool { return len(c.balancers()) == 0 })
		}},
	}
}

func (c *chaos) signal(pids []int, s syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, s) // it may have ended
	}
}

// handOver lets one begin and go on for a while; some are over by then.
func (c *chaos) handOver() {
	c.signal(c.balancers(), syscall.SIGUSR2)
	c.moment(900 * time.Millisecond)
}

// operate does something to one container of ours, as an operator might.
func (c *chaos) operate(args ...string) {
	boxes := c.boxes()
	if len(boxes) == 0 {
		return
	}
	victim := boxes[c.random.IntN(len(boxes))].ID
	_ = exec.Command("docker", append(args, victim)...).Run() // it may have gone
}

func (c *chaos) sometimesKill() {
	if c.random.IntN(2) == 0 {
		c.moment(500 * time.Millisecond)
		c.killAll()
	}
}

// anyWorker is one that serves.
func (c *chaos) anyWorker() string {
	s, err := c.status()
	if err != nil || len(s.Pools) == 0 {
		return ""
	}
	for _, w := range s.Pools[0].Workers {
		if w.State == "active" {
			return w.ID
		}
	}
	return ""
}
