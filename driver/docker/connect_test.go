package docker

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clicontext "github.com/docker/cli/cli/context"

	"understudy/driver"
)

// cleanEnv takes away everything that names an engine, and gives the docker CLI an empty configuration, whose folder it returns.
func cleanEnv(t *testing.T) string {
	dir := t.TempDir()
	for _, key := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION", "DOCKER_AUTH_CONFIG"} {
		t.Setenv(key, "")
	}
	t.Setenv("DOCKER_CONFIG", dir)
	return dir
}

// quick is limits that do not wait long for an engine to answer.
func quick() *limits {
	l := defaultLimits()
	l.dial = 100 * time.Millisecond
	return l
}

func TestAnEngineThatCannotBeTalkedToIsOneSentenceWithAddressCauseAndAdvice(t *testing.T) {
	cleanEnv(t)
	dir := t.TempDir()
	missing := "unix://" + filepath.Join(dir, "none.sock")
	silent := silentSocket(t)
	dead := "tcp://" + closedPort(t)
	for _, tc := range []struct {
		name string
		host string
		want []string
	}{
		{"no socket", missing, []string{missing, "DOCKER_HOST", "no such socket", "systemctl status docker"}},
		{"nobody listens", dead, []string{dead, "connection refused", "systemctl status docker"}},
		{"no answer", silent, []string{silent, "did not answer within 100ms", "systemctl status docker"}},
		{"no engine", htmlServer(t), []string{"cannot talk to", "check the address"}},
		{"no address", "hello", []string{`"hello"`, "unix:///var/run/docker.sock"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", tc.host)
			_, err := New(t.Context(), Options{Instance: "x", limits: quick()})
			if !errors.Is(err, driver.ErrUnavailable) || errors.Is(err, ErrNoEngine) {
				t.Fatalf("New returns %v, want ErrUnavailable", err)
			}
			if !has(err.Error(), tc.want...) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the sentence %q lacks one of %q", err, tc.want)
			}
		})
	}
}

func TestOnlyADefaultSocketThatIsNotThereMeansNoEngineAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.sock")
	_, err := connect(t.Context(), endpoint{host: "unix://" + path}, quick())
	if !errors.Is(err, ErrNoEngine) || !errors.Is(err, driver.ErrUnavailable) || !has(err.Error(), path, "install Docker") {
		t.Errorf("connect returns %v, want ErrNoEngine", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	listener.Close() // an engine that was stopped leaves its socket
	if _, err := connect(t.Context(), endpoint{host: "unix://" + path}, quick()); errors.Is(err, ErrNoEngine) || !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("with a dead socket connect returns %v, want ErrUnavailable alone", err)
	}
}

