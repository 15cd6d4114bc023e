package app

import (
	"io"
	"strings"
	"testing"
)

func TestALineThatNeverEndsIsCutAndTheOthersAreWhole(t *testing.T) {
	var out strings.Builder
	l := &lineWriter{w: &out}
	l.copy("w1", io.NopCloser(strings.NewReader("short\r\n\n"+strings.Repeat("x", 1<<20)+"\nlast")))
	lines := strings.Split(out.String(), "\n")
	if want := 2 + (1<<20)/longestLine; len(lines) < want || len(lines) > want+3 {
		t.Fatalf("%d lines, want about %d", len(lines), want)
	}
	for i, line := range lines[:len(lines)-1] {
		if rest, ok := strings.CutPrefix(line, "w1 | "); !ok || len(rest) > longestLine {
			t.Fatalf("line %d is %.40q", i, line)
		}
	}
	if lines[0] != "w1 | short\r" || lines[1] != "w1 | " || lines[len(lines)-2] != "w1 | last" || lines[len(lines)-1] != "" {
		t.Errorf("got %.20q, %.20q ... %.20q", lines[0], lines[1], lines[len(lines)-2:])
	}
	if got := strings.Count(out.String(), "x"); got != 1<<20 {
		t.Errorf("%d of 1 MiB", got)
	}
}
