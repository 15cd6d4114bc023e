package client

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// admin is a balancer's admin server that closes some looks after it was told to quit.
type admin struct {
	server *http.Server
	url    string
	told   atomic.Bool
	looks  atomic.Int32
	token  string
	looked func(n int32)
}

func newAdmin(t *testing.T, looksUntilEnd int32) *admin {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &admin{url: "http://" + listener.Addr().String(), looked: func(int32) {}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/quit", func(w http.ResponseWriter, r *http.Request) {
		if a.token != "" && r.Header.Get("Authorization") != "Bearer "+a.token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		a.told.Store(true)
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		n := a.looks.Add(1)
		if n == looksUntilEnd {
			listener.Close()
		}
		a.looked(n)
	})
	a.server = &http.Server{Handler: mux}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = a.server.Serve(listener)
	}()
	t.Cleanup(func() {
		a.server.Close()
		<-ended
	})
	return a
}

func TestQuitReturnsWhenTheBalancerHasReallyEnded(t *testing.T) {
	a := newAdmin(t, 3)
	a.token = "secret"
	if err := Quit(t.Context(), a.url+"/", "secret"); err != nil {
		t.Fatal(err)
	}
	if !a.told.Load() || a.looks.Load() != 3 {
		t.Errorf("told %v, looked %d times; it drained for three", a.told.Load(), a.looks.Load())
	}
}

func TestQuitSaysWhyItDidNotWork(t *testing.T) {
	guarded := newAdmin(t, 1)
	guarded.token = "secret"
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	defer elsewhere.Close()
	for _, c := range []struct{ name, url, token, want string }{
		{"nobody there", closed.URL, "", "no balancer answers at " + closed.URL + " (connection refused)"},
		{"no token", guarded.url, "", "give the admin token"},
		{"wrong token", guarded.url, "guess", "give the admin token"},
		{"something else", other.URL, "", "does not know how to quit (404"},
		{"something that points elsewhere", elsewhere.URL, "", "does not know how to quit (302"},
		{"no address", "127.0.0.1:8081", "", "the admin address is wrong"},
	} {
		err := Quit(t.Context(), c.url, c.token)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if guarded.told.Load() {
		t.Error("it was told to quit without its token")
	}
}

func TestQuitDoesNotWaitForEver(t *testing.T) {
	a := newAdmin(t, 1_000_000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.looked = func(n int32) {
		if n == 2 {
			cancel()
		}
	}
	err := Quit(ctx, a.url, "")
	if err == nil || !strings.Contains(err.Error(), "was told to quit and is still there") || !a.told.Load() {
		t.Errorf("%v", err)
	}
}

func TestABalancerThatEndsBeforeItAnswersHasQuit(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := listener.Accept()
		if err != nil {
			return
		}
		listener.Close() // first, so that there is no moment at which it still listens
		buf := make([]byte, 4096)
		_, _ = c.Read(buf)
		c.Close()
	}()
	if err := Quit(t.Context(), "http://"+listener.Addr().String(), ""); err != nil {
		t.Error(err)
	}
	<-ended
}
