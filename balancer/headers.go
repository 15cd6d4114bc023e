package balancer

import (
	"net"
	"net/http"
	"net/textproto"
	"strings"
)

// hopByHop tells whether a field (in canonical form) concerns one connection only. Expect is answered by the balancer itself; Proxy never
// came from a well-meaning client.
func hopByHop(name string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings", "Expect", "Proxy":
		return true
	}
	return false
}

const ours = "X-Understudy-"

// reserved tells whether only the balancer may set a field on requests. To many programs _ and . are the same as -, so names are compared
// that way.
func reserved(name string) bool {
	if strings.ContainsAny(name, "_.") {
		name = textproto.CanonicalMIMEHeaderKey(strings.NewReplacer("_", "-", ".", "-").Replace(name))
	}
	switch name {
	case "X-Real-Ip", "Forwarded", requestIDHeader:
		return true
	}
	return strings.HasPrefix(name, ours) || strings.HasPrefix(name, "X-Forwarded-")
}

// nominated is what the Connection field says concerns this connection only, in canonical form.
func nominated(h http.Header) []string {
	var names []string
	for _, field := range h["Connection"] {
		for name := range strings.SplitSeq(field, ",") {
			if name = textproto.TrimString(name); name != "" {
				names = append(names, textproto.CanonicalMIMEHeaderKey(name))
			}
		}
	}
	return names
}

// hasToken tells whether one of the comma-separated values is token, letter case aside.
func hasToken(values []string, token string) bool {
	for _, field := range values {
		for value := range strings.SplitSeq(field, ",") {
			if strings.EqualFold(textproto.TrimString(value), token) {
				return true
			}
		}
	}
	return false
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// outgoing is the header of the request to a worker. Ours are added after what the client nominated is gone, so that it cannot
// nominate them.
func (x *exchange) outgoing() http.Header {
	in := x.r.Header
	out := make(http.Header, len(in)+6)
	named := nominated(in)
	for name, values := range in {
		if !hopByHop(name) && !reserved(name) && !contains(named, name) {
			out[name] = values
		}
	}
	if hasToken(in["Te"], "trailers") {
		out["Te"] = []string{"trailers"}
	}
	if x.upgrade {
		out["Connection"] = []string{"Upgrade"}
		out["Upgrade"] = []string{"websocket"}
	}
	if _, ok := out["User-Agent"]; !ok {
		out["User-Agent"] = nil // or net/http adds its own
	}
	out[requestIDHeader] = []string{x.id}
	out["X-Forwarded-For"] = []string{clientAddress(x.r)}
	out["X-Forwarded-Host"] = []string{x.r.Host}
	out["X-Forwarded-Proto"] = []string{scheme(x.r)}
	return out
}

func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// copyAnswer takes over a worker's header, but for what concerns the connection to it and what only the balancer may say.
func copyAnswer(dst, src http.Header) {
	named := nominated(src)
	for name, values := range src {
		if !hopByHop(name) && !strings.HasPrefix(name, ours) && name != requestIDHeader && !contains(named, name) {
			dst[name] = values
		}
	}
}
