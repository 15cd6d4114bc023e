package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHouseImportsRunOneWay keeps the layers of docs/ARCHITECTURE.md: what each package may import of ours.
func TestHouseImportsRunOneWay(t *testing.T) {
	allowed := map[string][]string{
		"understudy":                            {"cli"},
		"understudy/fleet":                      {"meter"},
		"understudy/fleet/clocktest":            {},
		"understudy/meter":                      {},
		"understudy/scaler/policy":              {},
		"understudy/probe":                      {},
		"understudy/config":                     {"driver"}, // what no worker is granted; it starts none
		"understudy/config/pairtest":            {},
		"understudy/deploy":                     {},
		"understudy/driver":                     {},
		"understudy/driver/docker":              {"driver", "driver/tail", "logs"},
		"understudy/driver/docker/enginetest":   {},
		"understudy/driver/docker/registrytest": {},
		"understudy/driver/process":             {"driver", "driver/tail"},
		"understudy/driver/drivertest":          {"driver", "driver/tail"},
		"understudy/driver/tail":                {},
		"understudy/worker":                     {},
		"understudy/chart":                      {},
		"understudy/client":                     {"trace", "chart", "h1"},
		"understudy/examples/client-go":         {"client"},
		"understudy/h1":                         {},
		"understudy/trace":                      {},
		"understudy/simulate":                   {"fleet", "meter", "scaler", "scaler/policy", "scaler/policy/reference", "config", "trace", "chart"},
		"understudy/scaler":                     {"scaler/policy", "fleet", "meter", "driver", "config", "probe", "logs"},
		"understudy/balancer/acceptance":        {},
		"understudy/balancer":                   {"fleet", "meter", "driver", "config", "probe", "h1", "logs"},
		"understudy/logs":                       {},
		"understudy/tracing":                    {"balancer", "fleet", "logs"},
		"understudy/handover":                   {"fleet"},
		"understudy/metrics":                    {"fleet"},
		"understudy/dashboard":                  {"fleet"},
		"understudy/admin":                      {"dashboard", "fleet", "scaler", "scaler/policy", "driver"},
		"understudy/scaler/policy/reference":    {"scaler/policy"},
	}
	for pkg, imports := range imports(t) {
		list, ok := allowed[pkg]
		if !ok {
			if pkg != "understudy/app" && pkg != "understudy/cli" && !strings.HasPrefix(pkg, "understudy/e2e") && !strings.HasPrefix(pkg, "understudy/bench") {
				t.Errorf("%s is a new room: say here what it may import", pkg)
			}
			continue
		}
		for _, imported := range imports {
			ours, is := strings.CutPrefix(imported, "understudy/")
			if is && !slices.Contains(list, ours) {
				t.Errorf("%s imports %s", pkg, imported)
			}
			if strings.HasPrefix(imported, "github.com/docker/") && pkg != "understudy/driver/docker" {
				t.Errorf("%s imports %s: only driver/docker knows the SDK", pkg, imported)
			}
			if strings.Contains(imported, ".") && pkg == "understudy/driver/docker/enginetest" {
				t.Errorf("%s imports %s: an engine that shares code with its client shares its mistakes", pkg, imported)
			}
			if strings.HasPrefix(imported, "go.opentelemetry.io/") && pkg != "understudy/tracing" {
				t.Errorf("%s imports %s: only tracing knows the SDK", pkg, imported)
			}
		}
	}
}

// TestHousePolicyIsPure: the decision can do no I/O because it imports nothing that could.
func TestHousePolicyIsPure(t *testing.T) {
	pure := []string{"cmp", "errors", "fmt", "math", "math/bits", "slices", "time"}
	for _, imported := range imports(t)["understudy/scaler/policy"] {
		if !slices.Contains(pure, imported) {
			t.Errorf("scaler/policy imports %s", imported)
		}
	}
}

func imports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		all[fields[0]] = fields[1:]
	}
	return all
}

// TestHouseSizesAndHabits: files and functions that outgrow the house hide a concept that waits for a name.
func TestHouseSizesAndHabits(t *testing.T) {
	const maxFile, maxFunc = 400, 60
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		test := strings.HasSuffix(path, "_test.go")
		if lines := set.Position(file.End()).Line; lines > maxFile && !test {
			t.Errorf("%s has %d lines, the stop is %d", path, lines, maxFile)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if lines := set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1; lines > maxFunc && !test {
					t.Errorf("%s: %s has %d lines, the stop is %d", set.Position(n.Pos()), n.Name.Name, lines, maxFunc)
				}
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: init()", set.Position(n.Pos()))
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && n.Sel.Name == "Sleep" {
					t.Errorf("%s: time.Sleep: wait for the event, or select on a timer and a context", set.Position(n.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
