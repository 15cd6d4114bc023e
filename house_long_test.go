package main

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHouseNoLongTestIsForgotten: what the build tags long and engine keep out of make test is run by make test-long and make engine-faults, all of it.
func TestHouseNoLongTestIsForgotten(t *testing.T) {
	for target, tags := range map[string][]string{"test-long": {"long"}, "engine-faults": {"long", "engine"}} {
		out, err := exec.Command("make", "-n", target, "RUN=").CombinedOutput()
		found := regexp.MustCompile(`-tags (\S+) .*-run '([^']+)'.* \./e2e\b`).FindSubmatch(out)
		if err != nil || found == nil || string(found[1]) != strings.Join(tags, ",") {
			t.Fatalf("make %s: %v: %s", target, err, out)
		}
		runs, tests := regexp.MustCompile(string(found[2])), tagged(t, tags[len(tags)-1])
		for _, name := range tests {
			if !runs.MatchString(name) {
				t.Errorf("make %s does not run %s", target, name)
			}
		}
		if len(tests) < 5 {
			t.Errorf("only %v are built with %s", tests, tags)
		}
	}
}

// tagged are the tests that are built only with this tag, alone or with others. Such tests are in e2e and nowhere else: no target looks for them there.
func tagged(t *testing.T, tag string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		line, _, _ := bytes.Cut(text, []byte("\n"))
		rule, err := constraint.Parse(string(line))
		if err != nil || !strings.Contains(rule.String(), tag) {
			return nil // it is always built, or with another tag
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			names = append(names, f.Name.Name)
			if filepath.Dir(path) != "e2e" || !rule.Eval(func(has string) bool { return has == tag }) {
				t.Errorf("%s is in %s with %q, where nothing runs it", f.Name.Name, path, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
