package docker

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/registry"

	"understudy/driver"
	"understudy/driver/docker/registrytest"
)

// helperDir is a folder for credential helpers, which is looked through before all others.
func helperDir(t *testing.T) string {
	dir := t.TempDir()
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return dir
}

// writeHelper makes a credential helper of what a shell shall do when it is asked for $host.
func writeHelper(t *testing.T, dir, name, script string) {
	t.Helper()
	path := filepath.Join(dir, "docker-credential-"+name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n[ \"$1\" = get ] || exit 9\nread host\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// knows is the script of a helper that keeps one login.
func knows(host, user, secret string) string {
	return fmt.Sprintf(`[ "$host" = %q ] || { echo credentials not found in native keychain; exit 1; }
printf '{"ServerURL":"%%s","Username":%q,"Secret":%q}' "$host"`, host, user, secret)
}

func login(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

// private is a registry whose image needs a password.
func private(t *testing.T, size int64) (r *registrytest.Registry, ref string) {
	r = registrytest.New(t)
	r.Push("app", "1", registrytest.Image{Filler: []int64{size}})
	r.Require("me", "secret")
	return r, r.Host() + "/app:1"
}

func TestAPrivateImageIsPulledWithWhatTheDockerCLIKeepsWhereverThatIs(t *testing.T) {
	cleanEnv(t)
	d := impatient(t)
	registry, ref := private(t, 1011)
	host := registry.Host()
	programs := helperDir(t)
	writeHelper(t, programs, "right", knows(host, "me", "secret"))
	writeHelper(t, programs, "other", knows("ghcr.io", "me", "secret"))
	writeHelper(t, programs, "wrong", knows(host, "me", "guessed"))
	writeHelper(t, programs, "agent", "sleep 5 &\n"+knows(host, "me", "secret"))
	good, bad := login("me", "secret"), login("me", "guessed")
	for _, tc := range []struct{ name, config, env string }{
		{"in the file", fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, good), ""},
		{"in the file, as an address", fmt.Sprintf(`{"auths":{"http://%s/v1/":{"auth":%q}}}`, host, good), ""},
		{"with the helper for all", fmt.Sprintf(`{"credsStore":"right","auths":{%q:{}}}`, host), ""},
		{"with the helper, whatever the file says", fmt.Sprintf(`{"credsStore":"right","auths":{%q:{"auth":%q}}}`, host, bad), ""},
		{"with the registry's helper", fmt.Sprintf(`{"credsStore":"wrong","credHelpers":{%q:"right"}}`, host), ""},
		{"with the helper for all the others", `{"credsStore":"right","credHelpers":{"ghcr.io":"wrong"}}`, ""},
		{"in the file, for this registry has no helper", fmt.Sprintf(`{"credsStore":"wrong","credHelpers":{%q:""},"auths":{%q:{"auth":%q}}}`, host, host, good), ""},
		{"with a helper that leaves an agent behind", `{"credsStore":"agent"}`, ""},
		{"in the environment", fmt.Sprintf(`{"credsStore":"wrong","auths":{%q:{"auth":%q}}}`, host, bad), fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, good)},
		{"with the helper, for the environment is of another registry", fmt.Sprintf(`{"credsStore":"right","auths":{%q:{"auth":%q}}}`, host, bad),
			fmt.Sprintf(`{"auths":{"ghcr.io":{"auth":%q}}}`, bad)},
		{"with the helper, for the environment is not to be read", `{"credsStore":"right"}`, `{"auths":`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("DOCKER_CONFIG", dir)
			t.Setenv("DOCKER_AUTH_CONFIG", tc.env)
			write(t, dir, "config.json", tc.config)
			wantPulled(t, d, ref)
		})
	}
	t.Run("in the home directory", func(t *testing.T) {
		home := t.TempDir()
		t.Setenv("DOCKER_CONFIG", "")
		t.Setenv("HOME", home)
		if err := os.Mkdir(filepath.Join(home, ".docker"), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, home, ".docker/config.json", fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, good))
		wantPulled(t, d, ref)
	})
	t.Run("nowhere", func(t *testing.T) {
		write(t, os.Getenv("DOCKER_CONFIG"), "config.json", `{"credsStore":"other"}`)
		if _, err := d.image(t.Context(), wanted(ref, driver.PullAlways), true); !errors.Is(err, driver.ErrImageMissing) || !has(err.Error(), "docker login "+host) {
			t.Errorf("the image is %v", err)
		}
	})
}

// wantPulled pulls an image that is not here, and removes it.
func wantPulled(t *testing.T, d *Driver, ref string) {
	t.Helper()
	var said syncBuffer
	d.log = slog.New(slog.NewTextHandler(&said, nil))
	img, err := d.image(t.Context(), wanted(ref, driver.PullAlways), true)
	if err != nil {
		t.Fatal(err)
	}
	removeImage(t, d, img.id)
	if has(said.String(), "secret") || has(said.String(), login("me", "secret")) || !has(said.String(), "pulled an image") {
		t.Errorf("the log says:\n%s", said.String())
	}
}

