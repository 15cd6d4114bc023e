package admin

import (
	"net"
	"net/netip"
	"strings"
)

// hosts are the names the plane goes by. A page of another site whose name was made to resolve to this machine (DNS rebinding) comes
// with that name in Host, so a name that is not ours is refused. An address cannot be rebound, so any will do.
type hosts map[string]bool

func newHosts(names []string) hosts {
	h := hosts{"localhost": true}
	for _, name := range names {
		if name = hostName(name); name != "" {
			h[name] = true
		}
	}
	return h
}

func (h hosts) has(host string) bool {
	name := hostName(host)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	// browsers resolve every name under localhost to this machine without asking anybody
	return h[name] || strings.HasSuffix(name, ".localhost")
}

// hostName is the host of "host:port", "[v6]:port" or a host alone, lower case and without the root's dot.
func hostName(hostport string) string {
	name := hostport
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		name = host
	} else if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		name = name[1 : len(name)-1]
	}
	return strings.TrimSuffix(strings.ToLower(name), ".")
}
