package admin

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"understudy/fleet/clocktest"
)

var asJSON = headers{"Content-Type": "application/json"}

// loginAs sends a token as the form does, and yields the cookie of the answer.
func loginAs(t *testing.T, h http.Handler, token string) (*httptest.ResponseRecorder, *http.Cookie) {
	t.Helper()
	w := do(h, "POST", loginPath, asJSON, `{"token":"`+token+`"}`)
	cookies := w.Result().Cookies()
	if len(cookies) == 0 {
		return w, nil
	}
	return w, cookies[0]
}

func with(c *http.Cookie) headers { return headers{"Cookie": c.Name + "=" + c.Value} }

func TestABrowserGetsASessionForTheToken(t *testing.T) {
	s := newStage(t)
	s.Token = "s3cret"
	h := New(s.Options)
	if w, c := loginAs(t, h, "guess"); w.Code != 401 || codeOf(t, w) != "wrong-token" || c != nil {
		t.Errorf("a wrong token: %d %v %s", w.Code, c, w.Body)
	}
	w, c := loginAs(t, h, "s3cret")
	if w.Code != 204 || c == nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge != int(sessionTime/time.Second) || strings.Contains(c.Value, "s3cret") {
		t.Errorf("the cookie is %+v", c)
	}
	for _, path := range []string{"/", "/api/v1/status", "/metrics"} {
		if w := do(h, "GET", path, with(c), ""); w.Code != 200 {
			t.Errorf("%s with the session: %d", path, w.Code)
		}
	}
	if w := do(h, "GET", "/api/v1/status", headers{"Cookie": c.Name + "=" + c.Value, "Authorization": "Bearer guess"}, ""); w.Code != 401 {
		t.Errorf("a wrong token beside the session: %d", w.Code)
	}
	// another process with the same token knows it, one with another token or name does not
	if w := do(New(s.Options), "GET", "/", with(c), ""); w.Code != 200 {
		t.Errorf("after a restart: %d", w.Code)
	}
	other := s.Options
	other.Token = "changed"
	if w := do(New(other), "GET", "/", with(c), ""); w.Code != 401 {
		t.Errorf("after the token was changed: %d", w.Code)
	}
}

func TestASessionEndsByItselfAndByHand(t *testing.T) {
	s := newStage(t)
	s.Token = "s3cret"
	h := New(s.Options)
	_, first := loginAs(t, h, "s3cret")
	_, second := loginAs(t, h, "s3cret")
	w := do(h, "POST", "/api/v1/logout", with(first), "")
	if gone := w.Result().Cookies(); w.Code != 204 || len(gone) != 1 || gone[0].MaxAge >= 0 || gone[0].Value != "" {
		t.Errorf("logout: %d %v", w.Code, gone)
	}
	if w := do(h, "GET", "/", with(first), ""); w.Code != 401 {
		t.Errorf("a session after its logout: %d", w.Code)
	}
	if w := do(h, "GET", "/", with(second), ""); w.Code != 200 {
		t.Errorf("another session: %d", w.Code)
	}
	s.at = s.at.Add(sessionTime - time.Second)
	if w := do(h, "GET", "/", with(second), ""); w.Code != 200 {
		t.Errorf("a second before its end: %d", w.Code)
	}
	s.at = s.at.Add(time.Second)
	if w := do(h, "GET", "/", with(second), ""); w.Code != 401 {
		t.Errorf("at its end: %d", w.Code)
	}
}

func TestAForgedSessionIsNone(t *testing.T) {
	s := newStage(t)
	s.Token = "s3cret"
	h := New(s.Options)
	_, c := loginAs(t, h, "s3cret")
	value, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		t.Fatal(err)
	}
	for i := range value {
		forged := append([]byte{}, value...)
		forged[i] ^= 1
		if w := do(h, "GET", "/", headers{"Cookie": c.Name + "=" + base64.RawURLEncoding.EncodeToString(forged)}, ""); w.Code != 401 {
			t.Errorf("byte %d changed: %d", i, w.Code)
		}
	}
	for _, value := range []string{"", "x", "s3cret", c.Value[:len(c.Value)-2], c.Value + "AA"} {
		if w := do(h, "GET", "/", headers{"Cookie": c.Name + "=" + value}, ""); w.Code != 401 || codeOf(t, w) != "no-token" {
			t.Errorf("%q: %d", value, w.Code)
		}
	}
}

