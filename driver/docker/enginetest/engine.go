// Package enginetest is a Docker engine that runs nothing: an HTTP server on a unix socket with containers, networks, images and
// events that behave as an engine's do, for tests of what a real engine does not do on demand. Any answer can be scripted: late,
// never, cut off, refused, or lost after its effect. What runs in a container is a Go function, which may serve on its host port.
package enginetest

import (
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Options say what engine it is. The zero value is one of API 1.41 on amd64 whose containers do nothing but run.
type Options struct {
	Program func(Container) Program // what a container runs; nil, or one that returns nil: Idle
	Publish bool                    // host ports are really listened on, as by an engine's proxies
	Arch    string                  // as an engine names it; empty: amd64
	API     string                  // the newest version of the API it speaks; empty: 1.41
	MinAPI  string                  // the oldest; empty: 1.12
}

// Engine is the engine. All methods may be called concurrently.
type Engine struct {
	t       testing.TB
	options Options
	socket  string
	handler http.Handler
	running sync.WaitGroup // what runs in containers

	mu         sync.Mutex
	server     *http.Server          // guarded by mu; nil: away
	changed    chan struct{}         // guarded by mu; closed, and made anew, whenever anything changes
	serial     int                   // guarded by mu; of ids and addresses
	containers map[string]*container // guarded by mu; by id
	networks   []*network            // guarded by mu; in the order of their making
	images     map[string]*image     // guarded by mu; by reference
	offered    map[string]bool       // guarded by mu; what can be pulled
	history    []event               // guarded by mu; the last of them
	events     int                   // guarded by mu; how many there ever were
	removed    []string              // guarded by mu; names of containers
	scripts    map[string]Script     // guarded by mu; by route
	calls      []*Call               // guarded by mu
	inFlight   int                   // guarded by mu; calls that an engine works at
	most       int                   // guarded by mu; of them at a time
}

// New makes an engine that is there until the test ends.
func New(t testing.TB, o Options) *Engine {
	t.Helper()
	for value, fallback := range map[*string]string{&o.Arch: "amd64", &o.API: "1.41", &o.MinAPI: "1.12"} {
		if *value == "" {
			*value = fallback
		}
	}
	e := &Engine{t: t, options: o, socket: filepath.Join(t.TempDir(), "docker.sock"), changed: make(chan struct{}),
		containers: map[string]*container{}, images: map[string]*image{}, offered: map[string]bool{}, scripts: map[string]Script{}}
	e.handler = e.routes()
	e.Up()
	t.Cleanup(func() {
		e.Down(false)
		e.running.Wait()
	})
	return e
}

// Socket is the path of the engine's socket, Host its address.
func (e *Engine) Socket() string { return e.socket }
func (e *Engine) Host() string   { return "unix://" + e.socket }

// Handler answers as the engine does, for a test that listens by itself.
func (e *Engine) Handler() http.Handler { return e.handler }

// Up makes the engine listen, on a new socket at the old path. Containers that run get their ports back.
func (e *Engine) Up() {
	e.t.Helper()
	listener, err := net.Listen("unix", e.socket)
	if err != nil {
		e.t.Fatal(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.server = &http.Server{Handler: e.handler}
	go e.server.Serve(listener)
	for _, c := range e.containers {
		if c.process != nil {
			if err := c.process.publish(); err != nil {
				e.t.Errorf("a port was taken while the engine was away: %v", err)
			}
		}
	}
	e.change()
}

// Down ends the engine as a restart does: calls are cut off, the socket is gone, no host port is listened on. With live the
// containers run on, as an engine's with live-restore; without it they are killed.
func (e *Engine) Down(live bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server != nil {
		e.server.Close()
		e.server = nil
	}
	for _, c := range e.containers {
		switch {
		case c.process == nil:
		case live:
			c.process.unpublish()
		default:
			e.end(c, 137, false)
		}
	}
	e.change()
}

// Speak makes it an engine of other versions of the API from the next call on, as an upgrade or a downgrade does.
func (e *Engine) Speak(oldest, newest string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.options.MinAPI, e.options.API = oldest, newest
}

// Changed returns a channel that is closed at the next change of anything: a container, an event, a call that comes or ends.
func (e *Engine) Changed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

// Eventually waits until ok, and fails the test after 20 s.
func (e *Engine) Eventually(what string, ok func() bool) {
	e.t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		changed := e.Changed()
		if ok() {
			return
		}
		again := time.NewTimer(20 * time.Millisecond) // for what does not happen at the engine
		select {
		case <-changed:
		case <-again.C:
		case <-deadline.C:
			e.t.Fatalf("never happened: %s", what)
		}
		again.Stop()
	}
}

// change tells everybody who waits that something changed. mu is held.
func (e *Engine) change() {
	close(e.changed)
	e.changed = make(chan struct{})
}
