package balancer

import (
	"net/http"
	"net/url"
	"strings"

	"understudy/h1"
)

// target is the request's target as the client wrote it, byte for byte.
type target struct {
	path     string // begins with /
	query    string
	hasQuery bool   // "?" was there, even with nothing behind it
	segment  string // the first of the path, decoded
	rest     int    // where the path goes on after that segment
}

// targetOf reads the target in origin form (/pdf?x) or absolute form (http://host/pdf?x). It reports false for anything else, and for a
// raw '#', which one server takes for the start of a fragment and another for a part of the path, and for bytes that end a target, which HTTP/2 can
// carry in one.
func targetOf(r *http.Request) (target, bool) {
	raw := r.RequestURI
	if raw == "" { // a request that did not come from a server
		raw = r.URL.RequestURI()
	}
	if !strings.HasPrefix(raw, "/") {
		scheme, after, ok := strings.Cut(raw, "://")
		if !ok || !h1.EqualFold(scheme, "http") && !h1.EqualFold(scheme, "https") {
			return target{}, false
		}
		raw = after[len(after)-len(strings.TrimLeftFunc(after, func(c rune) bool { return c != '/' && c != '?' })):]
		if !strings.HasPrefix(raw, "/") {
			raw = "/" + raw
		}
	}
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c == '#' || c == 0x7f {
			return target{}, false
		}
	}
	var t target
	t.path, t.query, t.hasQuery = strings.Cut(raw, "?")
	t.rest = len(t.path)
	if i := strings.IndexByte(t.path[1:], '/'); i >= 0 {
		t.rest = i + 1
	}
	t.segment = t.path[1:t.rest]
	if strings.IndexByte(t.segment, '%') < 0 {
		return t, true
	}
	segment, err := url.PathUnescape(t.segment)
	t.segment = segment
	return t, err == nil
}

// append writes the target as a worker is to see it, byte for byte: below a prefix, and without its first segment where that is to be cut off.
func (t *target) append(b []byte, prefix string, strip bool) []byte {
	b = append(b, prefix...)
	switch {
	case !strip:
		b = append(b, t.path...)
	case t.rest == len(t.path):
		b = append(b, '/')
	default:
		b = append(b, t.path[t.rest:]...)
	}
	if t.hasQuery {
		b = append(b, '?')
		b = append(b, t.query...)
	}
	return b
}

// badHost tells whether the Host field holds what no host name may: such bytes mean different hosts to different programs.
func badHost(host string) bool {
	for i := range len(host) {
		if c := host[i]; c <= ' ' || c == 0x7f || strings.IndexByte(",;()*@/\\?#<>\"{}|^`", c) >= 0 {
			return true
		}
	}
	return false
}