func TestCredentialsThatDoNotServeAreOneSentenceWithTheRegistryAndWhatToDo(t *testing.T) {
	dir := cleanEnv(t)
	d := impatient(t)
	d.engine.limits.helper = 300 * time.Millisecond
	programs := helperDir(t)
	for name, script := range map[string]string{
		"hangs":   "sleep 5",
		"fails":   "echo the keychain is locked; exit 1",
		"prints":  "echo hello there",
		"breaks":  `printf '{"Username":"me","Secret":"secret"'`,
		"says":    "true",
		"floods":  "yes",
		"ignores": "trap '' PIPE TERM; yes; sleep 5",
		"poses":   "echo 503 service unavailable: eof; exit 1", // in the words of a registry that is away
		"rambles": "head -c 20000 /dev/zero | tr '\\0' x; exit 1",
	} {
		writeHelper(t, programs, name, script)
	}
	for name, want := range map[string]string{
		"hangs":   "docker-credential-hangs has not answered within 300ms",
		"fails":   "the keychain is locked",
		"prints":  "docker-credential-prints: invalid character",
		"breaks":  "docker-credential-breaks: unexpected EOF",
		"says":    "docker-credential-says: EOF",
		"floods":  "prints without end",
		"ignores": "docker-credential-ignores",
		"poses":   "docker-credential-poses",
		"rambles": "docker-credential-rambles",
		"is not":  "docker-credential-is not",
		"":        "docker login",
	} {
		registry, ref := private(t, 1012)
		write(t, dir, "config.json", fmt.Sprintf(`{"credsStore":%q,"auths":{%q:{"auth":%q}}}`, name, registry.Host(), login("me", "guessed")))
		var said syncBuffer
		d.log = slog.New(slog.NewTextHandler(&said, nil))
		_, err := d.image(t.Context(), wanted(ref, driver.PullMissing), true)
		switch {
		case !errors.Is(err, driver.ErrImageMissing) || errors.Is(err, driver.ErrUnavailable) || errors.Is(err, errRegistryAway):
			t.Errorf("%q: the image is %v", name, err)
		case !has(err.Error(), ref, registry.Host()+" does not give it to these credentials", "docker login "+registry.Host(), want):
			t.Errorf("%q: %v; want %q", name, err, want)
		case strings.Contains(err.Error(), "\n") || len(err.Error()) > 1200 || has(err.Error(), "guessed") || name == "breaks" && has(err.Error(), `"secret"`):
			t.Errorf("%q: %d bytes: %v", name, len(err.Error()), err)
		}
		if n := strings.Count(said.String(), "pulling an image"); n != 1 {
			t.Errorf("%q: it was tried %d times", name, n)
		}
		if name == "hangs" { // what everybody may have needs no helper
			registry.Require("", "")
			wantPulled(t, d, ref)
		}
	}
}

// sleeper is the script of a helper that waits for another program, and the end of a pipe that the other holds open.
func sleeper(t *testing.T) (script string, held *os.File) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // waits for nobody, and reading does once somebody writes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return fmt.Sprintf("exec 3>%q\necho begun >&3\nsleep 60\nexit 0", path), held
}

func TestAHelperThatHangsEndsWithAllThatItStarted(t *testing.T) {
	dir := cleanEnv(t)
	for name, tc := range map[string]struct {
		patience time.Duration
		end      func(*Driver)
	}{
		"at its limit": {time.Second, func(*Driver) {}},
		"with the balancer": {time.Minute, func(d *Driver) {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}},
	} {
		engine := newFakeEngine(t)
		d := engine.driver(func(l *limits) { l.helper = tc.patience })
		script, held := sleeper(t)
		writeHelper(t, helperDir(t), "waits", script)
		write(t, dir, "config.json", `{"credsStore":"waits"}`)
		done := make(chan error, 1)
		go func() {
			_, err := d.image(t.Context(), wanted("app:1", driver.PullMissing), true)
			done <- err
		}()
		word := make([]byte, 6)
		eventually(t, name+": the helper has begun", func() bool {
			n, _ := held.Read(word)
			return n > 0
		})
		tc.end(d)
		if err := <-done; err == nil {
			t.Errorf("%s: the image is there", name)
		}
		held.SetReadDeadline(time.Now().Add(10 * time.Second))
		if rest, err := io.ReadAll(held); err != nil { // its end comes when nobody is left who could write
			t.Errorf("%s: after %q what the helper started is still there: %v", name, rest, err)
		}
	}
}

func TestAHelperIsAskedAsTheDockerCLIAsksIt(t *testing.T) {
	dir := cleanEnv(t)
	programs := helperDir(t)
	writeHelper(t, programs, "hub", knows(hub, "me", "secret"))
	writeHelper(t, programs, "token", knows("ghcr.io", "<token>", "secret"))
	write(t, dir, "config.json", `{"credsStore":"hub","credHelpers":{"ghcr.io":"token"}}`)
	for ref, want := range map[string]registry.AuthConfig{
		"nginx":             {Username: "me", Password: "secret", ServerAddress: hub},
		"docker.io/me/app":  {Username: "me", Password: "secret", ServerAddress: hub},
		"ghcr.io/me/app:1":  {IdentityToken: "secret", ServerAddress: "ghcr.io"},
		"quay.io/me/app:1":  {},
		"ghcr.io:444/app:1": {},
	} {
		encoded, err := credentials(t.Context(), ref, 20*time.Second)
		if err != nil {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		if got, err := registry.DecodeAuthConfig(encoded); err != nil || *got != want {
			t.Errorf("the engine is told of %s %+v, %v; want %+v", ref, got, err, want)
		}
	}
}
