package docker

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	clicontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"
)

// silentSocket is the address of somebody who listens and never answers.
func silentSocket(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "silent.sock")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "unix://" + path
}

// closedPort is an address nobody listens at.
func closedPort(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// htmlServer is the address of a web server that is no engine.
func htmlServer(t *testing.T) string {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return "tcp://" + server.Listener.Addr().String()
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeContext makes a context of the docker CLI.
func writeContext(t *testing.T, dir, name, host string, tls *clicontext.TLSData) {
	t.Helper()
	contexts := store.New(filepath.Join(dir, "contexts"), store.NewConfig(func() any { return &map[string]any{} }))
	err := contexts.CreateOrUpdate(store.Metadata{Name: name, Endpoints: map[string]any{"docker": clicontext.EndpointMetaBase{Host: host}}})
	if err == nil && tls != nil {
		err = contexts.ResetEndpointTLSMaterial(name, "docker", tls.ToStoreTLSData())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// clientKey is the private key of the server's own certificate, which the tests' client shows as well.
func clientKey(t *testing.T, server *httptest.Server) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
