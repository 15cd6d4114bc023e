package balancer

import (
	"net/http"
	"net/url"
	"strings"
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
// raw '#', which one server takes for the start of a fragment and another for a part of the path.
func targetOf(r *http.Request) (target, bool) {
	raw := r.RequestURI
	if raw == "" { // a request that did not come from a server
		raw = r.URL.RequestURI()
	}
	if !strings.HasPrefix(raw, "/") {
		_, after, ok := strings.Cut(raw, "://")
		if !ok {
			return target{}, false
		}
		raw = after[len(after)-len(strings.TrimLeftFunc(after, func(c rune) bool { return c != '/' && c != '?' })):]
		if !strings.HasPrefix(raw, "/") {
			raw = "/" + raw
		}
	}
	if strings.ContainsRune(raw, '#') {
		return target{}, false
	}
	var t target
	t.path, t.query, t.hasQuery = strings.Cut(raw, "?")
	t.rest = len(t.path)
	if i := strings.IndexByte(t.path[1:], '/'); i >= 0 {
		t.rest = i + 1
	}
	segment, err := url.PathUnescape(t.path[1:t.rest])
	t.segment = segment
	return t, err == nil
}

// stripped is the path without its first segment.
func (t target) stripped() string {
	if t.rest == len(t.path) {
		return "/"
	}
	return t.path[t.rest:]
}

// at is the URL of the target on a worker. Opaque keeps every byte of the path as it is; a path that begins with two slashes would be taken
// for a host there, so that one goes through url's own encoding, which changes only bytes that no URL may contain.
func (t target) at(host, prefix, path string) *url.URL {
	u := &url.URL{Scheme: "http", Host: host, RawQuery: t.query, ForceQuery: t.hasQuery && t.query == ""}
	path = prefix + path
	if !strings.HasPrefix(path, "//") {
		u.Opaque = path
		return u
	}
	u.RawPath = path
	u.Path, _ = url.PathUnescape(path) // the server has parsed it before us
	return u
}

// badHost tells whether the Host field holds what no host name may: such bytes mean different hosts to different programs.
func badHost(host string) bool {
	return strings.ContainsAny(host, " ,;()*@/\\?#<>\"{}|^`")
}
