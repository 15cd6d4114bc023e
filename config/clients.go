package config

import (
	"fmt"
	"net/netip"
)

// ProxyProtocol says who puts a PROXY header (version 1 or 2) before what a client sends.
type ProxyProtocol struct {
	From []string `mapstructure:"from"` // CIDRs; from these every connection must begin with one, from others it is no header
}

// PerClient bounds one client address; an IPv6 client is its /64. 0: no limit, each.
type PerClient struct {
	Connections int     `mapstructure:"connections"` // open at a time
	Rate        float64 `mapstructure:"rate"`        // requests per second; 0, or 0.001 to 1e6
	Burst       int     `mapstructure:"burst"`       // requests at once; 0: as many as come in a second, at least 1: ask Most
}

// Most is how many requests may come at once.
func (p PerClient) Most() int {
	if p.Burst > 0 {
		return p.Burst
	}
	return max(1, int(p.Rate))
}

// Networks is a list of CIDRs that Load has accepted, ready to be asked.
func Networks(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, cidr := range list {
		if p, err := netip.ParsePrefix(cidr); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func (c check) networks(key string, list []string) {
	for i, cidr := range list {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			c.bad(fmt.Sprintf("%s[%d]", key, i), cidr, "is not a network", "a CIDR such as 172.16.0.0/12, or 10.1.2.3/32 for one host")
		}
	}
}

func (c check) perClient(p PerClient) {
	const most = 1_000_000
	if p.Connections < 0 {
		c.bad("limits.per_client.connections", p.Connections, "is out of range", "0 (no limit) or more")
	}
	if p.Rate != 0 && !(p.Rate >= 0.001 && p.Rate <= most) {
		c.bad("limits.per_client.rate", p.Rate, "is out of range", fmt.Sprintf("0 (no limit), or 0.001 to %d requests per second", most))
	}
	c.between("limits.per_client.burst", p.Burst, 0, most)
}
