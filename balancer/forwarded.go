package balancer

import (
	"net"
	"net/netip"
	"strings"

	"understudy/h1"
)

// hostOf is an address without its port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// parseHop reads an address as proxies write it: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1] or [2001:db8::1]:80.
func parseHop(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// forwardedFor is the for of each element of Forwarded fields (RFC 7239), empty where an element has none.
func forwardedFor(in h1.Fields) []string {
	var out []string
	for field := range in.Values("Forwarded") {
		for element := range cutQuoted(field, ',') {
			hop := ""
			for pair := range cutQuoted(element, ';') {
				if name, value, ok := strings.Cut(pair, "="); ok && h1.EqualFold(trim(name), "for") {
					hop = strings.Trim(trim(value), `"`) // what is escaped with \ is no address
				}
			}
			out = append(out, hop)
		}
	}
	return out
}

// cutQuoted yields what stands between separators that are not within quotes.
func cutQuoted(s string, separator byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		from, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch {
			case quoted && s[i] == '\\':
				i++
			case s[i] == '"':
				quoted = !quoted
			case s[i] == separator && !quoted:
				if !yield(s[from:i]) {
					return
				}
				from = i + 1
			}
		}
		yield(s[from:])
	}
}

// forwardedElement is this balancer's word in Forwarded. badHost has seen to it that nothing in host needs to be escaped.
func forwardedElement(peer, host, scheme string) string {
	if strings.Contains(peer, ":") {
		peer = `"[` + peer + `]"`
	}
	return "for=" + peer + `;host="` + host + `";proto=` + scheme
}
