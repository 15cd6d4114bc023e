package docker

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	imagetypes "github.com/docker/docker/api/types/image"

	"understudy/driver"
)

// fakeRegistry holds one image, the tests' worker, and gives it to those who bring the right password.
type fakeRegistry struct {
	host  string
	blobs map[string][]byte
	pulls atomic.Int32
}

func newFakeRegistry(t *testing.T, user, password string) *fakeRegistry {
	r := &fakeRegistry{blobs: map[string][]byte{}}
	manifest := r.build(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /v2/app/manifests/{tag}", func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodHead { // each pull begins with one; a GET follows where the content is new
			r.pulls.Add(1)
		}
		w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v2+json")
		w.Header().Set("Docker-Content-Digest", digest(manifest))
		w.Write(manifest)
	})
	mux.HandleFunc("GET /v2/app/blobs/{digest}", func(w http.ResponseWriter, req *http.Request) {
		w.Write(r.blobs[req.PathValue("digest")])
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
		if u, p, ok := req.BasicAuth(); !ok || u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.host = server.Listener.Addr().String()
	return r
}

// build makes the blobs of the image and returns its manifest.
func (r *fakeRegistry) build(t *testing.T) []byte {
	bin, err := hashed(testWorker())
	if err != nil {
		t.Fatal(err)
	}
	var layer, packed bytes.Buffer
	if err := pack(&layer, bin); err != nil {
		t.Fatal(err)
	}
	zip, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	zip.Write(layer.Bytes())
	zip.Close()
	config, _ := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux", "created": time.Now(),
		"config": map[string]any{"Cmd": []string{"/understudy"}, "User": "77:88"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest(layer.Bytes())}},
	})
	blob := func(kind string, content []byte) map[string]any {
		r.blobs[digest(content)] = content
		return map[string]any{"mediaType": "application/vnd.docker." + kind, "size": len(content), "digest": digest(content)}
	}
	manifest, _ := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
		"config": blob("container.image.v1+json", config),
		"layers": []any{blob("image.rootfs.diff.tar.gzip", packed.Bytes())},
	})
	return manifest
}

func digest(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

func TestImagesArePulledWhenTheyAreToBeWithTheCredentialsOfTheDockerCLI(t *testing.T) {
	registry := newFakeRegistry(t, "me", "secret")
	dir := cleanEnv(t)
	d := realDriver(t)
	ref := registry.host + "/app:1"
	spec := workerSpec(t, "a")
	spec.Image, spec.Pull = ref, driver.PullMissing
	if err := d.Prepare(t.Context(), spec); !errors.Is(err, driver.ErrImageMissing) || !has(err.Error(), ref, "no basic auth credentials") {
		t.Fatalf("without credentials Prepare returns %v", err)
	}
	auth := base64.StdEncoding.EncodeToString([]byte("me:secret"))
	write(t, dir, "config.json", fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, registry.host, auth))
	t.Cleanup(func() { removeImage(t, d, ref) })
	inst := mustStart(t, d, spec)
	if got := ask(t, inst, "/user"); got != "77:88" {
		t.Errorf("it runs as %s, want the image's user", got)
	}
	for _, step := range []struct {
		pull  driver.Pull
		pulls int32
	}{{driver.PullMissing, 1}, {driver.PullNever, 1}, {driver.PullAlways, 2}, {driver.PullAlways, 3}} {
		spec.Pull = step.pull
		if err := d.Prepare(t.Context(), spec); err != nil || registry.pulls.Load() != step.pulls {
			t.Errorf("after Prepare with pull %s there were %d pulls, want %d: %v", step.pull, registry.pulls.Load(), step.pulls, err)
		}
	}
	if _, err := d.image(t.Context(), spec, false); err != nil || registry.pulls.Load() != 3 {
		t.Errorf("a start pulls again what Prepare pulled: %v", err)
	}
}

// removeImage removes an image and the containers that use it.
func removeImage(t *testing.T, d *Driver, ref string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := d.Sweep(ctx, false); err != nil {
		t.Error(err)
	}
	if _, err := d.engine.api.ImageRemove(ctx, ref, imagetypes.RemoveOptions{PruneChildren: true}); err != nil {
		t.Error(err)
	}
}

func TestAnImageThatIsMissingSaysWhy(t *testing.T) {
	dir := cleanEnv(t)
	d := realDriver(t)
	nobody := closedPort(t)
	for _, tc := range []struct {
		image string
		pull  driver.Pull
		want  []string
	}{
		{"understudy-test-none:1", driver.PullNever, []string{"docker pull understudy-test-none:1", "pull: missing"}},
		{nobody + "/none:1", driver.PullMissing, []string{nobody, "connection refused"}},
		{nobody + "/none:1", driver.PullAlways, []string{nobody, "connection refused"}},
		{"Not A Reference", driver.PullMissing, []string{"Not A Reference"}},
	} {
		spec := workerSpec(t, "a")
		spec.Image, spec.Pull = tc.image, tc.pull
		if _, err := d.Start(t.Context(), spec); !errors.Is(err, driver.ErrImageMissing) || !has(err.Error(), tc.want...) {
			t.Errorf("Start of %s with pull %s returns %v, want ErrImageMissing with %q", tc.image, tc.pull, err, tc.want)
		}
	}
	write(t, dir, "config.json", `{"auths":`)
	spec := workerSpec(t, "a")
	spec.Image, spec.Pull = nobody+"/none:1", driver.PullMissing
	if err := d.Prepare(t.Context(), spec); !errors.Is(err, driver.ErrImageMissing) || !has(err.Error(), "docker CLI") {
		t.Errorf("with a broken configuration of the docker CLI Prepare returns %v", err)
	}
}

func TestTheRegistryOfAnImageIsNamedAsTheDockerCLIKeepsIt(t *testing.T) {
	for ref, want := range map[string]string{
		"nginx":                        "https://index.docker.io/v1/",
		"nginx:1.25":                   "https://index.docker.io/v1/",
		"library/nginx":                "https://index.docker.io/v1/",
		"docker.io/library/nginx":      "https://index.docker.io/v1/",
		"ghcr.io/me/app:1":             "ghcr.io",
		"localhost/app":                "localhost",
		"localhost:5000/app":           "localhost:5000",
		"127.0.0.1:5000/app@sha256:ab": "127.0.0.1:5000",
	} {
		if got := registryOf(ref); got != want {
			t.Errorf("the registry of %s is %s, want %s", ref, got, want)
		}
	}
}

func TestAPullThatFailsHalfWayIsMissingAndOneThatIsCutIsUnavailable(t *testing.T) {
	cleanEnv(t)
	for name, tc := range map[string]struct {
		answer script
		want   error
	}{
		"an error in the stream": {func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprintln(w, `{"status":"Pulling"}`+"\n"+`{"error":"toomanyrequests: slow down"}`)
			return true
		}, driver.ErrImageMissing},
		"denied":  {refuse(404, "pull access denied"), driver.ErrImageMissing},
		"cut off": {cut(`{"status":"Pull`), driver.ErrUnavailable},
	} {
		engine := newFakeEngine(t)
		engine.script("import", tc.answer) // pulls and imports share a route
		spec := fakeSpec("a")
		spec.Image, spec.Pull = "app:1", driver.PullMissing
		_, err := engine.driver().Start(t.Context(), spec)
		if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), "app:1") {
			t.Errorf("%s: Start returns %v, want %v", name, err, tc.want)
		}
	}
}
