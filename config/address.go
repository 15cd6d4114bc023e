package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
)

const legalAddress = "host:port with a port of 0 to 65535, such as 127.0.0.1:8080"

// address is a host and port to listen at or to reach.
type address struct {
	host string // empty: all of this host's addresses
	port int    // 0: any free one
}

// parseAddress reads host:port. The host is an IP address, a name, or nothing.
func parseAddress(s string) (address, bool) {
	host, digits, err := net.SplitHostPort(s)
	if err != nil {
		return address{}, false
	}
	port, err := parseInt(digits)
	if err != nil || port < 0 || port > 65535 {
		return address{}, false
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !hostName.MatchString(host) {
		return address{}, false
	}
	return address{host, port}, true
}

// hostName is deliberately loose: the resolver knows better. It keeps out what is no name at all, and numbers with dots that are no
// address.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$`)

// ip is the address the host stands for; invalid for a name other than localhost, and for none.
func (a address) ip() netip.Addr {
	if strings.EqualFold(a.host, "localhost") {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	ip, _ := netip.ParseAddr(a.host)
	return ip.Unmap()
}

// loopback tells whether only this host can reach it.
func (a address) loopback() bool { return a.ip().IsLoopback() }

// everywhere tells whether it is every address this host has; an IPv6 one includes IPv4, as Go listens.
func (a address) everywhere() bool { return a.host == "" || a.ip() == netip.IPv6Unspecified() }

// clashes tells whether two listeners cannot have these addresses at once.
func (a address) clashes(b address) bool {
	if a.port != b.port || a.port == 0 {
		return false
	}
	if a.everywhere() || b.everywhere() {
		return true
	}
	x, y := a.ip(), b.ip()
	switch {
	case !x.IsValid() || !y.IsValid():
		return strings.EqualFold(a.host, b.host) || x == netip.IPv4Unspecified() || y == netip.IPv4Unspecified()
	case x.Is4() && y.Is4():
		return x == y || x.IsUnspecified() || y.IsUnspecified()
	default:
		return x == y
	}
}

// reaches tells whether a connection to a ends at a listener l of this process, as far as can be told without asking a resolver.
func (a address) reaches(l address) bool {
	if a.port != l.port || l.port == 0 {
		return false
	}
	here := a.loopback() || a.ip().IsValid() && a.ip().IsUnspecified()
	open := l.everywhere() || l.ip() == netip.IPv4Unspecified()
	return here && open || strings.EqualFold(a.host, l.host) || a.ip().IsValid() && a.ip() == l.ip()
}

// listeners judges the addresses this process listens at, each by itself and all together.
func (c check) listeners(cfg *Config) {
	type listener struct {
		key string
		address
	}
	var open []listener
	for _, l := range []struct{ key, at string }{{"listen", cfg.Listen}, {"admin", cfg.Admin}, {"planner.listen", cfg.Planner.Listen}} {
		if l.key == "planner.listen" && l.at == "" {
			continue // off
		}
		a, ok := parseAddress(l.at)
		if !ok {
			c.bad(l.key, l.at, "is not an address", legalAddress)
			continue
		}
		for _, other := range open {
			if a.clashes(other.address) {
				c.bad(l.key, l.at, "is the address of "+other.key+" too", "an address of its own")
			}
		}
		if p := cfg.Ports; !cfg.ByAddress() && a.port >= p.From && a.port <= p.To && c.sound("ports.from", "ports.to", l.key) {
			c.bad(l.key, l.at, fmt.Sprintf("is in the range of ports for workers, %d to %d", p.From, p.To), "a port outside it, or another range")
		}
		open = append(open, listener{l.key, a})
	}
	c.admin(cfg)
	c.planner(cfg.Planner)
}

// mask is what Print writes in place of a secret. As a secret it would be one that everybody knows.
const mask = "***"

func (c check) admin(cfg *Config) {
	a, ok := parseAddress(cfg.Admin)
	switch {
	case cfg.AdminToken == mask:
		c.bad("admin_token", nil, "is *** (what config print writes in place of it)", "the token itself")
	case strings.ContainsFunc(cfg.AdminToken, func(r rune) bool { return r <= ' ' || r > '~' }):
		c.bad("admin_token", nil, "has a character that a Bearer token cannot have", "visible ASCII, no spaces")
	case ok && !a.loopback() && cfg.AdminToken == "" && c.sound("admin_token"):
		c.bad("admin", cfg.Admin, "can be reached from other hosts and there is no admin_token", "a loopback address such as 127.0.0.1:8081, or set admin_token")
	}
}

// planner judges who may register workers. A worker that registers is sent requests, so nobody from outside may do so unasked.
func (c check) planner(p Planner) {
	c.networks("planner.allow", p.Allow)
	if a, ok := parseAddress(p.Listen); ok && !a.loopback() && len(p.Allow) == 0 {
		c.bad("planner.allow", nil, fmt.Sprintf("is empty, but planner.listen, %q, can be reached from other hosts", p.Listen),
			"at least one CIDR, such as 172.16.0.0/12, or a loopback planner.listen")
	}
}
