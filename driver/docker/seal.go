package docker

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/docker/docker/api/types/network"
)

// A bridge without masquerading is not sealed: what a worker sends still leaves the host, and a neighbour that has a way back can
// answer. So the sealed network's default gateway is an address that nobody has: workers reach what is on their bridge, which is
// the host by that one address, and nothing that would have to be routed.

// deadGateway is the engine's name for a default gateway other than its own.
const deadGateway = "DefaultGatewayIPv4"

// measuring is the kind of the networks that are made only to be given a range of addresses.
const measuring = "measuring"

// rangeTries bounds the tries to make a network whose range somebody else took since the engine was asked for a free one.
const rangeTries = 10

// addresses are what a network of that kind is made with; nil: what the engine chooses.
func (d *Driver) addresses(ctx context.Context, kind string) (*network.IPAM, error) {
	if kind != sealedNetwork {
		return nil, nil
	}
	subnet, err := d.freeSubnet(ctx)
	if err != nil {
		return nil, err
	}
	gateway := map[string]string{deadGateway: lastAddress(subnet).String()}
	return &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet.String(), AuxAddress: gateway}}}, nil
}

// freeSubnet asks the engine for a range of addresses that nobody uses, which it chooses only for a network that does not name one.
func (d *Driver) freeSubnet(ctx context.Context) (netip.Prefix, error) {
	id, err := d.makeNetwork(ctx, measuring, nil)
	if err != nil {
		return netip.Prefix{}, err
	}
	all, err := d.listNetworks(ctx)
	if gone := d.removeNetwork(ctx, id); err == nil {
		err = gone
	}
	if err != nil {
		return netip.Prefix{}, err
	}
	i := slices.IndexFunc(all, func(n network.Summary) bool { return n.ID == id })
	if i >= 0 {
		for _, c := range all[i].IPAM.Config {
			if subnet, err := netip.ParsePrefix(c.Subnet); err == nil && subnet.Addr().Is4() && subnet.Bits() <= 29 {
				return subnet.Masked(), nil
			}
		}
	}
	return netip.Prefix{}, fmt.Errorf("docker: the engine gave network %s no range of IPv4 addresses; check default-address-pools in its configuration",
		d.networkName(measuring))
}

// lastAddress is the last one of the range that a host could have; the engine gives them out from the other end.
func lastAddress(subnet netip.Prefix) netip.Addr {
	b := subnet.Addr().As4()
	for bit := subnet.Bits(); bit < 31; bit++ { // all ones but the last
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

// leaks says whether a network was made before sealed ones were sealed by their gateway.
func leaks(n network.Summary, kind string) bool {
	return kind == sealedNetwork && !slices.ContainsFunc(n.IPAM.Config, func(c network.IPAMConfig) bool { return c.AuxAddress[deadGateway] != "" })
}
