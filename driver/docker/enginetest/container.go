package enginetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// State is what a container is doing.
type State string

const (
	Created State = "created"
	Running State = "running"
	Paused  State = "paused"
	Exited  State = "exited"
	Dead    State = "dead" // it could not be removed
)

// Binding is where on the host a container's port is to be reached.
type Binding struct{ HostIP, HostPort string }

// Container is a container as it is at one moment.
type Container struct {
	ID, Name   string
	Image      string
	User       string
	Env, Cmd   []string
	Labels     map[string]string
	StopSignal string
	Network    string               // id or name; empty: the default
	Ports      map[string][]Binding // by port inside, such as 8080/tcp
	State      State
	ExitCode   int
	OOMKilled  bool
	Created    time.Time
	Body       json.RawMessage // what create was sent; nil: Place made it
}

// container is a Container and what belongs to it.
type container struct {
	Container
	address string
	printed *book
	process *process // nil: it does not run
}

// runs says whether there is a process, be it paused.
func (c *container) runs() bool { return c.State == Running || c.State == Paused }

// Place puts a container there that nobody asked for; what it lacks is filled in. One whose State is Running or Paused does run.
func (e *Engine) Place(c Container) (id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	placed := e.place(c)
	if c.State == Running || c.State == Paused {
		placed.State = Created
		if err := e.launch(placed); err != nil {
			e.t.Errorf("the container %s that the test wants to run cannot: %v", c.Name, err)
		}
		if c.State == Paused {
			placed.process.gate.close()
			placed.State = Paused
		}
	}
	return placed.ID
}

// place keeps a new container. mu is held.
func (e *Engine) place(c Container) *container {
	e.serial++
	if c.ID == "" {
		c.ID = fmt.Sprintf("id%d", e.serial)
	}
	if c.State == "" {
		c.State = Created
	}
	if c.Created.IsZero() {
		c.Created = time.Now()
	}
	placed := &container{Container: c, address: fmt.Sprintf("172.30.%d.%d", e.serial/250, e.serial%250+2), printed: &book{}}
	e.containers[c.ID] = placed
	e.emit(placed, "create", nil)
	return placed
}

// Edit changes a container behind everybody's back, without an event.
func (e *Engine) Edit(id string, change func(*Container)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.find(id); c != nil {
		change(&c.Container)
		e.change()
	}
}

// Containers are all containers there are, ordered by name.
func (e *Engine) Containers() []Container {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []Container{}
	for _, c := range e.sorted() {
		out = append(out, c.Container)
	}
	return out
}

// sorted is what there is, ordered by name. mu is held.
func (e *Engine) sorted() []*container {
	return slices.SortedFunc(maps.Values(e.containers), func(a, b *container) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
}

// Removed names the containers that were removed, in their order.
func (e *Engine) Removed() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.removed)
}

// find finds a container by id or name; nil: there is none. mu is held.
func (e *Engine) find(id string) *container {
	if c := e.containers[id]; c != nil {
		return c
	}
	for _, c := range e.containers {
		if c.Name == strings.TrimPrefix(id, "/") {
			return c
		}
	}
	return nil
}

// with finds the request's container, or answers 404. What answer does it does under the lock.
func (e *Engine) with(answer func(http.ResponseWriter, *http.Request, *container)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		c := e.find(r.PathValue("id"))
		if c == nil {
			refuse(w, http.StatusNotFound, "No such container: %s", r.PathValue("id"))
			return
		}
		answer(w, r, c)
	}
}

func (e *Engine) create(w http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	var c struct {
		Container
		HostConfig struct {
			NetworkMode  string
			PortBindings map[string][]Binding
		}
	}
	err := json.NewDecoder(r.Body).Decode(&raw)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid JSON: %s", err)
		return
	}
	c.Name, c.Body, c.Network, c.Ports = r.URL.Query().Get("name"), raw, c.HostConfig.NetworkMode, c.HostConfig.PortBindings
	e.mu.Lock()
	defer e.mu.Unlock()
	taken := e.find(c.Name)
	switch {
	case c.Name != "" && taken != nil:
		refuse(w, http.StatusConflict, "Conflict. The container name \"/%s\" is already in use by container %q. "+
			"You have to remove (or rename) that container to be able to reuse that name.", c.Name, taken.ID)
	case e.findImage(c.Image) == nil:
		refuse(w, http.StatusNotFound, "No such image: %s", c.Image)
	default:
		answer(w, http.StatusCreated, map[string]any{"Id": e.place(c.Container).ID, "Warnings": []string{}})
	}
}

func (e *Engine) remove(w http.ResponseWriter, r *http.Request, c *container) {
	force := r.URL.Query().Get("force") == "1" || r.URL.Query().Get("force") == "true"
	if c.runs() && !force {
		refuse(w, http.StatusConflict, "You cannot remove a running container %s. Stop the container before attempting removal or force remove", c.ID)
		return
	}
	e.drop(c)
	w.WriteHeader(http.StatusNoContent)
}

// drop removes a container whatever it does. mu is held.
func (e *Engine) drop(c *container) {
	e.end(c, 137, false)
	delete(e.containers, c.ID)
	e.removed = append(e.removed, c.Name)
	e.emit(c, "destroy", nil)
}
