package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compile makes a static binary of a Go package, with what the balancer's own was compiled with, so that nothing is compiled for it alone.
func compile(t *testing.T, path, pkg string) {
	t.Helper()
	build := exec.Command("go", "build", "-trimpath", "-o", path, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
}

// scratchImage builds an image from nothing but the static binary of a Go package. It is removed after the test.
func scratchImage(t *testing.T, name, pkg string) string {
	t.Helper()
	dir := t.TempDir()
	compile(t, filepath.Join(dir, "program"), pkg)
	recipe := "FROM scratch\nCOPY program /program\nENTRYPOINT [\"/program\"]\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(recipe), 0o600); err != nil {
		t.Fatal(err)
	}
	tag := fmt.Sprintf("understudy-e2e/%s:%d", name, os.Getpid())
	for try := 1; ; try++ { // a builder that uses a layer again may lose it to another test that removes its own image
		build := exec.Command("docker", "build", "-q", "--no-cache", "-t", tag, dir)
		build.Env = append(os.Environ(), "DOCKER_BUILDKIT=0")
		out, err := build.CombinedOutput()
		if err == nil {
			break
		}
		if try == 3 {
			t.Fatalf("building the image: %v\n%s", err, out)
		}
	}
	t.Cleanup(func() { exec.Command("docker", "rmi", "-f", tag).Run() })
	return tag
}

// go-httpbin knows nothing of understudy: no identity, no registration, its own port and paths.
func TestAnImageThatKnowsNothingOfUsIsBalancedAndScaled(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	image := scratchImage(t, "httpbin", "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin")
	p := start(t, fmt.Sprintf(`
pools:
  - name: httpbin
    image: %[1]s
    pull: never
    port: 8080
    env: [MAX_DURATION=30s]
    capabilities: ["*"]
    security: standard
    workers: {min: 1, max: 3, spare: 1}
    ready: {path: /status/200, status: "200"}
  - name: named
    image: %[1]s
    pull: never
    capabilities: [bin]
    strip: true
    workers: {min: 1, max: 1, spare: 0}
`, image), "--driver", "docker")

	for path, want := range map[string]string{
		"/get?show=wildcard":     `"wildcard"`,      // the wildcard: path and query as they are
		"/bin/get?show=stripped": `"stripped"`,      // the segment cut off
		"/bin":                   "httpbin",         // its root
		"/":                      "httpbin",         // the wildcard takes / too
		"/anything/a%2Fb?x=%zz":  "",                // whatever it says, it is the image that says it
		"/status/418":            "teapot",          // an answer that is no success is an answer
		"/headers":               "X-Forwarded-For", // what the image is told of the client
	} {
		resp, err := http.Get(p.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if worker := resp.Header.Get("X-Understudy-Worker"); worker == "" {
			t.Errorf("%s was not answered by a worker: %s %s", path, resp.Status, body)
		}
		if !strings.Contains(string(body), want) {
			t.Errorf("%s: %s does not contain %q:\n%.300s", path, resp.Status, want, body)
		}
	}
	resp, err := http.Post(p.url+"/bin/post", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	mustSay(t, string(body), "hello")
	await(t, "the wildcard's pool has its spare, the other its one worker, and neither is unavailable", func() bool {
		pools := p.status().Pools
		return pools[0].Unavailable == "" && len(p.workers("httpbin", "spare")) == 1 && pools[1].Unavailable == "" && len(pools[1].Workers) == 1
	})
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
