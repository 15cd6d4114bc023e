package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Diff is what a reload changes, told apart by what it takes to bring each change into force.
type Diff struct {
	Live      []string     // keys outside pools that can be in force at once: on_exit
	Restart   []string     // keys outside pools that need a restart: listen, ports.from
	Added     []string     // pools, by name
	Removed   []string     // pools, by name
	Changed   []PoolChange // pools in both, in the order of the new configuration
	Reordered bool         // the pools in both stand in another order, which decides between pools of equally many capabilities
}

// PoolChange is what changes in one pool.
type PoolChange struct {
	Name    string
	Limits  []string // keys that can be in force at once: workers.max, queue.length
	Workers []string // keys its workers are made from, so that those that run must be replaced: the fingerprint differs
	Restart []string // keys that need a restart: pick
}

// restartKeys are the keys that are read once, when a process starts: what it listens at and for whom, who it is, what it starts workers
// with, the ports it keeps book of, and what a server takes only before it serves.
func restartKeys() []string {
	return []string{
		"listen", "admin", "admin_token", "pprof", "planner.listen", "planner.allow", "driver", "instance", "publish", "ports.from", "ports.to",
		"limits.header", "limits.idle", "limits.connections", "limits.per_client.connections", "log.format",
	}
}

// poolRestartKeys are those of a pool. Its idle workers stand in an order that is built for one way to pick.
func poolRestartKeys() []string { return []string{"pick"} }

// Changes compares the configuration in force with a new one. Neither is changed.
func Changes(old, new *Config) Diff {
	var d Diff
	d.Restart, d.Live = split(changedKeys(flat(toMap(reflect.ValueOf(*old))), flat(toMap(reflect.ValueOf(*new)))), restartKeys())
	var stayedOld, stayedNew []string
	for _, p := range old.Pools {
		if _, ok := poolNamed(new, p.Name); ok {
			stayedOld = append(stayedOld, p.Name)
		} else {
			d.Removed = append(d.Removed, p.Name)
		}
	}
	for _, p := range new.Pools {
		was, ok := poolNamed(old, p.Name)
		if !ok {
			d.Added = append(d.Added, p.Name)
			continue
		}
		stayedNew = append(stayedNew, p.Name)
		if c := poolChange(was, p); !c.empty() {
			d.Changed = append(d.Changed, c)
		}
	}
	d.Reordered = !slices.Equal(stayedOld, stayedNew)
	return d
}

func poolNamed(c *Config, name string) (Pool, bool) {
	i := slices.IndexFunc(c.Pools, func(p Pool) bool { return p.Name == name })
	if i < 0 {
		return Pool{}, false
	}
	return c.Pools[i], true
}

func poolChange(old, new Pool) PoolChange {
	c := PoolChange{Name: new.Name}
	c.Workers, c.Limits = split(changedKeys(canonical(old), canonical(new)), workerKeys())
	c.Restart, c.Limits = split(c.Limits, poolRestartKeys())
	return c
}

func (c PoolChange) empty() bool { return len(c.Limits)+len(c.Workers)+len(c.Restart) == 0 }

// Empty tells whether both configurations ask for the same.
func (d Diff) Empty() bool {
	return len(d.Live)+len(d.Restart)+len(d.Added)+len(d.Removed)+len(d.Changed) == 0 && !d.Reordered
}

// String says it in one line: listen needs a restart; pool pdf added; pool general: queue.length changed, image needs new workers.
func (d Diff) String() string {
	if d.Empty() {
		return "nothing changed"
	}
	var parts []string
	say := func(keys []string, form string) {
		if len(keys) > 0 {
			parts = append(parts, fmt.Sprintf(form, list(keys)))
		}
	}
	say(d.Live, "%s changed")
	say(d.Restart, "to change %s takes a restart")
	say(d.Added, "new pools: %s")
	say(d.Removed, "pools gone: %s")
	for _, c := range d.Changed {
		say(c.Limits, "pool "+c.Name+": %s changed")
		say(c.Workers, "pool "+c.Name+": %s changed, so its workers are replaced")
		say(c.Restart, "pool "+c.Name+": to change %s takes a restart")
	}
	if d.Reordered {
		parts = append(parts, "the pools are in another order")
	}
	return strings.Join(parts, "; ")
}

// InForce is the new configuration with everything that takes a restart as it is in the old one: what a running process can truly
// say it obeys, and what the next reload is to be compared with. Neither argument is changed.
func InForce(old, new *Config) *Config {
	c := *new
	c.Listen, c.Admin, c.AdminToken, c.Pprof, c.Planner = old.Listen, old.Admin, old.AdminToken, old.Pprof, old.Planner
	c.Driver, c.Instance, c.Publish, c.Ports = old.Driver, old.Instance, old.Publish, old.Ports
	c.Limits.Header, c.Limits.Idle, c.Limits.Connections = old.Limits.Header, old.Limits.Idle, old.Limits.Connections
	c.Limits.PerClient.Connections = old.Limits.PerClient.Connections
	c.Log.Format = old.Log.Format
	c.Pools = slices.Clone(new.Pools)
	for i := range c.Pools {
		if was, ok := poolNamed(old, c.Pools[i].Name); ok {
			c.Pools[i].Pick = was.Pick
		}
	}
	return &c
}
