package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// pool judges one pool but for its name.
func (c check) pool(p Pool, cfg *Config) {
	c.capabilities(p)
	c.between("concurrency", p.Concurrency, 1, 10000)
	c.lasts("ramp", p.Ramp, 0)
	if p.BusyStatus != 0 && (p.BusyStatus < 400 || p.BusyStatus > 599) {
		c.bad("busy_status", p.BusyStatus, "is out of range", "0 (only as the planner protocol says), or 400 to 599")
	}
	c.lasts("target.latency", p.Target.Latency, time.Microsecond)
	if p.Target.Percentile < 50 || p.Target.Percentile > 99.99 {
		c.bad("target.percentile", p.Target.Percentile, "is out of range", "50 to 99.99")
	}
	c.workers(p)
	c.spareMode(p.Workers.SpareMode, cfg.Driver)
	c.oneOf("pick", p.Pick, "round-robin", "fastest", "most-recent", "least-busy")
	c.between("queue.length", p.Queue.Length, 0, 1_000_000)
	c.lasts("queue.wait", p.Queue.Wait, 0)
	c.lasts("timeout", p.Timeout, 0)
	c.lasts("idle_timeout", p.IdleTimeout, 0)
	c.between("eject.failures", p.Eject.Failures, 0, 1000)
	c.lasts("eject.time", p.Eject.Time, time.Millisecond)
	c.ready(p.Ready)
	c.lasts("drain", p.Drain, 0)
	c.members(p, cfg)
	c.recipe(p, cfg.Driver)
}

const mostCapabilities = 64

// segment is one path segment of unreserved characters (RFC 3986, 2.3): it reads the same escaped and not.
var segment = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,100}$`)

func (c check) capabilities(p Pool) {
	const legal = `1 to 64, each up to 100 of A-Z, a-z, 0-9, ".", "_", "~" and "-", or "*" for all that no other pool names`
	switch n := len(p.Capabilities); {
	case n == 0:
		c.bad("capabilities", nil, "is missing", legal)
	case n > mostCapabilities:
		c.bad("capabilities", n, "are too many", legal)
		return
	}
	seen := map[string]bool{}
	for i, name := range p.Capabilities {
		key := fmt.Sprintf("capabilities[%d]", i)
		switch {
		case name == "." || name == ".." || name != Wildcard && !segment.MatchString(name):
			c.bad(key, name, "is not a capability", legal)
		case seen[name]:
			c.bad(key, name, "is named twice", "each capability once")
		}
		seen[name] = true
	}
	if p.Strip && p.BuiltIn() {
		c.bad("strip", p.Strip, "takes from the worker inside this binary the name of the task, which it reads from the path", "false, or an image of your own")
	}
}

func (c check) workers(p Pool) {
	w := p.Workers
	w.SpareMode = "" // says how, not how many
	for _, n := range []struct {
		key string
		v   int
	}{{"min", w.Min}, {"max", w.Max}, {"spare", w.Spare}, {"spare_max", w.SpareMax}} {
		c.between("workers."+n.key, n.v, 0, 65535)
	}
	if !c.sound("workers.min", "workers.max", "workers.spare", "workers.spare_max") {
		return
	}
	switch {
	case p.MembersOnly() && w != (Workers{}):
		c.bad("workers", nil, "asks for workers, but a pool of members alone has nothing to start", "leave it out, or give an image or a command")
	case w.Max == 0 && w != (Workers{}):
		c.bad("workers.max", w.Max, fmt.Sprintf("means that nothing is ever started, but min is %d, spare %d and spare_max %d", w.Min, w.Spare, w.SpareMax),
			"1 or more, or 0 for all four")
	case w.Min > w.Max:
		c.bad("workers.min", w.Min, fmt.Sprintf("is more than workers.max, %d", w.Max), fmt.Sprintf("0 to %d", w.Max))
	case w.Min+w.Spare > w.Max:
		c.bad("workers.spare", w.Spare, fmt.Sprintf("and workers.min, %d, are together more than workers.max, %d, which counts the spare too", w.Min, w.Max),
			fmt.Sprintf("at most %d, or a workers.max of at least %d", w.Max-w.Min, w.Min+w.Spare))
	case w.SpareMax < w.Spare || w.SpareMax > w.Max:
		c.bad("workers.spare_max", w.SpareMax, "is out of range", fmt.Sprintf("%d (workers.spare) to %d (workers.max)", w.Spare, w.Max))
	}
}

func (c check) spareMode(mode, driver string) {
	c.oneOf("workers.spare_mode", mode, SpareRunning, SparePaused)
	if mode == SparePaused && driver == "process" {
		c.bad("workers.spare_mode", mode, "takes containers: driver process cannot freeze a worker", SpareRunning+", or driver docker")
	}
}

// readyPath is what may stand in a request line as it is: visible ASCII from the first slash on, and no fragment.
var readyPath = regexp.MustCompile(`^/[!-"$-~]*$`)

func (c check) ready(r Ready) {
	if !readyPath.MatchString(r.Path) {
		c.bad("ready.path", r.Path, "is not a path", "a path that begins with /, escaped where a URL needs it")
	}
	if _, _, ok := statusRange(r.Status); !ok {
		c.bad("ready.status", r.Status, "is not a range of statuses", "one of 100 to 599, such as 200, or two with - between, such as 200-499")
	}
	c.lasts("ready.timeout", r.Timeout, time.Millisecond)
	c.oneOf("ready.identity", r.Identity, "auto", "required", "off")
	c.between("ready.warmup", r.Warmup, 0, 1000)
}

// members judges the base URLs of fixed members.
func (c check) members(p Pool, cfg *Config) {
	listen, _ := parseAddress(cfg.Listen)
	seen := map[address]bool{}
	for i, m := range p.Members {
		key := fmt.Sprintf("members[%d]", i)
		a, ok := memberAddress(m)
		switch {
		case !ok:
			c.bad(key, withoutUser(m), "is not the base URL of a member", "http://host:port and nothing after it")
		case seen[a]:
			c.bad(key, m, "is named twice", "each member once")
		case a.reaches(listen):
			c.bad(key, m, "is this balancer itself (listen, "+cfg.Listen+")", "the address of another server")
		}
		seen[a] = true
	}
}

// memberAddress reads http://host:port, with or without a slash behind it.
func memberAddress(s string) (address, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") || (u.Path != "" && u.Path != "/") {
		return address{}, false
	}
	a, ok := parseAddress(u.Host)
	a.host = strings.ToLower(a.host)
	return a, ok && a.host != "" && a.port != 0
}

// withoutUser keeps a password in a URL from being shown.
func withoutUser(s string) string {
	if _, after, ok := strings.Cut(s, "@"); ok {
		return "…@" + after
	}
	return s
}
