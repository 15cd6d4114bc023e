package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Program is what runs in a container. It returns its exit code, at the latest when p.Context ends, which is SIGKILL.
type Program func(p *Process) (code int)

// Process is what a Program sees of the container it runs in.
type Process struct {
	Container
	Context context.Context // ends when it is killed
	Signals <-chan string   // those it can handle, such as SIGTERM
	Output  io.Writer       // its log
	process *process
}

// Idle runs until a signal asks it to end.
func Idle(p *Process) int {
	for {
		select {
		case signal := <-p.Signals:
			if slices.Contains([]string{"SIGTERM", "SIGINT", "SIGQUIT"}, signal) {
				return 0
			}
		case <-p.Context.Done():
			return 137
		}
	}
}

// Serve is a program that answers on its port until a signal asks it to end; handler is given the container's environment.
// Without Options.Publish nobody reaches it.
func Serve(handler func(env map[string]string) http.Handler) Program {
	return func(p *Process) int {
		p.Listen(handler(p.Environment()))
		return Idle(p)
	}
}

// Environment is the container's environment, by key.
func (p *Process) Environment() map[string]string {
	env := map[string]string{}
	for _, kv := range p.Env {
		key, value, _ := strings.Cut(kv, "=")
		env[key] = value
	}
	return env
}

// Listen serves HTTP on the container's port until the container ends. Before it is called the host port accepts connections and
// closes them, as an engine's proxy does.
func (p *Process) Listen(handler http.Handler) {
	server := &http.Server{Handler: handler}
	context.AfterFunc(p.Context, func() { server.Close() })
	p.process.inside.open()
	p.process.engine.running.Go(func() { _ = server.Serve(p.process.inside) })
}

// process is one run of a container.
type process struct {
	engine  *Engine
	name    string
	ports   map[string][]Binding
	stop    context.CancelFunc
	signals chan string
	gate    *gate   // closed while it is paused
	inside  *inside // what listens in the container
	proxies []*proxy
}

func (e *Engine) start(w http.ResponseWriter, _ *http.Request, c *container) {
	if c.runs() {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if c.Network != "" && c.Network != "default" && c.Network != "bridge" && e.findNetwork(c.Network) == nil {
		refuse(w, http.StatusNotFound, "network %s not found", c.Network)
		return
	}
	if err := e.launch(c); err != nil {
		refuse(w, http.StatusInternalServerError, "%s", err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// launch runs a container. mu is held.
func (e *Engine) launch(c *container) error {
	if port := e.allocated(c); port != "" {
		return fmt.Errorf("driver failed programming external connectivity on endpoint %s (%s): Bind for %s failed: port is already allocated", c.Name, c.ID, port)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &process{engine: e, name: c.Name, ports: c.Ports, stop: stop, signals: make(chan string, 8), gate: newGate(ctx)}
	p.inside = newInside(ctx, p.gate)
	if err := p.publish(); err != nil {
		stop()
		return fmt.Errorf("driver failed programming external connectivity on endpoint %s (%s): Error starting userland proxy: %w", c.Name, c.ID, err)
	}
	c.process, c.State, c.ExitCode, c.OOMKilled = p, Running, 0, false
	e.emit(c, "start", nil)
	var program Program
	if e.options.Program != nil {
		program = e.options.Program(c.Container)
	}
	if program == nil {
		program = Idle
	}
	seen := &Process{Container: c.Container, Context: ctx, Signals: p.signals, Output: &pen{e, c.printed}, process: p}
	e.running.Go(func() {
		code := program(seen)
		e.mu.Lock()
		defer e.mu.Unlock()
		if c.process == p {
			e.end(c, code, false)
		}
	})
	return nil
}

// allocated returns the address of the container's that another one has, if there is one. mu is held.
func (e *Engine) allocated(c *container) string {
	for _, mine := range addresses(c.Ports) {
		for _, other := range e.containers {
			if other == c || !other.runs() {
				continue
			}
			for _, theirs := range addresses(other.Ports) {
				if mine == theirs {
					return mine
				}
			}
		}
	}
	return ""
}

// end makes a container's process be over. mu is held.
func (e *Engine) end(c *container, code int, oom bool) {
	p := c.process
	if p == nil {
		return
	}
	c.process, c.State, c.ExitCode, c.OOMKilled = nil, Exited, code, oom
	p.unpublish()
	p.stop()
	if oom {
		e.emit(c, "oom", nil)
	}
	e.emit(c, "die", map[string]string{"exitCode": fmt.Sprint(code)})
}

func addresses(ports map[string][]Binding) (out []string) {
	for _, bindings := range ports {
		for _, b := range bindings {
			out = append(out, net.JoinHostPort(b.HostIP, b.HostPort))
		}
	}
	return out
}

// publish listens on the host ports, if the engine does so at all. mu is held.
func (p *process) publish() error {
	if !p.engine.options.Publish || len(p.proxies) > 0 {
		return nil
	}
	var failed error
	for _, address := range addresses(p.ports) {
		listener, err := net.Listen("tcp4", address)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		x := &proxy{listener: listener, inside: p.inside}
		p.proxies = append(p.proxies, x)
		p.engine.running.Go(x.run)
	}
	if failed != nil {
		p.unpublish()
	}
	return failed
}

// unpublish closes the host ports and whatever was connected through them. mu is held.
func (p *process) unpublish() {
	for _, x := range p.proxies {
		x.close()
	}
	p.proxies = nil
}
