package docker

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	imagetypes "github.com/docker/docker/api/types/image"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
	"understudy/driver/docker/registrytest"
)

// pushed is a registry with the tests' worker, as app:1.
func pushed(t *testing.T) (*registrytest.Registry, string) {
	r := registrytest.New(t)
	r.Push("app", "1", workerImageOf(nil))
	return r, r.Host() + "/app:1"
}

// workerImageOf is the tests' worker with labels.
func workerImageOf(labels map[string]string) registrytest.Image {
	return registrytest.Image{Program: testWorker(), Config: map[string]any{"Cmd": []string{"/program"}, "User": "77:88", "Labels": labels}}
}

func TestImagesArePulledWhenTheyAreToBeWithTheCredentialsOfTheDockerCLI(t *testing.T) {
	registry, ref := pushed(t)
	registry.Require("me", "secret")
	dir := cleanEnv(t)
	d := realDriver(t)
	spec := workerSpec(t, "a")
	spec.Image, spec.Pull = ref, driver.PullMissing
	if err := d.Prepare(t.Context(), spec); !errors.Is(err, driver.ErrImageMissing) || !has(err.Error(), ref, "no basic auth credentials") {
		t.Fatalf("without credentials Prepare returns %v", err)
	}
	auth := base64.StdEncoding.EncodeToString([]byte("me:secret"))
	write(t, dir, "config.json", fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, registry.Host(), auth))
	t.Cleanup(func() { removeImage(t, d, ref) })
	inst := mustStart(t, d, spec)
	if got := ask(t, inst, "/user"); got != "77:88" {
		t.Errorf("it runs as %s, want the image's user", got)
	}
	refused := registry.Count("HEAD", "/manifests/") // each pull begins with one
	pulls := func() int { return registry.Count("HEAD", "/manifests/") - refused + 1 }
	for _, step := range []struct {
		pull  driver.Pull
		pulls int
	}{{driver.PullMissing, 1}, {driver.PullNever, 1}, {driver.PullAlways, 2}, {driver.PullAlways, 3}} {
		spec.Pull = step.pull
		if err := d.Prepare(t.Context(), spec); err != nil || pulls() != step.pulls {
			t.Errorf("after Prepare with pull %s there were %d pulls, want %d: %v", step.pull, pulls(), step.pulls, err)
		}
	}
	if _, err := d.image(t.Context(), spec, false); err != nil || pulls() != 3 {
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
	if _, err := d.engine.api().ImageRemove(ctx, ref, imagetypes.RemoveOptions{PruneChildren: true}); err != nil {
		t.Error(err)
	}
}

func TestD19RealAnImageThatIsMissingSaysWhy(t *testing.T) {
	dir := cleanEnv(t)
	d := realDriver(t)
	d.engine.limits.again = time.Millisecond
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
		answer enginetest.Script
		want   error
	}{
		"an error in the stream": {func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprintln(w, `{"status":"Pulling"}`+"\n"+`{"error":"toomanyrequests: slow down"}`)
			return true
		}, driver.ErrImageMissing},
		"denied":  {enginetest.Refuse(404, "pull access denied"), driver.ErrImageMissing},
		"cut off": {enginetest.Cut(`{"status":"Pull`), driver.ErrUnavailable},
	} {
		engine := newFakeEngine(t)
		engine.Script("pull", tc.answer)
		spec := fakeSpec("a")
		spec.Image, spec.Pull = "app:1", driver.PullMissing
		_, err := engine.driver().Start(t.Context(), spec)
		if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), "app:1") {
			t.Errorf("%s: Start returns %v, want %v", name, err, tc.want)
		}
	}
}
