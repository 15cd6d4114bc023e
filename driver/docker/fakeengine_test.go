package docker

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"understudy/driver"
)

// fakeEngine is just enough of an engine to show what a real one does not show on demand. Its routes are named after what they
// do; a script may answer in place of any of them.
type fakeEngine struct {
	t      *testing.T
	socket string

	mu         sync.Mutex
	containers map[string]*fakeContainer // guarded by mu: by id
	serial     int                       // guarded by mu
	scripts    map[string]script         // guarded by mu
	calls      map[string]int            // guarded by mu
	networks   []map[string]any          // guarded by mu
	images     map[string]string         // guarded by mu: ref to label
	removed    []string                  // guarded by mu: names
	arch       string                    // guarded by mu
}

// script answers a request, or returns false to let the route answer.
type script func(w http.ResponseWriter, r *http.Request) (answered bool)

type fakeContainer struct {
	id, name string
	running  bool
	config   container.Config
	host     container.HostConfig
}

// newFakeEngine serves on a unix socket.
func newFakeEngine(t *testing.T) *fakeEngine {
	f := &fakeEngine{t: t, socket: filepath.Join(t.TempDir(), "docker.sock"), containers: map[string]*fakeContainer{},
		scripts: map[string]script{}, calls: map[string]int{}, images: map[string]string{}, arch: "amd64"}
	listener, err := net.Listen("unix", f.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(f.handler())
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections() // or Close would wait for those that hang
		server.Close()
	})
	return f
}

// driver connects to the fake engine, with limits short enough for a test to wait for.
func (f *fakeEngine) driver(change ...func(*limits)) *Driver {
	f.t.Helper()
	l := defaultLimits()
	l.wired, l.hunt, l.close = 200*time.Millisecond, 2*time.Second, 5*time.Second
	for _, c := range change {
		c(l)
	}
	d, err := New(f.t.Context(), Options{Instance: "fake", Host: "unix://" + f.socket, Binary: testWorker(), Log: testLog(f.t), limits: l})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := d.Close(); err != nil {
			f.t.Errorf("Close: %v", err)
		}
	})
	return d
}

func (f *fakeEngine) handler() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern, name string, answer http.HandlerFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Api-Version", "1.41")
			w.Header().Set("Content-Type", "application/json")
			f.mu.Lock()
			f.calls[name]++
			s := f.scripts[name]
			f.mu.Unlock()
			if s == nil || !s(w, r) {
				answer(w, r)
			}
		})
	}
	route("GET /_ping", "ping", func(http.ResponseWriter, *http.Request) {})
	route("GET /version", "version", f.version)
	route("POST /containers/create", "create", f.create)
	route("POST /containers/{id}/start", "start", f.start)
	route("POST /containers/{id}/kill", "kill", f.with(func(http.ResponseWriter, *fakeContainer) {}))
	route("POST /containers/{id}/wait", "wait", f.with(func(w http.ResponseWriter, _ *fakeContainer) { fmt.Fprint(w, `{"StatusCode":0}`) }))
	route("GET /containers/{id}/json", "inspect", f.with(f.inspect))
	route("GET /containers/{id}/logs", "logs", f.with(func(http.ResponseWriter, *fakeContainer) {}))
	route("DELETE /containers/{id}", "remove", f.remove)
	route("GET /containers/json", "list", f.list)
	route("GET /networks", "networks", f.listNetworks)
	route("POST /networks/create", "network create", f.createNetwork)
	route("DELETE /networks/{id}", "network remove", func(http.ResponseWriter, *http.Request) {})
	route("GET /images/json", "images", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `[]`) })
	route("DELETE /images/{ref}", "image remove", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `[]`) })
	route("GET /images/{ref...}", "image", f.image)
	route("POST /images/create", "import", f.importImage)
	route("GET /events", "events", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, versioned := strings.CutPrefix(r.URL.Path, "/v1.41")
		if !versioned && path != "/_ping" {
			f.t.Errorf("the version is not the engine's: %s", r.URL.Path)
		}
		r.URL.Path = path
		mux.ServeHTTP(w, r)
	})
}

// script sets what a route answers from now on; nil: as it does by itself.
func (f *fakeEngine) script(name string, s script) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scripts[name] = s
}

// refuse answers with an error of the engine.
func refuse(status int, text string) script {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(map[string]string{"message": text})
		return true
	}
}

// first lets s answer the first n requests.
func first(n int, s script) script {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		n--
		over := n < 0
		mu.Unlock()
		return !over && s(w, r)
	}
}

// hang answers nothing until the client leaves.
func hang(_ http.ResponseWriter, r *http.Request) bool {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

// cut sends a part of an answer and drops the connection.
func cut(part string) script {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, part)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// count says how often a route was called.
func (f *fakeEngine) count(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[name]
}

// left says how many containers there are.
func (f *fakeEngine) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.containers)
}

// fakeSpec is a worker for the fake engine, of the image inside this program.
func fakeSpec(worker string) driver.Spec {
	return driver.Spec{Pool: "pool", Worker: worker, Generation: "g-" + worker, Hash: "h", Capabilities: []string{"mult"}, HostPort: 20000}
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("never happened: %s", what)
		}
	}
}
