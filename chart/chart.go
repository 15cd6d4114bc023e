// Package chart draws small diagrams as SVG: areas, lines and levels over a common horizontal axis, for the pages that simulate and
// client write. It uses no script and no font of its own, and takes the width it is given: what is drawn is stretched, the words
// keep their size, so that a picture can be read on a telephone too.
package chart

import (
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Style is the style sheet of every chart: its colours by name, light and dark, and the classes that are drawn with.
//
// Areas: wide, have, bad. Lines: line, thin, use. A level: target.
//
//go:embed style.css
var Style string

// Height is how many units, or pixels, a chart takes from top to bottom.
const Height = above + field + below

// The field that is drawn on is fieldWidth by field units; above it is room for the highest label, below it for those of the axis.
const (
	above, field, below = 18.0, 120.0, 18.0
	fieldWidth          = 1000.0
)

// Chart is one diagram in the making. Not safe for concurrent use.
type Chart struct {
	out   strings.Builder
	drawn strings.Builder // the inner drawing, whose width is stretched
	o     Options
}

// Options say what a chart is about. Every text is escaped.
type Options struct {
	Title   string  // what is seen, for those who do not see it
	Desc    string  // the same at length; may be empty
	Caption string  // shown in the corner; may be empty
	Most    float64 // the value at the top; more than 0. What is higher is cut off there
	Unit    string  // behind the values, such as " ms"
	Ticks   []Tick  // below the axis

	// Width and Y place the chart in a drawing of somebody else's. Zero: it takes the width of its place in a page.
	Width, Y float64
}

// Tick is a word below the horizontal axis.
type Tick struct {
	At   float64 // from 0, left, to 1
	Text string
}

// New begins a chart with its frame.
func New(o Options) *Chart {
	c := &Chart{o: o}
	place := `width="100%"`
	if o.Width > 0 {
		place = fmt.Sprintf(`x="8" y="%g" width="%g"`, o.Y, o.Width)
	}
	c.printf(`<svg class="chart" %s height="%g" role="img"><title>%s</title>`, place, Height, escape(o.Title))
	if o.Desc != "" {
		c.printf(`<desc>%s</desc>`, escape(o.Desc))
	}
	for _, v := range c.levels() {
		c.printf(`<line class="grid" x1="0" x2="100%%" y1="%.1f" y2="%.1f"/>`, above+y(v, o.Most), above+y(v, o.Most))
	}
	return c
}

func (c *Chart) levels() []float64 { return []float64{0, c.o.Most / 2, c.o.Most} }

// String ends the chart and returns it. The words come last: they lie on top, so that they can be read.
func (c *Chart) String() string {
	c.printf(`<svg y="%g" width="100%%" height="%g" viewBox="0 0 %g %g" preserveAspectRatio="none" overflow="visible">%s</svg>`,
		above, field, fieldWidth, field, c.drawn.String())
	for _, v := range c.levels()[1:] { // that the ground is 0 goes without saying, and a word would cover what is low
		c.printf(`<text x="2" y="%.1f">%s%s</text>`, above+y(v, c.o.Most)-4, figure(v), escape(c.o.Unit))
	}
	for _, t := range c.o.Ticks {
		c.printf(`<text class="%s" x="%g%%" y="%g">%s</text>`, anchor(t.At), 100*t.At, above+field+14, escape(t.Text))
	}
	if c.o.Caption != "" {
		c.printf(`<text class="end" x="100%%" y="12">%s</text>`, escape(c.o.Caption))
	}
	c.printf(`</svg>`)
	return c.out.String()
}

// figure writes v without an exponent.
func figure(v float64) string { return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64) }

// anchor keeps the first and the last tick from being cut off.
func anchor(at float64) string {
	switch {
	case at <= 0:
		return "start"
	case at > 0.95:
		return "end"
	}
	return "mid"
}

func (c *Chart) printf(format string, args ...any) { fmt.Fprintf(&c.out, format, args...) }

func escape(s string) string { return template.HTMLEscapeString(s) }
