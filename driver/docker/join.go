package docker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"understudy/driver"
)

// A balancer in a container reaches its workers only over a network that it is on too, and only where the engine lets containers talk to
// each other. So there are two more networks of an instance for that: on these, workers can reach each other as well.
const (
	sharedOpenNetwork   = "shared-open"
	sharedSealedNetwork = "shared-sealed"
)

// alias is what a balancer in a container is called on its workers' networks. It marks who is one: two of an instance must not be there.
const alias = "understudy-balancer"

// reachable is the network a worker joins that is reached by its address: the named one, or ours of that kind or of the one that takes its
// place for a balancer in a container.
func (d *Driver) reachable(ctx context.Context, kind, name string) (string, error) {
	h, err := d.whereWeAre(ctx)
	switch {
	case err != nil:
		return "", err
	case name != "":
		return d.namedNetwork(ctx, name, h)
	case h.container != "":
		kind = "shared-" + kind
	}
	return d.ownNetwork(ctx, kind, h)
}

// Join implements driver.Joiner. In a container it joins the network that every balancer of the instance in one is on, and the other one if
// there may be workers on it.
func (d *Driver) Join(ctx context.Context) error {
	h, err := d.whereWeAre(ctx)
	if err != nil || h.container == "" {
		return err
	}
	if _, err := d.ownNetwork(ctx, sharedSealedNetwork, h); err != nil {
		return err
	}
	d.log.Warn("docker: this balancer is in a container, so its workers, also those with security: strict, can open connections to each other and to it; on the host's network they could not")
	id, err := d.findNetwork(ctx, sharedOpenNetwork)
	if err != nil || id == "" {
		return err
	}
	_, err = d.ownNetwork(ctx, sharedOpenNetwork, h)
	return err
}

// ownNetwork is our network of that kind, which can be reached from here.
func (d *Driver) ownNetwork(ctx context.Context, kind string, h here) (string, error) {
	return d.networks.get(ctx, kind, false, d.spawn, func(ctx context.Context) (string, error) {
		id, err := d.ensureNetwork(ctx, kind)
		if err != nil {
			return "", err
		}
		if h.container == "" {
			return id, d.bridged(ctx, id)
		}
		if err := d.connect(ctx, id, h.container); err != nil {
			return "", err
		}
		return id, d.alone(ctx, id, h.container)
	})
}

// namedNetwork is the configured network, which can be reached from here.
func (d *Driver) namedNetwork(ctx context.Context, name string, h here) (string, error) {
	if h.container == "" {
		return name, nil
	}
	return d.named.get(ctx, name, false, d.spawn, func(ctx context.Context) (string, error) {
		n, err := d.inspectNetwork(ctx, name)
		if err != nil {
			return "", err
		}
		if n.Options[optionICC] == "false" {
			return "", fmt.Errorf("docker: network %s keeps its containers apart (%s=false), so the balancer's own container reaches no worker on it: "+
				"name another one, or run the balancer on the host's network", name, optionICC)
		}
		return name, d.connect(ctx, n.ID, h.container)
	})
}

// bridged makes sure that we have an address on the network, as its host has: otherwise no packet of ours goes there.
func (d *Driver) bridged(ctx context.Context, id string) error {
	n, err := d.inspectNetwork(ctx, id)
	if err != nil {
		return err
	}
	look := d.look
	if look == nil {
		look = lookAround
	}
	ours := look().addresses
	for _, c := range n.IPAM.Config {
		subnet, err := netip.ParsePrefix(c.Subnet)
		if err != nil || slices.ContainsFunc(ours, subnet.Contains) {
			continue
		}
		return fmt.Errorf("the workers' network %s, %s, cannot be reached from here: the engine runs without root, in a virtual machine, or knows nothing of the "+
			"container this program is in; set publish: loopback", n.Name, subnet)
	}
	return nil
}

