package chart

import (
	"fmt"
	"math"
	"strings"
)

// Line draws a value for each of n columns as steps. Columns without a value, NaN, are left out.
func (c *Chart) Line(class string, n int, value func(i int) float64) { c.steps(class, n, value, false) }

// Area is Line filled down to the ground.
func (c *Chart) Area(class string, n int, value func(i int) float64) { c.steps(class, n, value, true) }

// Level draws a straight line from left to right.
func (c *Chart) Level(class string, v float64) {
	fmt.Fprintf(&c.drawn, `<path class="%s" d="M0 %.1fH%g"/>`, class, y(v, c.o.Most), fieldWidth)
}

func (c *Chart) steps(class string, n int, value func(i int) float64, area bool) {
	var d strings.Builder
	pen := false // it is on the paper
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
			fmt.Fprintf(&d, "M%.1f %.1f", x(i, n), field)
			command = "L"
		}
		fmt.Fprintf(&d, "%s%.1f %.1fH%.1f", command, x(i, n), y(v, c.o.Most), x(i+1, n))
		pen = true
		if area && (i+1 == n || math.IsNaN(value(i+1))) {
			fmt.Fprintf(&d, "V%.1fZ", field)
			pen = false
		}
	}
	fmt.Fprintf(&c.drawn, `<path class="%s" d="%s"/>`, class, d.String())
}

func x(i, of int) float64 { return fieldWidth * float64(i) / float64(of) }

func y(v, most float64) float64 { return field * (1 - min(v, most)/most) }
