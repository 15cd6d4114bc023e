package enginetest

import (
	"fmt"
	"net/http"
	"strings"
)

func (e *Engine) kill(w http.ResponseWriter, r *http.Request, c *container) {
	signal := r.URL.Query().Get("signal")
	if signal == "" {
		signal = "SIGKILL"
	}
	if !c.runs() {
		refuse(w, http.StatusConflict, "Cannot kill container: %s: Container %s is not running", r.PathValue("id"), c.ID)
		return
	}
	e.signal(c, signal)
	w.WriteHeader(http.StatusNoContent)
}

// signal sends a signal. A paused container hears none but SIGKILL. mu is held.
func (e *Engine) signal(c *container, signal string) {
	if !strings.HasPrefix(signal, "SIG") {
		signal = "SIG" + signal
	}
	e.emit(c, "kill", map[string]string{"signal": signal})
	if signal == "SIGKILL" {
		e.end(c, 137, false)
		return
	}
	if c.State != Running {
		return
	}
	select {
	case c.process.signals <- signal:
	default: // it ignores what it has already
	}
}

func (e *Engine) pause(w http.ResponseWriter, _ *http.Request, c *container) {
	if c.State != Running {
		refuse(w, http.StatusConflict, "Container %s is not running or already paused", c.ID)
		return
	}
	c.process.gate.close()
	c.State = Paused
	e.emit(c, "pause", nil)
	w.WriteHeader(http.StatusNoContent)
}

func (e *Engine) unpause(w http.ResponseWriter, _ *http.Request, c *container) {
	if c.State != Paused {
		refuse(w, http.StatusInternalServerError, "Container %s is not paused", c.ID)
		return
	}
	c.process.gate.open()
	c.State = Running
	e.emit(c, "unpause", nil)
	w.WriteHeader(http.StatusNoContent)
}

// wait answers when the container does not run, or is not there any more.
func (e *Engine) wait(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	c := e.find(r.PathValue("id"))
	e.mu.Unlock()
	if c == nil {
		refuse(w, http.StatusNotFound, "No such container: %s", r.PathValue("id"))
		return
	}
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		e.mu.Lock()
		over, code, changed := !c.runs(), c.ExitCode, e.changed
		e.mu.Unlock()
		if over {
			fmt.Fprintf(w, `{"StatusCode":%d}`, code)
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// What an operator does by hand. id may be a name; where there is no such container nothing happens.

// Kill sends a signal, as docker kill does.
func (e *Engine) Kill(id, signal string) { e.operate(id, func(c *container) { e.signal(c, signal) }) }

// Exit makes a container end by itself, with that code.
func (e *Engine) Exit(id string, code int) {
	e.operate(id, func(c *container) { e.end(c, code, false) })
}

// OOM makes a container run out of memory; flagged says whether the engine notices why it ended.
func (e *Engine) OOM(id string, flagged bool) {
	e.operate(id, func(c *container) { e.end(c, 137, flagged) })
}

// Remove is docker rm -f.
func (e *Engine) Remove(id string) { e.operate(id, e.drop) }

// Freeze is docker pause.
func (e *Engine) Freeze(id string) {
	e.operate(id, func(c *container) {
		if c.State == Running {
			c.process.gate.close()
			c.State = Paused
			e.emit(c, "pause", nil)
		}
	})
}

// Unplug closes a container's host ports, as a firewall does that is loaded anew: it runs on, and nobody reaches it.
func (e *Engine) Unplug(id string) {
	e.operate(id, func(c *container) {
		if c.process != nil {
			c.process.unpublish()
		}
	})
}

func (e *Engine) operate(id string, do func(*container)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.find(id); c != nil {
		do(c)
	}
}
