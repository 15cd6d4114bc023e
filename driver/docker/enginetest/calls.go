package enginetest

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Call is one request that reached the engine.
type Call struct {
	Route string // its name in routes.go
	ID    string // of the container, image or network in the path; empty: none
	Query url.Values
	Began time.Time
	Ended time.Time // zero: it is in flight
}

// note writes a call down and returns its script.
func (e *Engine) note(route string, r *http.Request) (s Script, over func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := &Call{Route: route, ID: r.PathValue("id") + r.PathValue("ref"), Query: r.URL.Query(), Began: time.Now()}
	e.calls = append(e.calls, c)
	work := !waits(route)
	if work {
		e.inFlight++
		e.most = max(e.most, e.inFlight)
	}
	e.change()
	return e.scripts[route], func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		c.Ended = time.Now()
		if work {
			e.inFlight--
		}
		e.change()
	}
}

// waits says whether an engine has nothing to do while such a call lasts.
func waits(route string) bool {
	return slices.Contains([]string{"ping", "events", "wait", "logs"}, route)
}

// Calls are all calls so far, the oldest first.
func (e *Engine) Calls() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Call
	for _, c := range e.calls {
		out = append(out, *c)
	}
	return out
}

// Count says how often any of the routes was called; without routes, how many calls there were.
func (e *Engine) Count(routes ...string) (n int) {
	for _, c := range e.Calls() {
		if len(routes) == 0 || slices.Contains(routes, c.Route) {
			n++
		}
	}
	return n
}

// InFlight says how many calls of any of the routes are in flight; without routes, how many are at all.
func (e *Engine) InFlight(routes ...string) (n int) {
	for _, c := range e.Calls() {
		if c.Ended.IsZero() && (len(routes) == 0 || slices.Contains(routes, c.Route)) {
			n++
		}
	}
	return n
}

// Most says how many calls were in flight at a time, but for those an engine does not work at: pings, waits, logs and events.
func (e *Engine) Most() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.most
}

// ForgetCalls begins the counts anew.
func (e *Engine) ForgetCalls() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = slices.DeleteFunc(e.calls, func(c *Call) bool { return !c.Ended.IsZero() })
	e.most = e.inFlight
}
