package admin

import (
	"net/http"
	"net/http/pprof"
	runtime "runtime/pprof"
)

const profilePath = "/debug/pprof/{name}"

// serveProfile is what `go tool pprof` asks for. The command line is not among it.
func serveProfile(w http.ResponseWriter, r *http.Request) {
	switch name := r.PathValue("name"); {
	case name == "profile":
		pprof.Profile(w, r)
	case name == "trace":
		pprof.Trace(w, r)
	case name == "symbol":
		pprof.Symbol(w, r)
	case runtime.Lookup(name) != nil:
		pprof.Handler(name).ServeHTTP(w, r)
	default:
		problem{
			Status: http.StatusNotFound, Code: "not-found",
			Detail: "there is no such profile; there are profile, trace, heap, allocs, goroutine, threadcreate, block and mutex",
		}.write(w)
	}
}
