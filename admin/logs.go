package admin

import (
	"fmt"
	"net/http"
	"strings"
)

// serveLogs streams what the workers of a pool print, as it is.
func (p *plane) serveLogs(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	pool, follow := query.Get("pool"), query.Get("follow") == "1" || query.Get("follow") == "true"
	if refused := p.unknownPool(pool); refused != nil {
		refused.write(w)
		return
	}
	ctx, leave, ok := p.admit(w, r)
	if !ok {
		return
	}
	defer leave()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	out := newOutlet(w)
	switch err := p.Logs(ctx, pool, follow, out); {
	case err == nil || ctx.Err() != nil:
	case !out.begun:
		problem{Status: http.StatusBadGateway, Code: "no-logs", Detail: "the logs cannot be had: " + err.Error()}.write(w)
	default:
		panic(http.ErrAbortHandler) // cut off, so that it does not look like the end
	}
}

func (p *plane) unknownPool(name string) *problem {
	var names []string
	for _, pool := range p.Fleet.Status() {
		if pool.Name == name {
			return nil
		}
		names = append(names, pool.Name)
	}
	return &problem{
		Status: http.StatusNotFound, Code: "unknown-pool",
		Detail: fmt.Sprintf("there is no pool %q; there are: %s", clip(name, 80), strings.Join(names, ", ")),
	}
}
