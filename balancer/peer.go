package balancer

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"understudy/h1"
)

// peer is who sent a request, as far as that can be believed.
type peer struct {
	host    string     // the address at the other end of the connection, or the one in its PROXY header
	proxy   bool       // it is one of trusted_proxies: it speaks for others, and what it says of them is passed on
	client  netip.Addr // whom it speaks for: itself, unless it is such a proxy; invalid where there is no IP
	encrypt bool       // the connection is
}

// peerOf finds out who sent a request with these fields.
func (s *settings) peerOf(r *http.Request, in h1.Fields) peer {
	p := peer{host: hostOf(r.RemoteAddr), encrypt: r.TLS != nil}
	if len(s.trusted) == 0 && s.throttle == nil {
		return p // nobody asks
	}
	p.client, _ = parseHop(r.RemoteAddr)
	if within(s.trusted, p.client) {
		p.proxy = true
		p.client = s.spokenFor(in, p.client)
	}
	return p
}

// spokenFor walks from the nearest proxy outwards, to the first address that is no proxy of ours: what stands before that one is its own
// word. X-Forwarded-For counts, and Forwarded where there is none. Where the trail ends, at something that is no address, the last proxy
// stands for whoever is behind it.
func (s *settings) spokenFor(in h1.Fields, nearest netip.Addr) netip.Addr {
	hops := listed(in, "X-Forwarded-For")
	if len(hops) == 0 {
		hops = forwardedFor(in)
	}
	client := nearest
	for i := len(hops) - 1; i >= 0; i-- {
		a, ok := parseHop(hops[i])
		if !ok {
			break
		}
		if client = a; !within(s.trusted, a) {
			break
		}
	}
	return client
}

// appendTo writes every field about who sent the request that the worker is to see. What a proxy of ours said is kept and added to; what
// anybody else said is not among them. host is the one that was asked for.
func (p *peer) appendTo(b []byte, in h1.Fields, host string) []byte {
	scheme := "http"
	if p.encrypt {
		scheme = "https"
	}
	if !p.proxy {
		b = h1.AppendField(b, "X-Forwarded-For", p.host)
		b = h1.AppendField(b, "X-Forwarded-Host", host)
		return h1.AppendField(b, "X-Forwarded-Proto", scheme)
	}
	b = h1.AppendField(b, "X-Forwarded-For", strings.Join(append(listed(in, "X-Forwarded-For"), p.host), ", "))
	b = appendSaid(b, in, "X-Forwarded-Host", host)
	b = appendSaid(b, in, "X-Forwarded-Proto", scheme)
	b = appendSaid(b, in, "X-Forwarded-Port", "")
	if in.Has("Forwarded") {
		before := slices.Collect(in.Values("Forwarded"))
		b = h1.AppendField(b, "Forwarded", strings.Join(append(before, forwardedElement(p.host, host, scheme)), ", "))
	}
	return b
}

// appendSaid writes a field as it came, or what is put in its place; nothing when that is empty.
func appendSaid(b []byte, in h1.Fields, name, otherwise string) []byte {
	value := otherwise
	if in.Has(name) {
		value = strings.Join(slices.Collect(in.Values(name)), ", ")
	}
	if value == "" {
		return b
	}
	return h1.AppendField(b, name, value)
}

// name is whom a log names: the client where a proxy of ours speaks for one.
func (p *peer) name(r *http.Request) string {
	if p.proxy {
		return p.client.String()
	}
	return r.RemoteAddr
}

// listed is the values of a field, taken apart at their commas.
func listed(in h1.Fields, name string) []string {
	var out []string
	for field := range in.Values(name) {
		for value := range strings.SplitSeq(field, ",") {
			if value = trim(value); value != "" {
				out = append(out, value)
			}
		}
	}
	return out
}
