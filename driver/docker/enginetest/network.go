package enginetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// network is one of the engine's networks, as it is listed.
type network struct {
	Name    string
	ID      string `json:"Id"`
	Created time.Time
	Driver  string
	Options map[string]string
	Labels  map[string]string
	IPAM    struct {
		Config []map[string]any
	}
}

// Networks names the networks there are, in the order of their making.
func (e *Engine) Networks() (names []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.networks {
		names = append(names, n.Name)
	}
	return names
}

// ReverseNetworks makes the engine list the networks the other way round.
func (e *Engine) ReverseNetworks() {
	e.mu.Lock()
	defer e.mu.Unlock()
	slices.Reverse(e.networks)
}

// findNetwork finds a network by id or name; nil: there is none. mu is held.
func (e *Engine) findNetwork(id string) *network {
	for _, n := range e.networks {
		if n.ID == id || n.Name == id {
			return n
		}
	}
	return nil
}

func (e *Engine) listNetworks(w http.ResponseWriter, r *http.Request) {
	f := filtersOf(r)
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []*network{}
	for _, n := range e.networks {
		if f.labels(n.Labels) && f.has("name", n.Name) {
			out = append(out, n)
		}
	}
	answer(w, http.StatusOK, out)
}

func (e *Engine) inspectNetwork(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.findNetwork(r.PathValue("id"))
	if n == nil {
		refuse(w, http.StatusNotFound, "network %s not found", r.PathValue("id"))
		return
	}
	answer(w, http.StatusOK, n)
}

func (e *Engine) createNetwork(w http.ResponseWriter, r *http.Request) {
	n := &network{}
	if err := json.NewDecoder(r.Body).Decode(n); err != nil {
		refuse(w, http.StatusBadRequest, "invalid JSON: %s", err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.serial++
	n.ID, n.Created = fmt.Sprintf("net%d", e.serial), time.Unix(int64(e.serial), 0)
	if len(n.IPAM.Config) == 0 {
		n.IPAM.Config = []map[string]any{{"Subnet": fmt.Sprintf("10.%d.%d.0/24", e.serial>>8&255, e.serial&255)}}
	}
	e.networks = append(e.networks, n)
	e.change()
	answer(w, http.StatusCreated, map[string]any{"Id": n.ID})
}

func (e *Engine) removeNetwork(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.findNetwork(r.PathValue("id"))
	if n == nil {
		refuse(w, http.StatusNotFound, "network %s not found", r.PathValue("id"))
		return
	}
	for _, c := range e.containers {
		if c.runs() && e.findNetwork(c.Network) == n {
			refuse(w, http.StatusForbidden, "error while removing network: network %s id %s has active endpoints", n.Name, n.ID)
			return
		}
	}
	e.networks = slices.DeleteFunc(e.networks, func(other *network) bool { return other == n })
	e.change()
	w.WriteHeader(http.StatusNoContent)
}
