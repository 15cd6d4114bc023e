package simulate

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed picture.css
var pictureStyle string

const titleHeight = 26.0

// WriteSVG writes the pictures alone, one policy below the other, for a page of somebody else's.
func (r *Report) WriteSVG(w io.Writer) error {
	latency, workers := r.scales()
	block := titleHeight + 2*wholeHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" aria-label="%s">`, wholeWidth, block*float64(len(r.Policies)),
		template.HTMLEscapeString("simulation of "+r.Trace))
	fmt.Fprintf(&b, `<style>%s</style><rect class="paper" width="100%%" height="100%%"/>`, pictureStyle)
	for i, res := range r.Policies {
		y := block * float64(i)
		fmt.Fprintf(&b, `<text class="title" x="%g" y="%g">%s: %.2f %% missed because they waited, %.1f workers on average</text>`, marginLeft, y+18,
			template.HTMLEscapeString(res.Name), 100*res.Avoidable, res.WorkerSeconds/r.length.Seconds())
		place := ` x="0" y="%g" width="%g" height="%g"`
		b.WriteString(r.latencyPicture(res, latency, fmt.Sprintf(place, y+titleHeight, wholeWidth, wholeHeight)))
		b.WriteString(r.workersPicture(res, workers, fmt.Sprintf(place, y+titleHeight+wholeHeight, wholeWidth, wholeHeight)))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}
