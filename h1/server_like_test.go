package h1

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestServerLikeNetHTTP: what a handler does looks to net/http's client as if net/http's server had done it.
func TestServerLikeNetHTTP(t *testing.T) {
	handlers := map[string]http.HandlerFunc{
		"nothing":    func(http.ResponseWriter, *http.Request) {},
		"status":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"no content": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204); _, _ = io.WriteString(w, "x") },
		"large":      func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) },
		"declared": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			_, _ = io.WriteString(w, "ok")
		},
		"too long": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1")
			_, _ = io.WriteString(w, "ok")
		},
		"flushed": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			w.(interface{ FlushError() error }).FlushError()
			_, _ = io.WriteString(w, "b")
		},
		"trailer": func(w http.ResponseWriter, _ *http.Request) {
			w.(interface{ FlushError() error }).FlushError()
			w.Header().Set(http.TrailerPrefix+"T", "v")
		},
		"hint": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "x")
			w.WriteHeader(103)
			w.WriteHeader(200)
		},
		"many writes": func(w http.ResponseWriter, _ *http.Request) {
			for range 5000 {
				_, _ = io.WriteString(w, "0123456789")
			}
		},
		"not modified": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", "x"); w.WriteHeader(304) },
		"closes": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, "x")
		},
		"bad header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X"] = []string{"a"}
			_, _ = io.WriteString(w, "x")
		},
		"reads nothing": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "early") },
	}
	for name, h := range handlers {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			t.Run(name+" "+method, func(t *testing.T) {
				ours := serveFunc(t, h)
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				theirs := &http.Server{Handler: h}
				go func() { _ = theirs.Serve(l) }()
				defer theirs.Close()
				if got, want := outcome(t, method, ours.addr), outcome(t, method, l.Addr().String()); got != want {
					t.Errorf("ours %s\nnet/http %s", got, want)
				}
			})
		}
	}
}

// outcome is what a client sees of two requests in a row.
func outcome(t *testing.T, method, addr string) string {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	out := ""
	for range 2 {
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader("some body")
		}
		r, _ := http.NewRequest(method, "http://"+addr+"/", body)
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		resp.Header.Del("Date")
		resp.Header.Del("Content-Type") // net/http guesses one; whoever uses this server says what it is
		out += fmt.Sprint(resp.Status, resp.Header, len(text), err, resp.Trailer, resp.Close, "\n")
	}
	return out
}
