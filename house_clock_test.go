package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHouseDatesAreForPeople: a time.Time measures as long as it is left alone. What is made from a date, or was rid of all but its date, makes
// durations that change when somebody sets the clock, so in the rooms that measure, dates are made only where they are shown, sent, or meant.
func TestHouseDatesAreForPeople(t *testing.T) {
	rooms := []string{"balancer", "driver", "driver/docker", "driver/process", "fleet", "h1", "handover", "logs", "meter", "probe", "scaler", "scaler/policy"}
	meant := map[string]int{ // file and what it uses, how often
		"balancer/bodyend.go Unix":         1, // a deadline that is over
		"driver/docker/events.go UnixNano": 1, // the engine asks for a date
		"driver/docker/inspect.go Parse":   1, // Created, which only orders a list
		"driver/docker/list.go Unix":       1,
		"h1/conn.go Unix":                  1, // a deadline that is over
		"h1/server.go UTC":                 1, // the Date of an answer
		"h1/server.go Unix":                2,
		"h1/serverwait.go Unix":            1, // a deadline that is over
		"logs/access.go UTC":               1, // the date of a line
		"logs/access.go Unix":              1,
	}
	found := map[string]int{}
	for _, room := range rooms {
		files, err := filepath.Glob(room + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", room, len(files), err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, used := range dates(file) {
				found[path+" "+used]++
			}
		}
	}
	for use, n := range found {
		if n > meant[use] {
			t.Errorf("%s, %d times: it makes a date, or leaves nothing but one, and what is measured with it changes when the clock is set; say here that no duration comes of it", use, n)
		}
	}
	for use, n := range meant {
		if found[use] < n {
			t.Errorf("%s is there %d times, not %d: say so here", use, found[use], n)
		}
	}
}

// dates finds the functions and methods of package time that make a date, or rid a time of what it measures with. Round and Truncate do that too,
// but durations have them as well: for these there is Round(0), which is for nothing else.
func dates(file *ast.File) (used []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, _ := f.X.(*ast.Ident)
		ofTime := pkg != nil && pkg.Name == "time"
		name := f.Sel.Name
		switch {
		case ofTime && slices.Contains([]string{"Unix", "UnixMilli", "UnixMicro", "Date", "Parse", "ParseInLocation"}, name),
			!ofTime && len(call.Args) == 0 && slices.Contains([]string{"Unix", "UnixMilli", "UnixMicro", "UnixNano", "UTC", "Local"}, name),
			!ofTime && name == "Round" && len(call.Args) == 1 && isZero(call.Args[0]):
			used = append(used, name)
		}
		return true
	})
	return used
}

func isZero(e ast.Expr) bool {
	literal, ok := e.(*ast.BasicLit)
	return ok && literal.Value == "0"
}
