package simulate

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"understudy/chart"
)

// What the pictures measure where they stand alone.
const (
	titleHeight  = 26.0
	pictureWidth = 764.0
	wholeWidth   = 8 + pictureWidth + 8
)

// WriteSVG writes the pictures alone, one policy below the other, for a page of somebody else's.
func (r *Report) WriteSVG(w io.Writer) error {
	latency, workers := r.scales()
	block := titleHeight + 2*chart.Height
	whole := block * float64(len(r.Policies))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" aria-label="%s">`, wholeWidth, whole,
		template.HTMLEscapeString("simulation of "+r.Trace))
	fmt.Fprintf(&b, `<style>%s</style><rect class="paper" width="100%%" height="100%%"/>`, chart.Style)
	for i, res := range r.Policies {
		y := block * float64(i)
		fmt.Fprintf(&b, `<text class="title" x="8" y="%g">%s: %.2f %% missed because they waited, %.1f workers on average</text>`, y+18,
			template.HTMLEscapeString(res.Name), 100*res.Avoidable, res.WorkerSeconds/r.length.Seconds())
		b.WriteString(r.latencyPicture(res, latency, place{pictureWidth, y + titleHeight}))
		b.WriteString(r.workersPicture(res, workers, place{pictureWidth, y + titleHeight + chart.Height}))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}
