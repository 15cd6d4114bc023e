package balancer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"understudy/config"
	"understudy/fleet"
)

func TestARequestIsForwardedAndTheAnswerSaysWhoServedItAndHowLongItTook(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Server-Timing", "db;dur=3")
		rw.Header().Set("X-Understudy-Identity", "secret")
		rw.Header().Set("X-Request-Id", "the worker's own")
		rw.Header().Set("X-Mine", "1")
		rw.WriteHeader(http.StatusTeapot)
		fmt.Fprint(rw, "hello")
	})
	resp, text := w.get("/mult")
	if resp.StatusCode != http.StatusTeapot || text != "hello" || resp.Header.Get("X-Mine") != "1" {
		t.Errorf("got %d %q %v", resp.StatusCode, text, resp.Header)
	}
	if got := resp.Header.Get("X-Understudy-Worker"); got != "w1" {
		t.Errorf("worker %q", got)
	}
	if got := resp.Header.Get("X-Understudy-Start"); got != "warm" {
		t.Errorf("start %q", got)
	}
	if got, ok := resp.Header["X-Understudy-Identity"]; ok {
		t.Errorf("the identity got out: %q", got)
	}
	timing := resp.Header["Server-Timing"]
	if len(timing) != 2 || timing[1] != "db;dur=3" || !regexp.MustCompile(`^queue;dur=[0-9.]+, service;dur=[0-9.]+$`).MatchString(timing[0]) {
		t.Errorf("timing %q", timing)
	}
	if ids := resp.Header["X-Request-Id"]; len(ids) != 1 || len(ids[0]) < 16 {
		t.Errorf("request ids %q", ids)
	}
	got := wait(t, w.records.finished, "the record")
	if got.home != "general" || got.capability != "mult" || got.code != http.StatusTeapot || got.service < 0 || got.total < got.service {
		t.Errorf("recorded %+v", got)
	}
	until(t, "the slot is free", w.idle)
}

func TestTheStartTellsASpareFromAWorkerInRotation(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	s := serve(t, echo)
	if _, err := w.fleet.Add(fleet.Info{ID: "spare", Pool: "general", Address: s.URL, Origin: fleet.Cold}); err != nil {
		t.Fatal(err)
	}
	w.fleet.Ready("spare", s.URL, 0)
	for _, want := range []string{"spare", "warm"} {
		if resp, _ := w.get("/mult"); resp.Header.Get("X-Understudy-Start") != want {
			t.Errorf("start %q, want %q", resp.Header.Get("X-Understudy-Start"), want)
		}
	}
}

func TestRequestIDsAreEchoedWhenTheyAreSaneAndPassedToTheWorker(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	seen := make(chan string, 1)
	w.worker("general", func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Get("X-Request-Id") })
	tests := []struct {
		name, given string
		kept        bool
	}{
		{"uuid", "0b9b2f0e-7f6e-4a55-9d4c-1d1f7f2f1c11", true},
		{"base64 and friends", "a+b/c=:d@e~f_g.h", true},
		{"none", "", false},
		{"too long", strings.Repeat("a", 129), false},
		{"a space", "a b", false},
		{"markup", "<b>", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := w.request(http.MethodGet, "/mult", "")
			if tt.given != "" {
				req.Header.Set("X-Request-Id", tt.given)
			}
			resp := w.do(req)
			got := resp.Header.Get("X-Request-Id")
			if (got == tt.given) != tt.kept || got == "" {
				t.Errorf("given %q, got %q", tt.given, got)
			}
			if at := <-seen; at != got {
				t.Errorf("the worker saw %q, the client %q", at, got)
			}
		})
	}
}

// problemOfResponse reads a problem and checks what all problems have.
func problemOfResponse(t *testing.T, resp *http.Response, text string) problemBody {
	t.Helper()
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	if resp.Header.Get("X-Request-Id") == "" {
		t.Error("no request id")
	}
	var p problemBody
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if p.Status != resp.StatusCode || p.Title == "" || p.Code == "" {
		t.Errorf("status %d, problem %+v", resp.StatusCode, p)
	}
	return p
}

func TestAnUnknownCapabilityIs404WithTheListAndCountsNowhere(t *testing.T) {
	w := newWorld(t, pool("general", "mult", "add"), pool("files", "pdf"))
	for _, path := range []string{"/nope", "/nope/mult", "//mult", "/mult%2Fx", "/*"} {
		resp, text := w.get(path)
		p := problemOfResponse(t, resp, text)
		if resp.StatusCode != 404 || p.Code != "unknown-capability" || strings.Join(p.Capabilities, " ") != "add mult pdf" {
			t.Errorf("%s: %d %+v", path, resp.StatusCode, p)
		}
		if strings.Contains(text, "nope") {
			t.Errorf("the answer has the client's word in it: %s", text)
		}
	}
	w.records.mu.Lock()
	defer w.records.mu.Unlock()
	if len(w.records.requests) > 0 {
		t.Errorf("recorded %+v", w.records.requests)
	}
}

