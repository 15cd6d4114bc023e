package simulate

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"
)

// scales are the greatest values shown, the same for all policies so that pictures can be compared. Latency beyond ten targets is cut off:
// one policy that fails would flatten all others.
func (r *Report) scales() (latency, workers float64) {
	latency = 2 * r.TargetMS
	for _, p := range r.Policies {
		for _, c := range p.series.columns {
			latency = max(latency, milliseconds(c.p95))
			workers = max(workers, float64(c.workers)/float64(p.series.width))
		}
	}
	return roundUp(min(latency, 10*r.TargetMS)), roundUp(max(workers, 2))
}

// roundUp finds the next 1, 2, 3, 4, 5, 6 or 8 times a power of ten.
func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 3, 4, 5, 6, 8} {
		if v <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// A picture's inner field, in the units of its viewBox.
const (
	pictureWidth, pictureHeight = 720.0, 120.0
	marginLeft, marginBottom    = 52.0, 18.0
	marginTop                   = 8.0
	wholeWidth                  = marginLeft + pictureWidth + 8
	wholeHeight                 = marginTop + pictureHeight + marginBottom
)

// picture is one diagram over time.
type picture struct {
	strings.Builder
	most float64 // at the top
}

// newPicture begins one. place is attributes that say where it goes when it is part of another.
func newPicture(caption, of string, most float64, place string) *picture {
	p := &picture{most: most}
	fmt.Fprintf(p, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s"%s>`, wholeWidth, wholeHeight,
		template.HTMLEscapeString(caption+" over time with "+of), place)
	return p
}

func (p *picture) y(v float64) float64 {
	return marginTop + pictureHeight*(1-min(v, p.most)/p.most)
}

func (p *picture) x(i, of int) float64 { return marginLeft + pictureWidth*float64(i)/float64(of) }

// axes draws the frame with its figures: values on the left, time below.
func (p *picture) axes(length time.Duration, unit string) {
	for _, v := range []float64{0, p.most / 2, p.most} {
		fmt.Fprintf(p, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, marginLeft, marginLeft+pictureWidth, p.y(v), p.y(v))
		fmt.Fprintf(p, `<text class="end" x="%g" y="%.1f">%g%s</text>`, marginLeft-5, p.y(v)+4, v, unit)
	}
	for i := range 5 {
		at := length * time.Duration(i) / 4
		fmt.Fprintf(p, `<text class="%s" x="%.1f" y="%g">%s</text>`, []string{"start", "mid", "mid", "mid", "end"}[i], p.x(i, 4),
			marginTop+pictureHeight+14, clock(at))
	}
}

// clock writes 1:05 or 1:00:05.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// steps draws a value for each column: a line, closed to the ground when it is an area. Columns without a value, NaN, are left out.
func (p *picture) steps(class string, n int, value func(i int) float64, area bool) {
	var d strings.Builder
	pen := false
	for i := range n {
		v := value(i)
		if math.IsNaN(v) {
			pen = false
			continue
		}
		command := "M"
		if pen {
			command = "L"
		} else if area {
			fmt.Fprintf(&d, "M%.1f %.1f", p.x(i, n), p.y(0))
			command = "L"
		}
		fmt.Fprintf(&d, "%s%.1f %.1fH%.1f", command, p.x(i, n), p.y(v), p.x(i+1, n))
		pen = true
		if area && (i+1 == n || math.IsNaN(value(i+1))) {
			fmt.Fprintf(&d, "V%.1fZ", p.y(0))
			pen = false
		}
	}
	fmt.Fprintf(p, `<path class="%s" d="%s"/>`, class, d.String())
}

// done ends the picture with what it is about, above the rest so that it can be read.
func (p *picture) done(caption string) string {
	fmt.Fprintf(p, `<text x="%g" y="%g">%s</text></svg>`, marginLeft+6, marginTop+12, caption)
	return p.String()
}

func (r *Report) latencyPicture(res Result, most float64, place string) string {
	p := newPicture("latency", res.Name, most, place)
	p.axes(r.length, " ms")
	cols := res.series.columns
	of := func(get func(column) time.Duration) func(int) float64 {
		return func(i int) float64 {
			if cols[i].ended == 0 {
				return math.NaN()
			}
			return milliseconds(get(cols[i]))
		}
	}
	p.steps("p95", len(cols), of(func(c column) time.Duration { return c.p95 }), true)
	p.steps("p50", len(cols), of(func(c column) time.Duration { return c.p50 }), false)
	fmt.Fprintf(p, `<line class="target" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, marginLeft, marginLeft+pictureWidth, p.y(r.TargetMS), p.y(r.TargetMS))
	return p.done("latency")
}

func (r *Report) workersPicture(res Result, most float64, place string) string {
	p := newPicture("workers", res.Name, most, place)
	p.axes(r.length, "")
	cols, width := res.series.columns, float64(res.series.width)
	last := float64(r.length - time.Duration(len(cols)-1)*res.series.width)
	share := func(v time.Duration, i int) float64 {
		if i == len(cols)-1 {
			return float64(v) / last
		}
		return float64(v) / width
	}
	p.steps("workers", len(cols), func(i int) float64 { return share(cols[i].workers, i) }, true)
	p.steps("busy", len(cols), func(i int) float64 { return share(cols[i].busy, i) }, false)
	return p.done("workers")
}
