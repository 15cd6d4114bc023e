package docker

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
)

func (f *fakeEngine) version(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fmt.Fprintf(w, `{"ApiVersion":"1.41","Os":"linux","Arch":%q}`, f.arch)
}

func (f *fakeEngine) create(w http.ResponseWriter, r *http.Request) {
	var c struct {
		container.Config
		HostConfig container.HostConfig
	}
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		f.t.Errorf("create: %v", err)
	}
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(container.CreateResponse{ID: f.place(r.URL.Query().Get("name"), c.Config, c.HostConfig)})
}

// place puts a container there.
func (f *fakeEngine) place(name string, config container.Config, host container.HostConfig) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serial++
	c := &fakeContainer{id: fmt.Sprintf("id%d", f.serial), name: name, config: config, host: host}
	f.containers[c.id] = c
	return c.id
}

// with finds the request's container by id or name, or answers 404.
func (f *fakeEngine) with(answer func(http.ResponseWriter, *fakeContainer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, c := range f.containers {
			if id := r.PathValue("id"); c.id == id || c.name == id {
				answer(w, c)
				return
			}
		}
		refuse(http.StatusNotFound, "No such container: "+r.PathValue("id"))(w, r)
	}
}

func (f *fakeEngine) start(w http.ResponseWriter, r *http.Request) {
	f.with(func(_ http.ResponseWriter, c *fakeContainer) { c.running = true })(w, r)
}

func (f *fakeEngine) inspect(w http.ResponseWriter, c *fakeContainer) {
	json.NewEncoder(w).Encode(c.found())
}

func (c *fakeContainer) found() container.InspectResponse {
	settings := &container.NetworkSettings{}
	if c.running {
		settings.Ports = nat.PortMap(c.host.PortBindings)
	}
	return container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{ID: c.id, Name: "/" + c.name, State: &container.State{Running: c.running}},
		Config:            &c.config, NetworkSettings: settings,
	}
}

func (f *fakeEngine) remove(w http.ResponseWriter, r *http.Request) {
	f.with(func(_ http.ResponseWriter, c *fakeContainer) {
		delete(f.containers, c.id)
		f.removed = append(f.removed, c.name)
	})(w, r)
}

func (f *fakeEngine) list(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []container.Summary{}
	for _, c := range f.containers {
		s := container.Summary{ID: c.id, Names: []string{"/" + c.name}, Labels: c.config.Labels, State: "created", Status: "Created"}
		if c.running {
			s.State = "running"
		}
		out = append(out, s)
	}
	json.NewEncoder(w).Encode(out)
}

func (f *fakeEngine) listNetworks(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	json.NewEncoder(w).Encode(append([]map[string]any{}, f.networks...))
}

func (f *fakeEngine) createNetwork(w http.ResponseWriter, r *http.Request) {
	var n map[string]any
	json.NewDecoder(r.Body).Decode(&n)
	f.mu.Lock()
	defer f.mu.Unlock()
	n["Id"] = fmt.Sprintf("net%d", len(f.networks))
	n["Created"] = time.Unix(int64(len(f.networks)), 0)
	f.networks = append(f.networks, n)
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(map[string]any{"Id": n["Id"]})
}

func (f *fakeEngine) image(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ref := strings.TrimSuffix(r.PathValue("ref"), "/json")
	label, ok := f.images[ref]
	if !ok {
		refuse(http.StatusNotFound, "No such image: "+ref)(w, r)
		return
	}
	fmt.Fprintf(w, `{"Id":"sha256:%s","Config":{"Labels":{%q:%q}}}`, ref, labelWorkerImage, label)
}

func (f *fakeEngine) importImage(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, change := range r.URL.Query()["changes"] {
		if label, ok := strings.CutPrefix(change, "LABEL "+labelWorkerImage+"="); ok {
			f.images[r.URL.Query().Get("repo")] = label
		}
	}
	fmt.Fprintln(w, `{"status":"done"}`)
}