func TestTheBalancerLooksLikeAnIdleWorkerToAPlanner(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	resp, text := w.get("/")
	if resp.StatusCode != 200 || text != "ready to work test" {
		t.Errorf("got %d %q", resp.StatusCode, text)
	}
	if resp := w.do(w.request(http.MethodHead, "/", "")); resp.StatusCode != 200 {
		t.Errorf("HEAD: %d", resp.StatusCode)
	}
	if resp, _ := w.post("/", "x"); resp.StatusCode != 404 {
		t.Errorf("POST: %d", resp.StatusCode)
	}
}

func TestTheWildcardTakesWhatNobodyNamesTheRootIncluded(t *testing.T) {
	w := newWorld(t, pool("general", "mult"), pool("rest", "*"))
	w.worker("general", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "general") })
	w.worker("rest", func(rw http.ResponseWriter, r *http.Request) { fmt.Fprint(rw, "rest "+r.RequestURI) })
	for path, want := range map[string]string{
		"/": "rest /", "/x/y?z": "rest /x/y?z", "/*": "rest /*", "//mult": "rest //mult", "/mult": "general", "/multi": "rest /multi",
	} {
		if resp, text := w.get(path); text != want {
			t.Errorf("%s: %d %q, want %q", path, resp.StatusCode, text, want)
		}
	}
	for range 6 {
		if r := wait(t, w.records.finished, "a record"); r.capability != "mult" && r.capability != "*" {
			t.Errorf("recorded under %q", r.capability)
		}
	}
}

func TestPathAndQueryReachTheWorkerByteForByte(t *testing.T) {
	stripped := pool("strip", "pdf")
	stripped.Strip = true
	keen := pool("rest", "*")
	keen.Strip = true // there is no capability segment to cut off
	w := newWorld(t, pool("general", "mult"), stripped, keen)
	for _, p := range []string{"general", "strip", "rest"} {
		w.worker(p, echo)
	}
	tests := []struct{ target, want string }{
		{"/mult", "/mult"},
		{"/mult?", "/mult?"},
		{"/mult/%2e%2e/a%2Fb%20c/./..?x=1&x=%zz;y", "/mult/%2e%2e/a%2Fb%20c/./..?x=1&x=%zz;y"},
		{`/mult/"<>{}|^` + "`" + `'?q="<>`, `/mult/"<>{}|^` + "`" + `'?q="<>`},
		{"/mult/\xc3\xa4", "/mult/\xc3\xa4"},
		{"/m%75lt/x", "/m%75lt/x"},
		{"http://elsewhere/mult/x?y", "/mult/x?y"},
		{"http://elsewhere?y", "/?y"},
		{"/pdf/render?x=1", "/render?x=1"},
		{"/pdf", "/"},
		{"/pdf?x", "/?x"},
		{"/pdf/", "/"},
		{"/pdf/a%2Fb", "/a%2Fb"},
		{"/pdf//a%2Fb", "//a%2Fb"},
		{"/p%64f/x", "/x"},
		{"//pdf/x", "//pdf/x"},
		{"/other/x", "/other/x"},
		{"/", "/"},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			_, r := w.dial("GET " + tt.target + " HTTP/1.1\r\nHost: h\r\n\r\n")
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := resp.Header.Get("Seen-Uri"); resp.StatusCode != 200 || got != tt.want {
				t.Errorf("%d, the worker saw %q, want %q", resp.StatusCode, got, tt.want)
			}
		})
	}
}

func TestABaseURLWithAPathComesBeforeThePath(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.add(fleet.Info{Pool: "general", Address: serve(t, echo).URL + "/base/"})
	if resp, _ := w.get("/mult/x?y"); resp.Header.Get("Seen-Uri") != "/base/mult/x?y" {
		t.Errorf("the worker saw %q", resp.Header.Get("Seen-Uri"))
	}
}

func TestTheHostIsTheOneTheClientMeant(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", echo)
	for _, head := range []string{"GET /mult HTTP/1.1\r\nHost: shop.example:81\r\n\r\n", "GET http://shop.example:81/mult HTTP/1.1\r\nHost: other\r\n\r\n"} {
		_, r := w.dial(head)
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Seen-Host"); got != "shop.example:81" {
			t.Errorf("the worker saw host %q", got)
		}
	}
}

