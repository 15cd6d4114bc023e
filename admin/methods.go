package admin

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// methods is what one path can do, by method. Every other method gets 405 with those it can.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := m[r.Method]; h != nil {
		h(w, r)
		return
	}
	allowed := strings.Join(slices.Sorted(maps.Keys(m)), ", ")
	w.Header().Set("Allow", allowed)
	problem{
		Status: http.StatusMethodNotAllowed, Code: "method-not-allowed",
		Detail: "this address takes " + allowed + " only",
	}.write(w)
}

// read is a path that can only be looked at.
func read(h http.HandlerFunc) methods { return methods{http.MethodGet: h, http.MethodHead: h} }

func notFound(w http.ResponseWriter, _ *http.Request) {
	problem{Status: http.StatusNotFound, Code: "not-found", Detail: "the admin plane has nothing at this path; / has the status page"}.write(w)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "the answer could not be written as JSON: " + err.Error()}.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) // an error means the client left; nobody is there to be told
}
