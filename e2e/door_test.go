package e2e

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// engineSocket is where the engine listens that the docker command uses.
func engineSocket(t *testing.T) string {
	t.Helper()
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		out, err := exec.Command("docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}").Output()
		if err != nil {
			t.Fatal(err)
		}
		host = strings.TrimSpace(string(out))
	}
	path, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		t.Fatalf("the engine is at %s: these tests know sockets only", host)
	}
	return path
}

// throughSocket makes connections to the engine, whatever address is asked for.
func throughSocket(path string) *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
}

// door is another socket of the engine, which can be shut without troubling anybody else.
type door struct {
	t       *testing.T
	path    string
	host    string       // as DOCKER_HOST wants it
	refuse  atomic.Value // calls whose path ends so are answered with 500; empty: none
	proxy   *httputil.ReverseProxy
	refused atomic.Int32 // such calls
	engine  string       // the engine's own socket
	server  *http.Server
}

func openDoor(t *testing.T) *door {
	t.Helper()
	dir, err := os.MkdirTemp("", "door") // t.TempDir would be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &door{t: t, path: filepath.Join(dir, "s"), engine: engineSocket(t)}
	d.host = "unix://" + d.path
	d.refuse.Store("")
	way := throughSocket(d.engine)
	t.Cleanup(way.CloseIdleConnections)
	d.proxy = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport:     way,
		FlushInterval: -1, // events
		ErrorLog:      log.New(io.Discard, "", 0),
	}
	d.open()
	t.Cleanup(d.close)
	return d
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if end := d.refuse.Load().(string); end != "" && strings.HasSuffix(r.URL.Path, end) {
		d.refused.Add(1)
		http.Error(w, `{"message":"not now"}`, http.StatusInternalServerError)
		return
	}
	d.proxy.ServeHTTP(w, r)
}

func (d *door) open() {
	d.t.Helper()
	l, err := net.Listen("unix", d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	d.server = &http.Server{Handler: d, ReadHeaderTimeout: time.Minute}
	go d.server.Serve(l)
}

// close cuts every connection; whoever comes is refused.
func (d *door) close() { d.server.Close() }
