package balancer

import (
	"fmt"
	"net/http"
	"strings"

	"understudy/h1"
)

const allowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

// admit refuses what needs no worker to be refused, and answers what the balancer answers itself.
func (x *exchange) admit() bool {
	r := x.r
	if done := x.screen(); done {
		return false
	}
	segment := x.target.segment
	capability, ok := x.b.fleet.Resolve(segment)
	if ok {
		x.capability, x.home = capability, x.s.homes[capability]
	}
	if x.throttled() {
		return false
	}
	if !ok {
		if x.target.path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			x.ready()
		} else {
			x.unknown()
		}
		return false
	}
	if limit := int64(x.s.Limits.Body); limit > 0 && r.ContentLength > limit {
		x.refuse(errTooLarge, fmt.Sprintf("At most %d bytes are taken.", limit))
		return false
	}
	if err := x.body.begin(x.said.expects); err != nil {
		x.refuse(problemOf(err), "")
		return false
	}
	x.upgrade = r.Method == http.MethodGet && x.body == nil && r.ProtoMajor == 1 && r.ProtoMinor >= 1 && x.said.upgrades && x.said.websocket
	return true
}

// screen refuses what is no request for a capability at all. It reports whether it answered.
func (x *exchange) screen() (done bool) {
	r := x.r
	switch {
	case r.ProtoMajor != 1 && !overH2(r):
		x.refuse(errVersion, "")
		return true
	case r.Method == http.MethodConnect, r.Method == http.MethodTrace:
		x.put("Allow", allowedMethods)
		x.refuse(errMethod, "")
		return true
	case r.Method == http.MethodOptions && r.RequestURI == "*":
		x.put("Allow", allowedMethods)
		x.answer(http.StatusNoContent, nil, false)
		return true
	case len(x.in) > h1.MaxFields:
		x.refuse(errHeadTooLarge, "It has too many fields.")
		return true
	case !h1.IsToken(r.Method):
		x.refuse(errMalformed, "The method is none.")
		return true
	case badHost(r.Host):
		x.refuse(errMalformed, "The Host field is no host name.")
		return true
	}
	if r.ProtoMajor == 2 {
		if wrong := fromH2(r); wrong != "" {
			x.refuse(errMalformed, wrong)
			return true
		}
		x.in = x.incoming() // what was put right
		x.said = listen(x.in)
	}
	t, ok := targetOf(r)
	if !ok {
		x.refuse(errMalformed, "The target is neither a path nor an absolute URL, or has a # in it.")
		return true
	}
	x.target = t
	return false
}

// ready is what an idle worker of the planner protocol says: a planner may take the balancer for one.
func (x *exchange) ready() {
	x.put("Content-Type", "text/plain; charset=utf-8")
	x.answer(http.StatusOK, []byte("ready to work "+x.s.Instance), false)
}

// unknown lists the capabilities there are.
func (x *exchange) unknown() {
	x.cause = errUnknown
	there := x.b.fleet.Capabilities()
	x.explain(errUnknown, "The first segment of the path names a capability; there are: "+strings.Join(there, ", ")+".", there)
}
