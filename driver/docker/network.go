package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/network"

	"understudy/driver"
)

// The two networks of an instance: workers on the open one reach out, those on the sealed one do not. Neither lets workers talk
// to each other, and nothing on either is published but on the loopback address.
const (
	openNetwork   = "open"
	sealedNetwork = "sealed"
)

func (d *Driver) networkName(kind string) string {
	if kind == openNetwork {
		return "understudy-" + d.instance
	}
	return "understudy-" + d.instance + "-" + kind
}

// optionICC lets the containers on a network reach each other.
const optionICC = "com.docker.network.bridge.enable_icc"

// bridgeOptions of our networks. Internal networks are of no use: the engine publishes no ports of theirs. Without
// masquerading most answers find no way back from the outside; what seals a network is its gateway, see seal.go.
func bridgeOptions(kind string) map[string]string {
	return map[string]string{
		optionICC: strconv.FormatBool(kind == sharedOpenNetwork || kind == sharedSealedNetwork),
		"com.docker.network.bridge.enable_ip_masquerade": strconv.FormatBool(kind == openNetwork || kind == sharedOpenNetwork),
		"com.docker.network.bridge.host_binding_ipv4":    loopback,
	}
}

// networkFor returns the id of the network a worker joins, made if it has to be, or the name of the one it is to join.
func (d *Driver) networkFor(ctx context.Context, spec driver.Spec) (string, error) {
	name := spec.Security.Network
	if name == "host" || name == "none" || strings.HasPrefix(name, "container:") {
		return "", fmt.Errorf("docker: pool %s: network %q cannot publish ports; name a bridge network", spec.Pool, name)
	}
	kind := sealedNetwork
	if fenceFor(spec, "").egress {
		kind = openNetwork
	}
	switch {
	case spec.Publish == driver.PublishNetwork:
		return d.reachable(ctx, kind, name)
	case name != "":
		return name, nil
	}
	return d.networks.get(ctx, kind, false, d.spawn, func(ctx context.Context) (string, error) { return d.ensureNetwork(ctx, kind) })
}

// ensureNetwork finds or makes our network of that kind. Names are not unique to the engine, so the oldest one of that name
// is ours, whoever else made one at the same time.
func (d *Driver) ensureNetwork(ctx context.Context, kind string) (string, error) {
	name := d.networkName(kind)
	id, err := d.findNetwork(ctx, kind)
	if err != nil || id != "" {
		return id, err
	}
	for range rangeTries {
		var ipam *network.IPAM
		if ipam, err = d.addresses(ctx, kind); err != nil {
			return "", err
		}
		if _, err = d.makeNetwork(ctx, kind, ipam); err == nil || !strings.Contains(err.Error(), "overlap") {
			break
		}
	}
	id, found := d.findNetwork(ctx, kind)
	switch {
	case found != nil:
		return "", found
	case id != "":
		return id, nil // whatever Create said: it is there
	case err != nil:
		return "", err
	}
	return "", fmt.Errorf("docker: network %s was created, but the engine does not list it", name)
}

func (d *Driver) makeNetwork(ctx context.Context, kind string, ipam *network.IPAM) (id string, err error) {
	name, never := d.networkName(kind), false
	err = d.engine.do(ctx, d.engine.limits.create, "create network "+name, func(ctx context.Context) error {
		made, err := d.engine.api().NetworkCreate(ctx, name, network.CreateOptions{
			Driver:     "bridge",
			EnableIPv6: &never,                      // whatever the engine's configuration says: workers are reached by IPv4, and fenced in there
			Internal:   kind == sharedSealedNetwork, // nothing is published there, so it can do without any way out
			IPAM:       ipam,
			Options:    bridgeOptions(kind),
			Labels:     map[string]string{labelInstance: d.instance, labelNetwork: kind},
		})
		id = made.ID
		return err
	})
	return id, err
}

// findNetwork returns the id of our network of that kind, or nothing.
func (d *Driver) findNetwork(ctx context.Context, kind string) (string, error) {
	all, err := d.listNetworks(ctx)
	if err != nil {
		return "", err
	}
	name := d.networkName(kind)
	all = slices.DeleteFunc(all, func(n network.Summary) bool { return n.Name != name })
	if len(all) == 0 {
		return "", nil
	}
	oldest := slices.MinFunc(all, func(a, b network.Summary) int { return a.Created.Compare(b.Created) })
	want := bridgeOptions(kind)
	for key := range maps.Keys(want) {
		if oldest.Options[key] != want[key] {
			return "", fmt.Errorf("docker: network %s has %s=%q where %q is needed; remove it: docker network rm %s",
				name, key, oldest.Options[key], want[key], oldest.ID)
		}
	}
	if leaks(oldest, kind) {
		d.log.Warn("docker: a network was made by an earlier version and does not hold back all that workers send; it is made anew once no worker is left on it",
			"network", name)
	}
	return oldest.ID, nil
}

// listNetworks lists this instance's networks.
func (d *Driver) listNetworks(ctx context.Context) (all []network.Summary, err error) {
	err = d.engine.read(ctx, d.engine.limits.list, "list networks", func(ctx context.Context) (err error) {
		all, err = d.engine.api().NetworkList(ctx, network.ListOptions{Filters: d.mine()})
		return err
	})
	return all, err
}

// removeNetworks removes the networks this driver has used: those it started workers on, and, if it has stopped workers, also those that an
// earlier process made for them. The engine refuses where a worker is left, which is as well: whoever comes next finds it, or makes it anew.
func (d *Driver) removeNetworks(ctx context.Context) {
	ids := d.networks.found()
	d.networks.forget()
	if d.stopped.Load() {
		all, err := d.listNetworks(ctx)
		if err != nil {
			d.log.Debug("docker: networks may stay", "error", err)
		}
		for _, n := range all {
			if !slices.Contains(ids, n.ID) {
				ids = append(ids, n.ID)
			}
		}
	}
	for _, id := range ids {
		if err := d.leaveNetwork(ctx, id); err != nil {
			d.log.Debug("docker: a network stays", "error", err)
		}
	}
}

func (d *Driver) removeNetwork(ctx context.Context, id string) error {
	return d.engine.do(ctx, d.engine.limits.close, "remove network "+id, func(ctx context.Context) error {
		return d.engine.api().NetworkRemove(ctx, id)
	})
}
