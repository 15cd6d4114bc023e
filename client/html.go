package client

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"

	"understudy/chart"
)

//go:embed page.html
var htmlText string

//go:embed page.css
var htmlStyle string

// htmlPage is what the template is given. Whatever came from the target, a worker or a trace is a plain string in it, which the template
// escapes for where it stands.
type htmlPage struct {
	*Report
	Policy       template.HTMLAttr
	Style        template.CSS
	KeptUpWords  string // empty: it did
	Drawings     []drawing
	Latencies    []named[Latency]
	Capabilities []named[CapabilityReport]
	Workers      []named[WorkerReport]
	MoreWorkers  int // not listed
	Statuses     []named[int]
	Causes       []errorRow
}

// named is an entry of a map in the order it is shown in.
type named[V any] struct {
	Name string
	V    V
}

type errorRow struct {
	Cause  Cause
	Count  int
	Sample string
}

// htmlWorkers is how many workers the page lists: each makes it about 100 bytes longer.
const htmlWorkers = 200

// WriteHTML writes the report as one page that needs nothing else: no script, no network, no other file. Pictures of the run over time
// come first, then what the text report says.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"short": short, "plural": plural, "percent": percent,
	}).Parse(htmlText)
	if err != nil {
		return err
	}
	return t.Execute(w, r.htmlPage())
}

func (r *Report) htmlPage() htmlPage {
	style := chart.Style + htmlStyle
	p := htmlPage{
		Report: r, Policy: onlyStyle(style), Style: template.CSS(style), Drawings: r.drawings(),
		Latencies: r.latencies(), Capabilities: byName(r.Capabilities), Workers: byName(r.Workers),
	}
	if !r.KeptUp {
		p.KeptUpWords = keptUpSentence(r)
	}
	p.MoreWorkers = max(len(p.Workers)-htmlWorkers, 0)
	p.Workers = p.Workers[:len(p.Workers)-p.MoreWorkers]
	for status, n := range sorted(r.Statuses) {
		p.Statuses = append(p.Statuses, named[int]{strconv.Itoa(status), n})
	}
	for cause, n := range sorted(r.ErrorsByCause) {
		if n > 0 {
			p.Causes = append(p.Causes, errorRow{cause, n, r.ErrorSamples[cause]})
		}
	}
	return p
}

// onlyStyle is a policy under which a browser takes this style sheet and nothing else, whatever the page may hold.
func onlyStyle(style string) template.HTMLAttr {
	sum := sha256.Sum256([]byte(style))
	return template.HTMLAttr(fmt.Sprintf(`content="default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'"`,
		base64.StdEncoding.EncodeToString(sum[:])))
}

func byName[V any](m map[string]V) []named[V] {
	var rows []named[V]
	for name, v := range sorted(m) {
		rows = append(rows, named[V]{name, v})
	}
	return rows
}

// percent is a share of the whole, as in 0.5 %.
func percent(part, whole int) string {
	share := 100 * float64(part) / float64(max(whole, 1))
	if share > 0 && share < 0.001 {
		return "<0.001 %"
	}
	return fmt.Sprintf("%.3g %%", share)
}
