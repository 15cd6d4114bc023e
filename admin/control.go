package admin

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"understudy/fleet"
)

// healthz tells that the process lives.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n")
}

// readyz tells whether the balancer should get traffic.
func (p *plane) readyz(w http.ResponseWriter, _ *http.Request) {
	ok, why := p.Ready()
	if !ok {
		w.Header().Set("Retry-After", "1")
		problem{Title: "Not ready", Status: http.StatusServiceUnavailable, Code: "not-ready", Detail: why}.write(w)
		return
	}
	writeJSON(w, http.StatusOK, map[string]bool{"ready": true})
}

// quit begins the end of the balancer. The answer may be the last it gives.
func (p *plane) quit(w http.ResponseWriter, r *http.Request) {
	p.Log.Info("asked to quit", slog.String("by", r.RemoteAddr))
	writeJSON(w, http.StatusAccepted, map[string]string{"status": "draining"})
	p.Quit()
}

// drain begins to take one worker out. Asking again for one that drains already changes nothing.
func (p *plane) drain(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	_, state, ok := p.Fleet.Worker(id)
	if !ok {
		problem{
			Status: http.StatusNotFound, Code: "unknown-worker",
			Detail: fmt.Sprintf("there is no worker %s; /api/v1/status lists those there are", plain(clip(id, 80))),
		}.write(w)
		return
	}
	if state != fleet.Draining {
		// the client may be gone before it is done; what was asked for is done all the same
		if err := p.Drain(context.WithoutCancel(r.Context()), id); err != nil {
			problem{Status: http.StatusConflict, Code: "cannot-drain", Detail: err.Error()}.write(w)
			return
		}
		p.Log.Info("asked to drain a worker", slog.String("worker", id), slog.String("by", r.RemoteAddr))
	}
	writeJSON(w, http.StatusAccepted, map[string]string{"id": id, "state": fleet.Draining.String()})
}
