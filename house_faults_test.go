package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHouseEveryFaultIsInTheTableWithAllItsTests holds docs/FAULTS.md to the tests there are, by the number in their names.
func TestHouseEveryFaultIsInTheTableWithAllItsTests(t *testing.T) {
	text, err := os.ReadFile("docs/FAULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string][]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (D\d\d) \|.*$`).FindAllStringSubmatch(string(text), -1) {
		told[row[1]] = regexp.MustCompile(`TestD\w+`).FindAllString(row[0], -1)
	}
	there := numbered(t)
	for n := 1; n <= 32; n++ {
		row := fmt.Sprintf("D%02d", n)
		slices.Sort(told[row])
		if len(there[row]) == 0 || !slices.Equal(told[row], there[row]) {
			t.Errorf("row %s names\n  %s\nthe tests of that number are\n  %s", row, strings.Join(told[row], ", "), strings.Join(there[row], ", "))
		}
	}
	if len(told) != 32 || len(there) != 32 {
		t.Errorf("%d rows, tests of %d numbers", len(told), len(there))
	}
}

// numbered are all tests of the program that have a fault's number in their names, by number and in order.
func numbered(t *testing.T) map[string][]string {
	out := map[string][]string{}
	test := regexp.MustCompile(`(?m)^func (Test(D\d\d)\w*)\(`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range test.FindAllStringSubmatch(string(text), -1) {
			out[m[2]] = append(out[m[2]], m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range out {
		slices.Sort(names)
	}
	return out
}
