package main

import (
	"strings"
	"testing"
)

func TestATableIsLinedUp(t *testing.T) {
	var b strings.Builder
	x := table{title: "Title", columns: []string{"", "µs", "ratio"}}
	x.add("understudy", "47.0", "1.00")
	x.add("≤ nginx", "7.0", "10.00")
	x.print(&b)
	want := `
Title
                µs  ratio
  understudy  47.0   1.00
  ≤ nginx      7.0  10.00
`
	if b.String() != want {
		t.Errorf("%s\nwant %s", b.String(), want)
	}
}

func TestAGoalIsMetUpToItsBound(t *testing.T) {
	for _, c := range []struct {
		is     float64
		atMost bool
		want   string
	}{
		{0.6, true, "  goal CPU ≤ 0.6: 0.6, met\n"}, {0.61, true, "  goal CPU ≤ 0.6: 0.61, not met\n"},
		{0.6, false, "  goal CPU ≥ 0.6: 0.6, met\n"}, {0.59, false, "  goal CPU ≥ 0.6: 0.59, not met\n"},
	} {
		var b strings.Builder
		goal(&b, "CPU", c.is, 0.6, c.atMost, "")
		if b.String() != c.want {
			t.Errorf("%q, want %q", b.String(), c.want)
		}
	}
}
