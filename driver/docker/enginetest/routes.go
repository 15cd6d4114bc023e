package enginetest

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// routes names what the engine can be asked; scripts and counts go by these names.
func (e *Engine) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range []struct {
		pattern, name string
		answer        http.HandlerFunc
	}{
		{"GET /_ping", "ping", func(http.ResponseWriter, *http.Request) {}},
		{"GET /version", "version", e.version},
		{"GET /info", "info", e.info},
		{"GET /events", "events", e.streamEvents},

		{"GET /containers/json", "list", e.list},
		{"POST /containers/create", "create", e.create},
		{"POST /containers/{id}/start", "start", e.with(e.start)},
		{"POST /containers/{id}/kill", "kill", e.with(e.kill)},
		{"POST /containers/{id}/pause", "pause", e.with(e.pause)},
		{"POST /containers/{id}/unpause", "unpause", e.with(e.unpause)},
		{"POST /containers/{id}/wait", "wait", e.wait},
		{"GET /containers/{id}/json", "inspect", e.with(e.inspect)},
		{"GET /containers/{id}/logs", "logs", e.logs},
		{"DELETE /containers/{id}", "remove", e.with(e.remove)},

		{"GET /networks", "networks", e.listNetworks},
		{"GET /networks/{id}", "network", e.inspectNetwork},
		{"POST /networks/create", "network create", e.createNetwork},
		{"DELETE /networks/{id}", "network remove", e.removeNetwork},

		{"GET /images/json", "images", e.listImages},
		{"GET /images/{ref...}", "image", e.inspectImage},
		{"POST /images/create", "pull", e.pullImage},
		{"POST /images/load", "load", e.loadImage},
		{"DELETE /images/{ref...}", "image remove", e.removeImage},
	} {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) { e.serve(w, req, r.name, r.answer) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		e.mu.Lock()
		oldest, newest := e.options.MinAPI, e.options.API
		e.mu.Unlock()
		w.Header().Set("Api-Version", newest)
		w.Header().Set("Ostype", "linux")
		w.Header().Set("Content-Type", "application/json")
		if !speaks(w, req, oldest, newest) {
			return
		}
		mux.ServeHTTP(w, req)
	})
}

// speaks takes the version off the path and refuses one that the engine does not speak, in an engine's words.
func speaks(w http.ResponseWriter, r *http.Request, oldest, newest string) bool {
	rest, versioned := strings.CutPrefix(r.URL.Path, "/v")
	if !versioned || rest == "olumes" || strings.HasPrefix(rest, "olumes/") || strings.HasPrefix(rest, "ersion") {
		return true
	}
	version, path, _ := strings.Cut(rest, "/")
	switch {
	case newer(version, newest):
		refuse(w, http.StatusBadRequest, "client version %s is too new. Maximum supported API version is %s", version, newest)
		return false
	case newer(oldest, version):
		refuse(w, http.StatusBadRequest, "client version %s is too old. Minimum supported API version is %s, please upgrade your client to a newer version", version, oldest)
		return false
	}
	r.URL.Path = "/" + path
	return true
}

// newer says whether version a of the API is newer than b.
func newer(a, b string) bool {
	major, minor := numbers(a)
	otherMajor, otherMinor := numbers(b)
	return major > otherMajor || major == otherMajor && minor > otherMinor
}

func numbers(version string) (major, minor int) {
	a, b, _ := strings.Cut(version, ".")
	major, _ = strconv.Atoi(a)
	minor, _ = strconv.Atoi(b)
	return major, minor
}

// serve answers one call: as it is scripted, or as the route does.
func (e *Engine) serve(w http.ResponseWriter, r *http.Request, route string, answer http.HandlerFunc) {
	s, over := e.note(route, r)
	defer over()
	r = r.WithContext(context.WithValue(r.Context(), routeKey{}, answer))
	if s == nil || !s(w, r) {
		answer(w, r)
	}
}

func (e *Engine) version(w http.ResponseWriter, _ *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	answer(w, http.StatusOK, map[string]string{"Version": "20.10.0", "ApiVersion": e.options.API, "MinAPIVersion": e.options.MinAPI, "Os": "linux", "Arch": e.options.Arch})
}

func (e *Engine) info(w http.ResponseWriter, _ *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"ServerVersion": "20.10.0", "OSType": "linux", "Architecture": e.options.Arch, "Containers": len(e.containers)})
}
