package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHouseOperationsQuotesWhatIsSaid: who looks for a sentence of the log in docs/OPERATIONS.md must find it, so the second column of its table
// of failures quotes what the program says. What an engine says is marked as such there.
func TestHouseOperationsQuotesWhatIsSaid(t *testing.T) {
	doc, err := os.ReadFile("docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "\n## Failures at a glance\n")
	table, _, _ = strings.Cut(table, "\n## ")
	said, quotes := sources(t), 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, " | ")
		if len(cells) != 4 || strings.Contains(cells[1], "the engine's words") {
			continue
		}
		for _, quote := range regexp.MustCompile("`[^`]+`").FindAllString(cells[1], -1) {
			for part := range strings.SplitSeq(strings.Trim(quote, "`"), "…") {
				quotes++
				if !strings.Contains(said, strings.TrimSpace(part)) {
					t.Errorf("nothing in the program says %q", part)
				}
			}
		}
	}
	if quotes < 30 {
		t.Errorf("only %d parts of sentences were found in the table", quotes)
	}
}

// sources are all Go files but tests, with sentences that go over a line joined and what a format leaves open left out.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	joined := regexp.MustCompile(`"\+\s*"|" \+\s*"`).ReplaceAllString(all.String(), "")
	return regexp.MustCompile(`%[a-z]`).ReplaceAllString(joined, "…")
}
