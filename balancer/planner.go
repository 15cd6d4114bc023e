package balancer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"

	"understudy/fleet"
)

// Register is the handler for POST /register of the planner protocol: {"url","id"[,"capabilities","concurrency"]} as JSON or as a form. It
// answers `ok`, or a problem with status 400, 405, 409, 413, 422 or 503.
func (g *Registry) Register() http.Handler { return http.HandlerFunc(g.serveRegister) }

// Workers is the handler for GET: the workers there are, as JSON [{"url","id"}].
func (g *Registry) Workers() http.Handler { return http.HandlerFunc(g.serveWorkers) }

// PlannerHandler speaks the planner protocol and nothing else: POST /register, and GET / for the workers. Only this host and the networks in
// allow may speak to it; others get 403.
func (g *Registry) PlannerHandler(allow []netip.Prefix) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !allowed(r.RemoteAddr, allow):
			errForbidden.write(w, r, "", nil)
		case r.URL.Path == "/register":
			g.serveRegister(w, r)
		case r.URL.Path == "/":
			g.serveWorkers(w, r)
		default:
			errNoSuchPage.write(w, r, "This listener has POST /register and GET /.", nil)
		}
	})
}

// allowed tells whether a peer is this host or in one of the networks.
func allowed(remote string, networks []netip.Prefix) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap().WithZone("")
	if addr.IsLoopback() {
		return true
	}
	for _, network := range networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

func (g *Registry) serveRegister(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		errMethod.write(w, r, "Workers are registered with POST.", nil)
		return
	}
	c, err := readCard(w, r)
	if err == nil {
		err = g.add(c)
	}
	if err != nil {
		p := problemOf(err)
		if p.status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", strconv.Itoa(busyRetry))
		}
		detail := ""
		if err != error(p) {
			detail = err.Error()
		}
		p.write(w, r, detail, nil)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, "ok")
}

func (g *Registry) serveWorkers(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		errMethod.write(w, r, "The workers are read with GET.", nil)
		return
	}
	type entry struct {
		URL string `json:"url"`
		ID  string `json:"id"`
	}
	list := []entry{}
	for _, one := range g.b.fleet.Status() {
		for _, s := range one.Workers {
			if s.State == fleet.Active || s.State == fleet.Spare || s.State == fleet.Starting && s.Origin == fleet.Registered {
				list = append(list, entry{s.Address, s.ID})
			}
		}
	}
	text, _ := json.Marshal(list) // cannot fail: strings
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(text) // a client that is gone cannot be told so
	}
}
