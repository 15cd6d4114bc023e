package balancer

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"understudy/h1"
)

func TestHeadersToTheWorker(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	seen := make(chan http.Header, 1)
	w.worker("general", func(_ http.ResponseWriter, r *http.Request) {
		h := r.Header.Clone()
		h.Set("Host", r.Host)
		seen <- h
	})
	tests := []struct {
		name, sent string
		want       map[string]string // "": absent
	}{
		{"ordinary fields pass", "X-Mine: 1\r\nTraceparent: 00-a-b-01\r\nAuthorization: Bearer x\r\nCookie: a=b\r\nAccept-Encoding: zstd",
			map[string]string{"X-Mine": "1", "Traceparent": "00-a-b-01", "Authorization": "Bearer x", "Cookie": "a=b", "Accept-Encoding": "zstd"}},
		{"nothing is added that was not asked for", "", map[string]string{"User-Agent": "", "Accept-Encoding": "", "Connection": ""}},
		{"what concerns the connection stays", "Connection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nProxy: x\r\nTe: gzip",
			map[string]string{"X-Hop": "", "Keep-Alive": "", "Proxy-Connection": "", "Proxy-Authorization": "", "Proxy": "", "Te": "", "Connection": ""}},
		{"trailers may be asked for", "Te: gzip, trailers", map[string]string{"Te": "trailers"}},
		{"ours cannot be forged", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /x\r\nX-Real-Ip: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Understudy-Worker: w9",
			map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "h", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "",
				"X-Forwarded-Prefix": "", "X-Real-Ip": "", "Forwarded": "", "X-Understudy-Worker": ""}},
		{"nor by another spelling", "X_Forwarded_For: 1.2.3.4\r\nX.Forwarded.Host: evil\r\nx-understudy_worker: w9\r\nX_Real.Ip: 1",
			map[string]string{"X_forwarded_for": "", "X.forwarded.host": "", "X-Understudy_worker": "", "X_real.ip": ""}},
		{"nor nominated away", "Connection: X-Forwarded-For, X-Request-Id, X-Forwarded-Proto\r\nX-Request-Id: r1",
			map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Request-Id": "r1", "X-Forwarded-Proto": "http"}},
		{"no upgrade but websocket", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
			map[string]string{"Connection": "", "Upgrade": "", "Http2-Settings": ""}},
		{"an upgrade nobody nominated is none", "Upgrade: websocket", map[string]string{"Upgrade": "", "Connection": ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head := "GET /mult HTTP/1.1\r\nHost: h\r\n"
			if tt.sent != "" {
				head += tt.sent + "\r\n"
			}
			_, r := w.dial(head + "\r\n")
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			got := wait(t, seen, "the worker")
			for name, want := range tt.want {
				values, there := got[name]
				if (want != "") != there || there && !slices.Equal(values, []string{want}) {
					t.Errorf("%s: %q, want %q", name, values, want)
				}
			}
		})
	}
}

func TestHeadersToTheClient(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", func(rw http.ResponseWriter, _ *http.Request) {
		h := rw.Header()
		h["Connection"] = []string{"X-Hop"}
		h["X-Hop"] = []string{"1"}
		h["Keep-Alive"] = []string{"timeout=1"}
		h["X-Understudy-Worker"] = []string{"forged"}
		h["X-Understudy-Secret"] = []string{"1"}
		h["Set-Cookie"] = []string{"a=1", "b=2"}
		h["Date"] = []string{"Tue, 15 Nov 1994 08:12:31 GMT"}
		_, _ = io.WriteString(rw, "x")
	})
	resp, _ := w.get("/mult")
	for name, want := range map[string][]string{
		"X-Hop": nil, "Keep-Alive": nil, "X-Understudy-Worker": {"w1"}, "X-Understudy-Secret": nil, "Set-Cookie": {"a=1", "b=2"},
		"Date": {"Tue, 15 Nov 1994 08:12:31 GMT"}, "Content-Length": {"1"},
	} {
		if got := resp.Header[name]; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestThousandsOfFieldsAreRefused(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", echo)
	for n, want := range map[int]int{h1.MaxFields - 10: 200, 2000: 431} {
		var head strings.Builder
		for i := range n {
			fmt.Fprintf(&head, "X-%d: 1\r\n", i)
		}
		_, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n" + head.String() + "\r\n")
		if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != want {
			t.Errorf("%d fields: got %v %v", n, resp, err)
		}
	}
}