// connect puts our container on the network, unless it is there.
func (d *Driver) connect(ctx context.Context, id, self string) error {
	found, err := d.inspect(ctx, self)
	if err != nil {
		return err
	}
	if found.NetworkSettings != nil {
		for _, e := range found.NetworkSettings.Networks {
			if e.NetworkID == id {
				return nil
			}
		}
	}
	what := "connect container " + nameOf(found) + " to network " + id
	err = d.engine.do(ctx, d.engine.limits.create, what, func(ctx context.Context) error {
		return d.engine.api().NetworkConnect(ctx, id, self, &network.EndpointSettings{Aliases: []string{alias}})
	})
	if err != nil && strings.Contains(err.Error(), "already exists in network") {
		return nil
	}
	return err
}

// alone makes sure that no other balancer of the instance is on the network. It is asked after ours has come there, so of two that come at
// a time at least one sees the other.
func (d *Driver) alone(ctx context.Context, id, self string) error {
	var all []container.Summary
	err := d.engine.read(ctx, d.engine.limits.list, "list the containers on network "+id, func(ctx context.Context) (err error) {
		all, err = d.engine.api().ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(filters.Arg("network", id))})
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.ID == self || d.ours(c) {
			continue
		}
		found, err := d.inspect(ctx, c.ID)
		if err != nil || found.NetworkSettings == nil {
			continue // it is gone
		}
		for _, e := range found.NetworkSettings.Networks {
			if e.NetworkID == id && slices.Contains(e.Aliases, alias) {
				return fmt.Errorf("instance %q is already run by the balancer in container %s: end that one, or give this one another name with --instance",
					d.instance, nameOf(found))
			}
		}
	}
	return nil
}

func (d *Driver) inspectNetwork(ctx context.Context, id string) (n network.Inspect, err error) {
	err = d.engine.read(ctx, d.engine.limits.inspect, "inspect network "+id, func(ctx context.Context) (err error) {
		n, err = d.engine.api().NetworkInspect(ctx, id, network.InspectOptions{})
		return err
	})
	return n, err
}

// leaveNetwork removes a network of ours that nobody but us is left on.
func (d *Driver) leaveNetwork(ctx context.Context, id string) error {
	self := ""
	for _, h := range d.place.found() {
		self = h.container
	}
	n, err := network.Inspect{}, error(nil)
	if self != "" {
		n, err = d.inspectNetwork(ctx, id)
	}
	if _, on := n.Containers[self]; err != nil || !on {
		return d.removeNetwork(ctx, id)
	}
	if len(n.Containers) > 1 {
		return fmt.Errorf("docker: network %s is in use", n.Name)
	}
	if err := d.disconnect(ctx, id, self); err != nil {
		return err
	}
	err = d.removeNetwork(ctx, id)
	if err != nil && ctx.Err() == nil { // a worker has come meanwhile, of the process that takes our place in this container
		return fmt.Errorf("%w; joined it again: %w", err, d.connect(ctx, id, self))
	}
	return err
}

// disconnect takes a container off a network, be it that it does not run.
func (d *Driver) disconnect(ctx context.Context, id, who string) error {
	err := d.engine.do(ctx, d.engine.limits.remove, "disconnect container "+who+" from network "+id, func(ctx context.Context) error {
		return d.engine.api().NetworkDisconnect(ctx, id, who, true)
	})
	return ignoreNotFound(err)
}

// onNetwork is who is on a network and is no worker of ours: a balancer's container, running or not. One that does not run could never be
// started again once the network is gone.
func (d *Driver) onNetwork(everyone []container.Summary, id string) (ids []string) {
	for _, c := range everyone {
		if d.ours(c) || c.NetworkSettings == nil {
			continue
		}
		for _, e := range c.NetworkSettings.Networks {
			if e.NetworkID == id {
				ids = append(ids, c.ID)
			}
		}
	}
	return ids
}

// addressOf is the address of a container on the network it was started for; empty while it has none.
func addressOf(mode container.NetworkMode, networks map[string]*network.EndpointSettings) string {
	for name, e := range networks {
		if e != nil && (name == string(mode) || e.NetworkID == string(mode)) {
			return e.IPAddress
		}
	}
	return ""
}

// reachedAt is the base URL of a worker at that address; empty without one.
func reachedAt(address, port string) string {
	if address == "" {
		return ""
	}
	return "http://" + net.JoinHostPort(address, port)
}

var _ driver.Joiner = (*Driver)(nil)
