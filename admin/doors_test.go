package admin

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

type headers = map[string]string

// doorCase is one request and what becomes of it.
type doorCase struct {
	name   string
	token  string // configured
	method string
	path   string
	header headers
	body   string
	status int
	code   string
}

const rightToken = "Bearer s3cret"

// tokenCases are B60: who knows the token.
func tokenCases() []doorCase {
	return []doorCase{
		{"no token asked for", "", "GET", "/api/v1/status", nil, "", 200, ""},
		{"no token sent", "s3cret", "GET", "/api/v1/status", nil, "", 401, "no-token"},
		{"no token sent for metrics", "s3cret", "GET", "/metrics", nil, "", 401, "no-token"},
		{"no token sent for the page", "s3cret", "GET", "/", nil, "", 401, "no-token"},
		{"no token sent for what is not there", "s3cret", "GET", "/nothing", nil, "", 401, "no-token"},
		{"no token sent to register", "s3cret", "POST", "/register", headers{"Content-Type": "application/json"}, "{}", 401, "no-token"},
		{"wrong token", "s3cret", "GET", "/api/v1/status", headers{"Authorization": "Bearer s3creT"}, "", 401, "wrong-token"},
		{"a prefix of the token", "s3cret", "GET", "/api/v1/status", headers{"Authorization": "Bearer s3cre"}, "", 401, "wrong-token"},
		{"empty token", "s3cret", "GET", "/api/v1/status", headers{"Authorization": "Bearer "}, "", 401, "wrong-token"},
		{"another scheme", "s3cret", "GET", "/api/v1/status", headers{"Authorization": "Basic s3cret"}, "", 401, "no-token"},
		{"right token", "s3cret", "GET", "/api/v1/status", headers{"Authorization": rightToken}, "", 200, ""},
		{"scheme in lower case", "s3cret", "GET", "/api/v1/status", headers{"Authorization": "bearer s3cret"}, "", 200, ""},
		{"health needs none", "s3cret", "GET", "/healthz", nil, "", 200, ""},
		{"readiness needs none", "s3cret", "GET", "/readyz", nil, "", 200, ""},
		{"quit needs it", "s3cret", "POST", "/api/v1/quit", nil, "", 401, "no-token"},
	}
}

// hostCases are B61: DNS rebinding.
func hostCases() []doorCase {
	return []doorCase{
		{"another name", "", "GET", "/api/v1/status", headers{"Host": "evil.example"}, "", 421, "wrong-host"},
		{"another name, health", "", "GET", "/healthz", headers{"Host": "evil.example:8081"}, "", 421, "wrong-host"},
		{"a name that begins like an address", "", "GET", "/", headers{"Host": "127.0.0.1.evil.example"}, "", 421, "wrong-host"},
		{"a name that begins with localhost", "", "GET", "/", headers{"Host": "localhost.evil.example:8081"}, "", 421, "wrong-host"},
		{"a name that ends in localhost", "", "GET", "/", headers{"Host": "evillocalhost"}, "", 421, "wrong-host"},
		{"no name", "", "GET", "/", headers{"Host": ""}, "", 421, "wrong-host"},
		{"an address written as a number", "", "GET", "/", headers{"Host": "2130706433"}, "", 421, "wrong-host"},
		{"another name and a wrong token", "s3cret", "GET", "/metrics", headers{"Host": "evil.example", "Authorization": "Bearer x"}, "", 421, "wrong-host"},
		{"another name and the right token", "s3cret", "GET", "/metrics", headers{"Host": "lb.internal", "Authorization": rightToken}, "", 200, ""},
		{"localhost", "", "GET", "/", headers{"Host": "LocalHost:8081"}, "", 200, ""},
		{"a name under localhost", "", "GET", "/", headers{"Host": "lb.localhost:8081"}, "", 200, ""},
		{"the root's dot", "", "GET", "/", headers{"Host": "localhost.:8081"}, "", 200, ""},
		{"IPv6", "", "GET", "/", headers{"Host": "[::1]:8081"}, "", 200, ""},
		{"IPv6 without port", "", "GET", "/", headers{"Host": "[::1]"}, "", 200, ""},
		{"the name it listens on", "", "GET", "/", headers{"Host": "admin.example:8081"}, "", 200, ""},
	}
}

