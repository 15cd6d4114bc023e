package enginetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// filters are what a list or a stream is narrowed down to.
type filters map[string]map[string]bool

func filtersOf(r *http.Request) filters {
	var f filters
	_ = json.Unmarshal([]byte(r.URL.Query().Get("filters")), &f) // none at all is fine
	return f
}

// labels says whether these are labels that the filter wants.
func (f filters) labels(labels map[string]string) bool {
	for want := range f["label"] {
		key, value, exact := strings.Cut(want, "=")
		if got, ok := labels[key]; !ok || exact && got != value {
			return false
		}
	}
	return true
}

// has says whether the filter wants that value of that kind, or any.
func (f filters) has(kind, value string) bool { return len(f[kind]) == 0 || f[kind][value] }

func (e *Engine) list(w http.ResponseWriter, r *http.Request) {
	f := filtersOf(r)
	all := r.URL.Query().Get("all") != ""
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []map[string]any{}
	for _, c := range e.sorted() {
		if (all || c.runs()) && f.labels(c.Labels) && f.has("name", c.Name) && f.has("id", c.ID) && f.has("status", string(c.State)) {
			out = append(out, e.summary(c))
		}
	}
	answer(w, http.StatusOK, out)
}

func (e *Engine) summary(c *container) map[string]any {
	ports := []map[string]any{}
	for inside, bindings := range e.published(c) {
		number, kind, _ := strings.Cut(inside, "/")
		private, _ := strconv.Atoi(number)
		for _, b := range bindings {
			public, _ := strconv.Atoi(b.HostPort)
			ports = append(ports, map[string]any{"IP": b.HostIP, "PrivatePort": private, "PublicPort": public, "Type": kind})
		}
	}
	image := ""
	if i := e.findImage(c.Image); i != nil {
		image = i.id
	}
	return map[string]any{
		"Id": c.ID, "Names": []string{"/" + c.Name}, "Image": c.Image, "ImageID": image, "Labels": c.Labels, "Created": c.Created.Unix(),
		"State": c.State, "Status": c.status(), "Ports": ports, "NetworkSettings": map[string]any{"Networks": e.endpoints(c)},
	}
}

// status is the state as a list says it.
func (c *container) status() string {
	switch c.State {
	case Running:
		return "Up 2 seconds"
	case Paused:
		return "Up 2 seconds (Paused)"
	case Exited:
		return fmt.Sprintf("Exited (%d) 1 second ago", c.ExitCode)
	case Dead:
		return "Dead"
	}
	return "Created"
}

func (e *Engine) inspect(w http.ResponseWriter, _ *http.Request, c *container) {
	var sent struct{ HostConfig json.RawMessage }
	if c.Body != nil {
		_ = json.Unmarshal(c.Body, &sent) // create has read it before
	}
	if sent.HostConfig == nil {
		sent.HostConfig = json.RawMessage(`{}`)
	}
	image := c.Image
	if i := e.findImage(c.Image); i != nil {
		image = i.id
	}
	answer(w, http.StatusOK, map[string]any{
		"Id": c.ID, "Name": "/" + c.Name, "Image": image, "Created": c.Created.Format(time.RFC3339Nano),
		"State": map[string]any{"Status": c.State, "Running": c.runs(), "Paused": c.State == Paused, "Dead": c.State == Dead,
			"ExitCode": c.ExitCode, "OOMKilled": c.OOMKilled},
		"Config":          map[string]any{"Image": c.Image, "User": c.User, "Env": c.Env, "Cmd": c.Cmd, "Labels": c.Labels, "StopSignal": c.StopSignal},
		"HostConfig":      sent.HostConfig,
		"NetworkSettings": map[string]any{"Ports": e.published(c), "Networks": e.endpoints(c)},
	})
}

// published is where the container's ports are reached now.
func (e *Engine) published(c *container) map[string][]Binding {
	if !c.runs() {
		return map[string][]Binding{}
	}
	return c.Ports
}

// endpoints are the networks the container is on, with its address.
func (e *Engine) endpoints(c *container) map[string]any {
	name, id, address := "bridge", "", ""
	if n := e.findNetwork(c.Network); n != nil {
		name, id = n.Name, n.ID
	}
	if c.runs() {
		address = c.address
	}
	return map[string]any{name: map[string]any{"NetworkID": id, "IPAddress": address}}
}