func TestSessionsEndedAreBounded(t *testing.T) {
	s := newStage(t)
	now := s.at
	all := newSessions("s3cret", "default", func() time.Time { return now })
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(all.begin(false))
	for range maxLoggedOut {
		now = now.Add(time.Millisecond)
		other := httptest.NewRequest("GET", "/", nil)
		other.AddCookie(all.begin(false))
		id, end, ok := all.of(other)
		if !ok {
			t.Fatal("a new session is none")
		}
		all.end(id, end)
	}
	if _, _, ok := all.of(r); !ok {
		t.Error("a session that nobody ended is over while there is room")
	}
	all.end([sessionID]byte{1}, now.Add(time.Hour))
	if _, _, ok := all.of(r); ok || len(all.loggedOut) > maxLoggedOut {
		t.Errorf("with %d remembered, a session from before lasts: %v", len(all.loggedOut), ok)
	}
	now = now.Add(2 * time.Millisecond)
	fresh := httptest.NewRequest("GET", "/", nil)
	fresh.AddCookie(all.begin(false))
	if _, _, ok := all.of(fresh); !ok {
		t.Error("nobody can log in again")
	}
}

func TestGuessingByTheFormIsSlowedDownToo(t *testing.T) {
	s := newStage(t)
	s.Token = "s3cret"
	h := New(s.Options)
	for range tokenBurst {
		loginAs(t, h, "guess")
	}
	if w, c := loginAs(t, h, "s3cret"); w.Code != 429 || c != nil {
		t.Errorf("after %d guesses: %d", tokenBurst, w.Code)
	}
}

func TestWhoLogsIn(t *testing.T) {
	for _, c := range []struct {
		name, method, path string
		header             headers
		body               string
		status             int
		code               string
	}{
		{"a form's type", "POST", loginPath, headers{"Content-Type": "application/x-www-form-urlencoded"}, "token=s3cret", 415, "not-json"},
		{"text", "POST", loginPath, headers{"Content-Type": "text/plain"}, `{"token":"s3cret"}`, 415, "not-json"},
		{"no JSON", "POST", loginPath, asJSON, `token`, 400, "bad-json"},
		{"by GET", "GET", loginPath, nil, "", 405, "method-not-allowed"},
		{"logout by GET", "GET", "/api/v1/logout", headers{"Authorization": rightToken}, "", 405, "method-not-allowed"},
		{"another site", "POST", loginPath, headers{"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, `{"token":"s3cret"}`, 403, "cross-site"},
		{"another name", "POST", loginPath, headers{"Content-Type": "application/json", "Host": "evil.example"}, `{"token":"s3cret"}`, 421, "wrong-host"},
		{"the page, for a person", "GET", "/", headers{"Accept": "text/html,*/*"}, "", 401, ""},
		{"the page, for a program", "GET", "/", headers{"Accept": "*/*"}, "", 401, "no-token"},
		{"something else, for a person", "GET", "/metrics", headers{"Accept": "text/html"}, "", 401, "no-token"},
		{"the form's script", "GET", "/login.js", nil, "", 200, ""},
		{"the style sheet", "GET", "/app.css", nil, "", 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			s.Token = "s3cret"
			w := do(New(s.Options), c.method, c.path, c.header, c.body)
			if w.Code != c.status || codeOf(t, w) != c.code || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%d %q %q, want %d %q", w.Code, codeOf(t, w), w.Header().Get("Set-Cookie"), c.status, c.code)
			}
			if form := strings.Contains(w.Body.String(), `id="login"`); form != (c.name == "the page, for a person") {
				t.Errorf("the form is shown: %v", form)
			}
		})
	}
}

func TestWithoutATokenNobodyNeedsASession(t *testing.T) {
	s := newStage(t)
	if w, c := loginAs(t, New(s.Options), "anything"); w.Code != 204 || c != nil {
		t.Errorf("%d %v", w.Code, c)
	}
}

func TestSessionsLastAsLongWhoeverSetsTheClock(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var clock clocktest.Clock
			all := newSessions("s3cret", "default", clock.Now)
			began := func() *http.Request {
				r := httptest.NewRequest("GET", "/", nil)
				r.AddCookie(all.begin(false))
				return r
			}
			lasts := func(r *http.Request) bool {
				_, _, ok := all.of(r)
				return ok
			}
			old := began()
			clock.Set(by)
			<-time.After(sessionTime - time.Second)
			if !lasts(old) {
				t.Errorf("set by %v: a session is over too early", by)
			}
			<-time.After(time.Second)
			if lasts(old) {
				t.Errorf("set by %v: a session lasts too long", by)
			}

			clock.Set(0)
			for i := range maxLoggedOut + 1 { // so many that all sessions until now are over
				all.end([sessionID]byte{byte(i), byte(i >> 8), 1}, time.Now().Add(sessionTime))
			}
			clock.Set(by)
			<-time.After(time.Second)
			if !lasts(began()) {
				t.Errorf("set by %v: nobody can log in again", by)
			}
		})
	}
}
