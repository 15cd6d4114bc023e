package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// check judges one part of a configuration; at is that part's key.
type check struct {
	*report
	at string
}

func (c check) bad(key string, value any, wrong, legal string) {
	c.fail(join(c.at, key), value, wrong, legal)
}

// sound tells whether none of the keys has a problem yet: only then is another one worth judging by them.
func (c check) sound(keys ...string) bool {
	return !slices.ContainsFunc(keys, func(key string) bool { return c.broken(join(c.at, key)) })
}

func (c check) oneOf(key, v string, set ...string) {
	if !slices.Contains(set, v) {
		c.bad(key, v, "is none of these", strings.Join(set, ", "))
	}
}

func (c check) between(key string, v, lo, hi int) {
	if v < lo || v > hi {
		c.bad(key, v, "is out of range", fmt.Sprintf("%d to %d", lo, hi))
	}
}

// longest keeps sums and multiples of durations far from overflow.
const longest = 365 * 24 * time.Hour

func (c check) lasts(key string, v, least Duration) {
	if v < least || v > longest {
		c.bad(key, v, "is out of range", fmt.Sprintf("%s to %s", durationText(least), durationText(longest)))
	}
}

// zeroOr allows 0, which switches something off, and otherwise what is from least on.
func (c check) zeroOr(key string, v, least Duration) {
	if v != 0 && (v < least || v > longest) {
		c.bad(key, v, "is out of range", fmt.Sprintf("0, or %s to %s", durationText(least), durationText(longest)))
	}
}

// validate judges the whole. It is called once, by Load, and leaves cfg as it is.
func validate(cfg *Config, r *report) {
	c := check{r, ""}
	c.oneOf("driver", cfg.Driver, "auto", "docker", "process")
	c.oneOf("on_exit", cfg.OnExit, "remove", "leave")
	if !instanceName.MatchString(cfg.Instance) {
		c.bad("instance", cfg.Instance, "is not a name", "1 to 40 of a-z, 0-9, _, . and -, the first a letter or digit")
	}
	if cfg.OnExit == "leave" && cfg.Driver == "process" {
		c.bad("on_exit", cfg.OnExit, "is impossible with driver process, whose workers end with the balancer", "remove")
	}
	c.oneOf("publish", cfg.Publish, "loopback", "network")
	if cfg.ByAddress() && cfg.Driver == "process" {
		c.bad("publish", cfg.Publish, "is impossible with driver process, whose workers have no address but this host's", "loopback")
	}
	c.zeroOr("guard", cfg.Guard, time.Second)
	c.ports(cfg.Ports)
	c.limits(cfg.Limits)
	c.oneOf("log.level", cfg.Log.Level, "debug", "info", "warn", "error")
	c.oneOf("log.format", cfg.Log.Format, "auto", "text", "json")
	c.oneOf("log.access", cfg.Log.Access, "off", "combined", "json")
	c.listeners(cfg)
	c.tls(cfg.TLS)
	c.networks("proxy_protocol.from", cfg.ProxyProtocol.From)
	c.networks("trusted_proxies", cfg.TrustedProxies)
	c.pools(cfg)
	c.room(cfg)
}

var (
	instanceName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,39}$`)
	poolName     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,29}$`)
)

func (c check) ports(p Ports) {
	c.between("ports.from", p.From, 1, 65535)
	c.between("ports.to", p.To, 1, 65535)
	if p.From > p.To && c.sound("ports.to") {
		c.bad("ports.from", p.From, fmt.Sprintf("is more than ports.to, %d", p.To), fmt.Sprintf("1 to %d", p.To))
	}
}

func (c check) limits(l Limits) {
	const least, most = 1 << 10, 16 << 20
	if l.Header < least || l.Header > most {
		c.bad("limits.header", l.Header, "is out of range", fmt.Sprintf("%v to %v", Bytes(least), Bytes(most)))
	}
	c.lasts("limits.idle", l.Idle, 0)
	if l.Connections < 0 {
		c.bad("limits.connections", l.Connections, "is out of range", "0 (no limit) or more")
	}
	c.perClient(l.PerClient)
}

func (c check) pools(cfg *Config) {
	if len(cfg.Pools) == 0 {
		c.bad("pools", nil, "has no pool", fmt.Sprintf("1 to %d pools; without this key there is one, general", mostPools))
	}
	first := map[string]int{}
	for i, p := range cfg.Pools {
		at := fmt.Sprintf("pools[%d]", i)
		in := check{c.report, at}
		in.name(p.Name)
		if j, ok := first[p.Name]; ok {
			in.bad("name", p.Name, fmt.Sprintf("is the name of pools[%d] too", j), "names that differ")
		}
		if _, ok := first[p.Name]; !ok {
			first[p.Name] = i
		}
		in.pool(p, cfg)
	}
}

func (c check) name(name string) {
	const legal = "1 to 30 of a-z, 0-9 and -, the first a letter or digit"
	switch {
	case name == "":
		c.bad("name", nil, "is missing", legal)
	case !poolName.MatchString(name):
		c.bad("name", name, "is not a name", legal)
	}
}

// room compares the ports there are with the workers there may be. A pool that could never reach its max would look like a scaler
// that has stopped.
func (c check) room(cfg *Config) {
	if cfg.ByAddress() {
		return
	}
	have, want := cfg.Ports.To-cfg.Ports.From+1, 0
	for i, p := range cfg.Pools {
		if !c.sound(fmt.Sprintf("pools[%d].workers.max", i)) {
			return
		}
		if p.Scaled() {
			want += p.Workers.Max
		}
	}
	if want > have {
		c.bad("ports", fmt.Sprintf("%d to %d", cfg.Ports.From, cfg.Ports.To),
			fmt.Sprintf("has %d ports, but workers.max of all pools add up to %d", have, want),
			fmt.Sprintf("at least %d ports, or lower workers.max", want))
	}
}