// siteCases are B61: pages of other sites.
func siteCases() []doorCase {
	return []doorCase{
		{"cross-site POST", "", "POST", "/api/v1/quit", headers{"Sec-Fetch-Site": "cross-site"}, "", 403, "cross-site"},
		{"same-site POST", "", "POST", "/api/v1/quit", headers{"Sec-Fetch-Site": "same-site"}, "", 403, "cross-site"},
		{"cross-site POST to register", "", "POST", "/register", headers{"Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"}, "{}", 403, "cross-site"},
		{"foreign origin", "", "POST", "/api/v1/quit", headers{"Origin": "http://evil.example"}, "", 403, "cross-site"},
		{"origin that begins with localhost", "", "POST", "/api/v1/quit", headers{"Origin": "http://localhost.evil.com"}, "", 403, "cross-site"},
		{"origin null", "", "POST", "/api/v1/quit", headers{"Origin": "null"}, "", 403, "cross-site"},
		{"cross-site DELETE", "", "DELETE", "/api/v1/workers/w1", headers{"Sec-Fetch-Site": "cross-site"}, "", 403, "cross-site"},
		{"cross-site POST with the token", "s3cret", "POST", "/api/v1/quit", headers{"Sec-Fetch-Site": "cross-site", "Authorization": rightToken}, "", 403, "cross-site"},
		{"own origin", "", "POST", "/api/v1/quit", headers{"Origin": "http://127.0.0.1:8081", "Sec-Fetch-Site": "same-origin"}, "", 202, ""},
		{"own origin, old browser", "", "POST", "/api/v1/quit", headers{"Origin": "http://127.0.0.1:8081"}, "", 202, ""},
		{"no browser", "", "POST", "/api/v1/quit", nil, "", 202, ""},
		{"another site reads", "", "GET", "/api/v1/status", headers{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, "", 403, "cross-site"},
		{"another site reads, old browser", "", "GET", "/api/v1/stream", headers{"Origin": "http://evil.example"}, "", 403, "cross-site"},
		{"another site links here", "", "GET", "/", headers{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "", 200, ""},
		{"own page reads", "", "GET", "/api/v1/status", headers{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, "", 200, ""},
		{"own page reads, old browser", "", "GET", "/api/v1/status", headers{"Origin": "http://127.0.0.1:8081"}, "", 200, ""},
	}
}

// bodyCases are B61: bodies.
func bodyCases() []doorCase {
	return []doorCase{
		{"JSON that says it is text", "", "POST", "/api/v1/quit", headers{"Content-Type": "text/plain"}, "{}", 415, "not-json"},
		{"a body without a type", "", "POST", "/register", nil, "{}", 415, "not-json"},
		{"JSON that says it is text, to register", "", "POST", "/register", headers{"Content-Type": "text/plain"}, "{}", 415, "not-json"},
		{"a type that merely begins like JSON", "", "POST", "/register", headers{"Content-Type": "application/jsonp"}, "{}", 415, "not-json"},
		{"a form where none is taken", "", "POST", "/api/v1/quit", headers{"Content-Type": "application/x-www-form-urlencoded"}, "a=b", 415, "not-json"},
		{"a form to register", "", "POST", "/register", headers{"Content-Type": "application/x-www-form-urlencoded"}, "id=a", 200, ""},
		{"JSON with a charset", "", "POST", "/register", headers{"Content-Type": "application/json; charset=utf-8"}, "{}", 200, ""},
	}
}

// routeCases are what is not there, and what cannot be done.
func routeCases() []doorCase {
	return []doorCase{
		{"unknown path", "", "GET", "/nothing", nil, "", 404, "not-found"},
		{"unknown path, POST", "", "POST", "/nothing", nil, "", 404, "not-found"},
		{"below a path", "", "GET", "/metrics/x", nil, "", 404, "not-found"},
		{"path that is not clean", "", "GET", "//metrics", nil, "", 404, "not-found"},
		{"path with dots", "", "POST", "/x/../api/v1/quit", nil, "", 404, "not-found"},
		{"quit by GET", "", "GET", "/api/v1/quit", nil, "", 405, "method-not-allowed"},
		{"register by GET", "", "GET", "/register", nil, "", 405, "method-not-allowed"},
		{"drain by GET", "", "GET", "/api/v1/workers/w1", nil, "", 405, "method-not-allowed"},
		{"drain by POST", "", "POST", "/api/v1/workers/w1", nil, "", 405, "method-not-allowed"},
		{"status by POST", "", "POST", "/api/v1/status", nil, "", 405, "method-not-allowed"},
		{"stream by HEAD", "", "HEAD", "/api/v1/stream", nil, "", 405, "method-not-allowed"},
		{"OPTIONS", "", "OPTIONS", "/api/v1/status", nil, "", 405, "method-not-allowed"},
		{"TRACE", "", "TRACE", "/", nil, "", 405, "method-not-allowed"},
		{"status by HEAD", "", "HEAD", "/api/v1/status", nil, "", 200, ""},
	}
}

func TestWhoMayPassTheDoors(t *testing.T) {
	for _, c := range slices.Concat(tokenCases(), hostCases(), siteCases(), bodyCases(), routeCases()) {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			s.Token, s.Hosts = c.token, []string{"admin.example:8081", ""}
			w := do(New(s.Options), c.method, c.path, c.header, c.body)
			if w.Code != c.status || codeOf(t, w) != c.code {
				t.Errorf("%d %q, want %d %q: %s", w.Code, codeOf(t, w), c.status, c.code, w.Body)
			}
			if did := s.quits + len(s.drained); did > 0 != (c.status == 202) {
				t.Errorf("status %d, and %d things were done", w.Code, did)
			}
			if w.Code == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("WWW-Authenticate is %q", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

func TestAWrongMethodIsToldTheRightOnes(t *testing.T) {
	h := New(newStage(t).Options)
	for path, want := range map[string]string{
		"/": "GET, HEAD", "/api/v1/quit": "POST", "/api/v1/workers/w1": "DELETE", "/register": "POST", "/api/v1/stream": "GET",
	} {
		if got := do(h, http.MethodPatch, path, nil, "").Header().Get("Allow"); got != want {
			t.Errorf("%s: Allow is %q, want %q", path, got, want)
		}
	}
}

func TestEveryAnswerIsHardenedAndNotStored(t *testing.T) {
	s := newStage(t)
	h := New(s.Options)
	for _, path := range []string{"/", "/app.css", "/icon.svg", "/metrics", "/healthz", "/readyz", "/api/v1/status", "/api/v1/decisions", "/api/v1/logs?pool=general", "/workers", "/nothing"} {
		head := do(h, http.MethodGet, path, nil, "").Header()
		for key, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := head.Get(key); got != want {
				t.Errorf("%s: %s is %q, want %q", path, key, got, want)
			}
		}
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'none'"} {
			if !strings.Contains(head.Get("Content-Security-Policy"), want) {
				t.Errorf("%s: the content policy %q lacks %q", path, head.Get("Content-Security-Policy"), want)
			}
		}
		if strings.Contains(head.Get("Content-Security-Policy"), "unsafe") || head.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v lets others in", path, head)
		}
	}
}

func TestABodyIsBounded(t *testing.T) {
	s := newStage(t)
	var got error
	s.Register = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b := make([]byte, maxBody+1)
		for n := 0; got == nil && n < len(b); {
			var m int
			m, got = r.Body.Read(b[n:])
			n += m
		}
	})
	do(New(s.Options), http.MethodPost, "/register", map[string]string{"Content-Type": "application/json"}, strings.Repeat("x", maxBody+1))
	if got == nil || !strings.Contains(got.Error(), "too large") {
		t.Errorf("a body of %d bytes was read with the error %v", maxBody+1, got)
	}
}

func TestRoutesWithoutAFunctionAreNotThere(t *testing.T) {
	s := newStage(t)
	h := New(Options{Fleet: s.fleet, Ports: s.ports, Journal: s.journal})
	for _, c := range []struct{ method, path string }{
		{"POST", "/api/v1/quit"}, {"DELETE", "/api/v1/workers/w1"}, {"GET", "/api/v1/logs?pool=general"}, {"POST", "/register"}, {"GET", "/workers"}, {"GET", "/metrics"},
	} {
		if w := do(h, c.method, c.path, nil, ""); w.Code != 404 {
			t.Errorf("%s %s: %d, want 404", c.method, c.path, w.Code)
		}
	}
	for _, path := range []string{"/", "/readyz", "/api/v1/status", "/api/v1/decisions"} {
		if w := do(h, "GET", path, nil, ""); w.Code != 200 {
			t.Errorf("%s: %d, want 200: %s", path, w.Code, w.Body)
		}
	}
}
