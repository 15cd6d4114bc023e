package simulate

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"understudy/chart"
)

//go:embed page.html
var pageText string

// page is what the template is given.
type page struct {
	Report   *Report
	Style    template.CSS
	Length   time.Duration
	Target   time.Duration
	Seed     uint64
	Refused  bool
	Policies []pictured
}

// pictured is a result with its two pictures.
type pictured struct {
	Result
	Refused, Most    int
	Mean             float64 // workers
	Latency, Workers template.HTML
}

// WriteHTML writes the report as one page that needs nothing else: a table, and for each policy latency and workers over time.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"percent": func(v float64) string { return fmt.Sprintf("%.2f", 100*v) },
		"whole":   func(v float64) string { return fmt.Sprintf("%.0f", v) },
		"two":     func(v float64) string { return fmt.Sprintf("%.2f", v) },
	}).Parse(pageText)
	if err != nil {
		return err
	}
	p := page{Report: r, Style: template.CSS(chart.Style), Length: r.length, Target: r.target(), Seed: r.seed, Refused: r.refused()}
	latency, workers := r.scales()
	for _, res := range r.Policies {
		p.Policies = append(p.Policies, pictured{
			Result: res, Refused: res.refused, Most: res.most, Mean: res.WorkerSeconds / r.length.Seconds(),
			Latency: template.HTML(r.latencyPicture(res, latency, place{})), // made of numbers, and a name that is escaped
			Workers: template.HTML(r.workersPicture(res, workers, place{})),
		})
	}
	return t.Execute(w, p)
}
