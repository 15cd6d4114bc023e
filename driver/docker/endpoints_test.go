package docker

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api"
	"github.com/docker/docker/client"
)

// TestTheDocumentedPartOfTheAPIIsWhatWeCall: whoever puts a filter before the socket goes by the list in docs/SECURITY.md. What this
// package's code calls is read from the code; which requests that comes to, the SDK itself is asked.
func TestTheDocumentedPartOfTheAPIIsWhatWeCall(t *testing.T) {
	want := map[string]bool{}
	for _, method := range calledMethods(t) {
		requests := requestsOf(t, method)
		if len(requests) == 0 && method.Name != "Close" && method.Name != "NegotiateAPIVersionPing" {
			t.Errorf("%s makes no request", method.Name)
		}
		for _, r := range requests {
			want[r] = true
		}
	}
	if len(want) < 15 {
		t.Fatalf("only %q are called: the code was not read", slices.Sorted(maps.Keys(want)))
	}
	documented := documentedRequests(t)
	for _, r := range slices.Sorted(maps.Keys(want)) {
		if !documented[r] {
			t.Errorf("docs/SECURITY.md lacks %s", r)
		}
	}
	for _, r := range slices.Sorted(maps.Keys(documented)) {
		if !want[r] {
			t.Errorf("docs/SECURITY.md has %s, which nothing calls", r)
		}
	}
}

// calledMethods are the SDK client's that occur in this package's code.
func calledMethods(t *testing.T) (out []reflect.Method) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if selector, ok := call.Fun.(*ast.SelectorExpr); ok && isClient(selector.X) {
					names[selector.Sel.Name] = true
				}
			}
			return true
		})
	}
	names["Ping"] = true // the version is negotiated with it
	sdk := reflect.TypeFor[*client.Client]()
	for i := range sdk.NumMethod() {
		if method := sdk.Method(i); names[method.Name] {
			out = append(out, method)
		}
	}
	return out
}

// isClient tells whether an expression is the SDK's client, by its name: api, or what a method api returns.
func isClient(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "api"
	case *ast.CallExpr:
		selector, ok := x.Fun.(*ast.SelectorExpr)
		return ok && selector.Sel.Name == "api"
	}
	return false
}

// requestsOf calls a method of the SDK with whatever fits and says what an engine is asked by it.
func requestsOf(t *testing.T, method reflect.Method) (out []string) {
	t.Helper()
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/v"+api.DefaultVersion)
		mu.Lock()
		out = append(out, r.Method+" "+strings.NewReplacer("images/xid", "images/{name}", "xid", "{id}").Replace(path))
		mu.Unlock()
		io.WriteString(w, "{}")
	}))
	defer server.Close()
	sdk, err := client.NewClientWithOpts(client.WithHost("tcp://" + server.Listener.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	defer sdk.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	args := []reflect.Value{reflect.ValueOf(sdk)}
	last := method.Type.NumIn()
	if method.Type.IsVariadic() {
		last--
	}
	for i := 1; i < last; i++ {
		args = append(args, fitting(ctx, method.Type.In(i)))
	}
	var channels []reflect.SelectCase
	for _, result := range method.Func.Call(args) {
		if result.Kind() == reflect.Chan {
			channels = append(channels, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: result})
		}
	}
	if len(channels) > 0 { // somebody waits to tell what came of it
		reflect.Select(channels)
	}
	mu.Lock()
	defer mu.Unlock()
	return slices.Clone(out)
}

func fitting(ctx context.Context, t reflect.Type) reflect.Value {
	switch {
	case t == reflect.TypeFor[context.Context]():
		return reflect.ValueOf(ctx)
	case t == reflect.TypeFor[string]():
		return reflect.ValueOf("xid") // also the name of an image
	case t.Kind() == reflect.Pointer:
		return reflect.New(t.Elem())
	}
	return reflect.Zero(t)
}

// documentedRequests reads the list: in the block behind the words "minimal API", a method and a path a line.
func documentedRequests(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "minimal API")
	_, rest, opened := strings.Cut(rest, "```\n")
	block, _, closed := strings.Cut(rest, "```")
	if !found || !opened || !closed {
		t.Fatal("docs/SECURITY.md has no list of the minimal API")
	}
	out := map[string]bool{}
	for line := range strings.Lines(block) {
		out[strings.Join(strings.Fields(line), " ")] = true
	}
	return out
}
