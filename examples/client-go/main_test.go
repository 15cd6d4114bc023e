package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"understudy/worker"
)

// build makes the program as a reader would.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "client-go")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

func served(t *testing.T, h http.Handler) string {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestTheExampleKeepsAndBreaksItsPromises(t *testing.T) {
	binary := build(t)
	good, err := worker.New(worker.Options{ID: "w1", Duration: &worker.Range{}, Concurrency: 100})
	if err != nil {
		t.Fatal(err)
	}
	works := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Understudy-Worker", "w1") // as a balancer would
		good.ServeHTTP(w, r)
	})
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, c := range []struct {
		name   string
		target string
		code   int
		says   string
	}{
		{"a balancer that works", served(t, works), 0, `(?s)50 requests, p95 [\d.]+ ms, 1 workers; the slowest was (mult|add) by w1 in .*errors=0: errors was 0, kept: true\np95<2s: p95 was [\d.]+ ms, kept: true\n$`},
		{"one that does not", served(t, broken), 3, `errors=0: errors was 50, kept: false`},
		{"none", "nowhere", 1, `client-go: target is "nowhere"`},
	} {
		out, err := exec.Command(binary, "-target", c.target, "-n", "50").CombinedOutput()
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != c.code || !regexp.MustCompile(c.says).Match(out) {
			t.Errorf("%s: exit code %d, want %d\n%s", c.name, code, c.code, out)
		}
	}
}
