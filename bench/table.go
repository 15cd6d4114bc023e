package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is lined up in columns, the first to the left and the others to the right.
type table struct {
	title   string
	columns []string
	rows    [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", t.title)
	first := len(t.columns[0])
	for _, row := range t.rows {
		first = max(first, len([]rune(row[0])))
	}
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([][]string{t.columns}, t.rows...) {
		pad := strings.Repeat(" ", first-len([]rune(row[0])))
		fmt.Fprintf(tab, "%s%s\t%s\t\n", row[0], pad, strings.Join(row[1:], "\t"))
	}
	tab.Flush()
}

// goal prints whether a ratio or a figure is what it should be.
func goal(w io.Writer, what string, is, allowed float64, atMost bool, unit string) {
	sign, met := "≤", is <= allowed
	if !atMost {
		sign, met = "≥", is >= allowed
	}
	verdict := "met"
	if !met {
		verdict = "not met"
	}
	fmt.Fprintf(w, "  goal %s %s %.4g%s: %.3g%s, %s\n", what, sign, allowed, unit, is, unit, verdict)
}
