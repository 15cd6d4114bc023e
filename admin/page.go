package admin

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
)

// The page is drawn here and reloads itself; it runs no script.
//
//go:embed assets
var assets embed.FS

// page is the status page's template.
type page struct{ html *template.Template }

// newPage reads the embedded template; one that does not parse is a broken build.
func newPage() *page {
	functions := template.FuncMap{"plain": plain, "ms": showMillis, "age": showAge, "bar": barOf, "states": stateCounts}
	return &page{template.Must(template.New("page.html").Funcs(functions).ParseFS(assets, "assets/page.html"))}
}

// pageData is what the template is given.
type pageData struct {
	Status    Status
	Decisions []Decision // newest first
}

const (
	pageDecisions = 12
	pageRefresh   = "2" // seconds
)

func (p *plane) servePage(w http.ResponseWriter, _ *http.Request) {
	d := pageData{Status: p.status(), Decisions: p.decisions(pageDecisions).Decisions}
	slices.Reverse(d.Decisions)
	var b strings.Builder // so that an error half way is not half a page
	if err := p.page.html.Execute(&b, d); err != nil {
		problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "the page could not be drawn: " + err.Error()}.write(w)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Refresh", pageRefresh)
	w.Write([]byte(b.String())) // an error means the client left; nobody is there to be told
}

func serveAsset(name, kind string) http.HandlerFunc {
	body, err := assets.ReadFile("assets/" + name)
	return func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			problem{Status: http.StatusInternalServerError, Code: "internal", Detail: err.Error()}.write(w)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Write(body) // an error means the client left; nobody is there to be told
	}
}

// bar is a latency on a scale of which the target is the middle.
type bar struct {
	Name  string
	MS    float64
	Width float64 // 0 to 100, 50: the target
	Over  bool
}

func barOf(p Pool) []bar {
	bars := []bar{{Name: "p50", MS: p.P50MS}, {Name: "p95", MS: p.P95MS}, {Name: "p99", MS: p.P99MS}}
	for i, b := range bars {
		if p.TargetMS > 0 {
			bars[i].Width = min(100, 50*b.MS/p.TargetMS)
			bars[i].Over = b.MS > p.TargetMS
		}
	}
	return bars
}

// stateCounts says how many workers are in each state there is, such as "2 active, 1 spare".
func stateCounts(workers []Worker) string {
	var parts []string
	for _, state := range []string{"active", "spare", "starting", "draining", "failed"} {
		n := 0
		for _, w := range workers {
			if w.State == state {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