func TestWhatIsNoRequestForAWorkerIsAnsweredByTheBalancer(t *testing.T) {
	c := config.Config{Instance: "test", Limits: config.Limits{Header: 4 << 10, Body: 10, Idle: patience}, Pools: []config.Pool{pool("general", "mult", "*")}}
	w := newWorldWith(t, c)
	w.worker("general", func(http.ResponseWriter, *http.Request) { t.Error("a worker was asked") })
	tests := []struct {
		name, request string
		status        int
		code          string // empty: not ours to say
		header        string
	}{
		{"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405, "method-not-allowed", "Allow"},
		{"TRACE", "TRACE /mult HTTP/1.1\r\nHost: h\r\n\r\n", 405, "method-not-allowed", "Allow"},
		{"OPTIONS for the server", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 204, "", "Allow"},
		{"GET for the server", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed-request", ""},
		{"a fragment", "GET /mult#x HTTP/1.1\r\nHost: h\r\n\r\n", 400, "malformed-request", ""},
		{"two hosts in one", "GET /mult HTTP/1.1\r\nHost: a,b\r\n\r\n", 400, "malformed-request", ""},
		{"HTTP/2 in plain text", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version-not-supported", ""},
		{"a body that says it is too large", "POST /mult HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n01234567890", 413, "body-too-large", ""},
		{"no host", "GET /mult HTTP/1.1\r\n\r\n", 400, "", ""},
		{"a head that is too large", "GET /mult HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 9<<10) + "\r\n\r\n", 431, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := w.dial(tt.request)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d: %s", resp.StatusCode, tt.status, text)
			}
			if tt.code != "" {
				if p := problemOfResponse(t, resp, string(text)); p.Code != tt.code {
					t.Errorf("code %q, want %q", p.Code, tt.code)
				}
			}
			if tt.header != "" && resp.Header.Get(tt.header) == "" {
				t.Errorf("no %s in %v", tt.header, resp.Header)
			}
		})
	}
}

func TestConnectionsAreClosedWhereSomethingCouldHideBehindTheRequest(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", echo)
	const smuggled = "GET /mult/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
	tests := []struct {
		name, request string
		answers       int
	}{
		{"plain", "GET /mult HTTP/1.1\r\nHost: h\r\n\r\n", 2},
		{"plain with a body", "POST /mult HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", 2},
		{"chunked", "POST /mult HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 1},
		{"chunked and a length", "POST /mult HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 1},
		{"HTTP/1.0 that asks to stay", "GET /mult HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", 1},
		{"an error before the body was read", "POST /nope HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, r := w.dial(tt.request + smuggled)
			answers := 0
			for {
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				answers++
				if answers == 2 {
					break
				}
			}
			if answers != tt.answers {
				t.Errorf("%d answers, want %d", answers, tt.answers)
			}
		})
	}
}

func TestTheWorkerIsFreeBeforeASlowClientHasReadItsAnswer(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	const size = 24 << 20 // more than the kernel takes off our hands
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "big") {
			rw.Header().Set("Content-Length", fmt.Sprint(size))
			_, _ = io.CopyN(rw, zeros{}, size)
		}
	})
	_, r := w.dial("GET /mult/big HTTP/1.1\r\nHost: h\r\n\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := w.background(w.request(http.MethodGet, "/mult", ""))
	select {
	case <-got:
		t.Fatal("another request was served while the first was being read: the worker has concurrency 1")
	case <-w.records.finished:
		t.Fatal("the first has not been read")
	case <-time.After(20 * time.Millisecond): // a pause that only makes the test able to fail
	}
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Fatalf("read %d bytes: %v", n, err)
	}
	if res := wait(t, got, "the second"); res.err != nil || res.resp.StatusCode != 200 {
		t.Errorf("got %+v", res)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestASmallAnswerFreesTheWorkerAtOnceWhoeverReadsIt(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	const size = 8 << 20
	var first = make(chan struct{})
	url := raw(t, func(c net.Conn, r *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
			_, _ = io.CopyN(c, zeros{}, size)
			close(first)
		}
	})
	w.add(fleet.Info{Pool: "general", Address: url})
	_, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, size-10); err != nil {
		t.Fatal(err)
	}
	wait(t, first, "the worker to be done")
	until(t, "the slot is free", w.idle)
}

func TestWithoutAnyLimitInTimeRequestsAreServedAsWell(t *testing.T) {
	p := pool("general", "mult")
	p.Timeout, p.IdleTimeout = 0, 0
	w := newWorldWith(t, config.Config{Instance: "test", Limits: config.Limits{Header: 32 << 10}, Pools: []config.Pool{p}})
	w.worker("general", echo)
	if resp, text := w.post("/mult", "hi"); resp.StatusCode != 200 || text != "POST hi" {
		t.Errorf("got %d %q", resp.StatusCode, text)
	}
	if resp, text := w.post("/mult", strings.Repeat("x", 200<<10)); resp.StatusCode != 200 || len(text) != 5+(200<<10) {
		t.Errorf("got %d, %d bytes", resp.StatusCode, len(text))
	}
}