func TestNewGivesUpWithItsContext(t *testing.T) {
	cleanEnv(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("changed my mind")
	cancel(why)
	if _, err := New(ctx, Options{Instance: "x", Host: silentSocket(t)}); !errors.Is(err, why) {
		t.Errorf("New returns %v", err)
	}
}

func TestAnEngineOnAnotherMachineIsRefused(t *testing.T) {
	cleanEnv(t)
	for _, host := range []string{"tcp://192.0.2.1:2375", "ssh://me@build", "https://docker.example:2376", "tcp://[2001:db8::1]:2375"} {
		t.Setenv("DOCKER_HOST", host)
		_, err := New(t.Context(), Options{Instance: "x", limits: quick()})
		if err == nil || errors.Is(err, driver.ErrUnavailable) || !has(err.Error(), host, "DOCKER_HOST", "another machine") {
			t.Errorf("New at %s returns %v", host, err)
		}
	}
}

func TestWindowsContainersAreRefused(t *testing.T) {
	engine := newFakeEngine(t)
	engine.Script("version", func(w http.ResponseWriter, _ *http.Request) bool {
		w.Write([]byte(`{"ApiVersion":"1.41","Os":"windows","Arch":"amd64"}`))
		return true
	})
	if _, err := New(t.Context(), Options{Instance: "x", Host: "unix://" + engine.Socket()}); err == nil || !has(err.Error(), "windows") {
		t.Errorf("New returns %v", err)
	}
	if _, err := New(t.Context(), Options{Host: "unix://" + engine.Socket()}); err == nil || !has(err.Error(), "instance") {
		t.Errorf("New without an instance returns %v", err)
	}
}

func TestTheEngineIsFoundWhereTheDockerCLIFindsIt(t *testing.T) {
	for _, tc := range []struct {
		name string
		set  func(t *testing.T, dir, host string)
	}{
		{"DOCKER_HOST", func(t *testing.T, dir, host string) {
			writeContext(t, dir, "other", "unix:///nowhere", nil)
			t.Setenv("DOCKER_HOST", host)
			t.Setenv("DOCKER_CONTEXT", "other")
		}},
		{"DOCKER_CONTEXT", func(t *testing.T, dir, host string) {
			writeContext(t, dir, "mine", host, nil)
			write(t, dir, "config.json", `{"currentContext":"other"}`)
			t.Setenv("DOCKER_CONTEXT", "mine")
		}},
		{"the current context", func(t *testing.T, dir, host string) {
			writeContext(t, dir, "mine", host, nil)
			write(t, dir, "config.json", `{"currentContext":"mine"}`)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := cleanEnv(t)
			t.Setenv("DOCKER_API_VERSION", "1.30") // would pin what is to be negotiated; the fake engine complains
			tc.set(t, dir, "unix://"+newFakeEngine(t).Socket())
			d, err := New(t.Context(), Options{Instance: "x"})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if _, err := d.List(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAContextThatCannotBeUsedIsNamed(t *testing.T) {
	for name, set := range map[string]func(t *testing.T, dir string){
		"missing": func(t *testing.T, dir string) { t.Setenv("DOCKER_CONTEXT", "missing") },
		"broken":  func(t *testing.T, dir string) { write(t, dir, "config.json", `{"currentContext":`) },
		"addressed": func(t *testing.T, dir string) {
			writeContext(t, dir, "addressed", "", nil)
			t.Setenv("DOCKER_CONTEXT", "addressed")
		},
		"uncertain": func(t *testing.T, dir string) {
			writeContext(t, dir, "uncertain", "tcp://127.0.0.1:1", &clicontext.TLSData{CA: []byte("nonsense")})
			t.Setenv("DOCKER_CONTEXT", "uncertain")
		},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, cleanEnv(t))
			_, err := New(t.Context(), Options{Instance: "x", limits: quick()})
			if !errors.Is(err, driver.ErrUnavailable) || errors.Is(err, ErrNoEngine) || !has(err.Error(), map[bool]string{true: "configuration", false: name}[name == "broken"]) {
				t.Errorf("New returns %v", err)
			}
		})
	}
}

func TestTLSComesFromTheEnvironmentOrTheContext(t *testing.T) {
	engine := newFakeEngine(t)
	server := httptest.NewUnstartedServer(engine.Handler())
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail are what this is about
	server.StartTLS()
	t.Cleanup(server.Close)
	host := "tcp://" + server.Listener.Addr().String()
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	key := clientKey(t, server)
	connects := func(t *testing.T) error {
		d, err := New(t.Context(), Options{Instance: "x"})
		if err != nil {
			return err
		}
		defer d.Close()
		_, err = d.List(t.Context())
		return err
	}
	t.Run("environment", func(t *testing.T) {
		dir := cleanEnv(t)
		write(t, dir, "ca.pem", string(cert))
		write(t, dir, "cert.pem", string(cert))
		write(t, dir, "key.pem", string(key))
		t.Setenv("DOCKER_HOST", host)
		if err := connects(t); !errors.Is(err, driver.ErrUnavailable) || !has(err.Error(), "TLS") {
			t.Errorf("without TLS: %v", err)
		}
		t.Setenv("DOCKER_TLS_VERIFY", "1") // the certificates are those of the CLI's folder
		if err := connects(t); err != nil {
			t.Errorf("with DOCKER_TLS_VERIFY: %v", err)
		}
		t.Setenv("DOCKER_CERT_PATH", t.TempDir())
		if err := connects(t); !errors.Is(err, driver.ErrUnavailable) || !has(err.Error(), "DOCKER_CERT_PATH") {
			t.Errorf("without certificates: %v", err)
		}
	})
	t.Run("context", func(t *testing.T) {
		dir := cleanEnv(t)
		t.Setenv("DOCKER_CONTEXT", "mine")
		writeContext(t, dir, "mine", host, &clicontext.TLSData{CA: cert, Cert: cert, Key: key})
		if err := connects(t); err != nil {
			t.Errorf("with the context's certificates: %v", err)
		}
		writeContext(t, dir, "mine", host, &clicontext.TLSData{Cert: cert, Key: key})
		if err := connects(t); !errors.Is(err, driver.ErrUnavailable) {
			t.Errorf("with a server nobody vouches for: %v", err)
		}
	})
}
