// Package registrytest is a registry of images on 127.0.0.1, which engines trust without TLS, with faults on demand. The protocol is
// go-containerregistry's; what is here puts images there, asks for a password, and lets any answer be another one.
package registrytest

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Registry is there until the test ends. All methods may be called concurrently.
type Registry struct {
	t       testing.TB
	server  *http.Server
	host    string
	content http.Handler

	mu             sync.Mutex
	user, password string                                        // guarded by mu; empty: everybody may
	script         func(http.ResponseWriter, *http.Request) bool // guarded by mu
	asked          []string                                      // guarded by mu; method and path of each request
}

// New makes a registry without images.
func New(t testing.TB) *Registry {
	r := &Registry{t: t, content: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.host = listener.Addr().String()
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	go r.server.Serve(listener) // ends with Close
	t.Cleanup(r.Close)
	return r
}

// Host is what names of its images begin with: an address and a port.
func (r *Registry) Host() string { return r.host }

// Close makes it be away for good. Whoever waits for an answer is cut off.
func (r *Registry) Close() { _ = r.server.Close() }

// Require makes it ask for a password.
func (r *Registry) Require(user, password string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.user, r.password = user, password
}

// Script is asked before each answer; where it reports true it has answered. nil: never.
func (r *Registry) Script(s func(w http.ResponseWriter, req *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = s
}

// Content answers as the registry does without a script and without a password.
func (r *Registry) Content() http.Handler { return r.content }

// Count counts the requests so far whose method is this one and whose path contains part.
func (r *Registry) Count(method, part string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, asked := range r.asked {
		if strings.HasPrefix(asked, method+" ") && strings.Contains(asked, part) {
			n++
		}
	}
	return n
}

// ServeHTTP answers one request.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.asked = append(r.asked, req.Method+" "+req.URL.Path)
	script, user, password := r.script, r.user, r.password
	r.mu.Unlock()
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if u, p, ok := req.BasicAuth(); user != "" && (!ok || u != user || p != password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if script == nil || !script(w, req) {
		r.content.ServeHTTP(w, req)
	}
}

// put stores something as an engine's push would, whatever is scripted.
func (r *Registry) put(method, path, kind string, content []byte) {
	r.t.Helper()
	req := httptest.NewRequest(method, path, bytes.NewReader(content))
	req.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	r.content.ServeHTTP(w, req)
	if w.Code >= 300 {
		r.t.Fatalf("the registry does not take %s: %d %s", path, w.Code, w.Body)
	}
}
