package admin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// attempt sends a token from an address and yields the verdict.
func attempt(c *tokenCheck, from, token string) verdict {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = from
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return c.judge(r)
}

func TestGuessingIsSlowedDownByAddress(t *testing.T) {
	at := time.Unix(1000, 0)
	c := newTokenCheck("right", func() time.Time { return at })
	for i := range tokenBurst {
		if v := attempt(c, "10.0.0.1:1000", "guess"); v != wrong {
			t.Fatalf("attempt %d: %v, want wrong", i, v)
		}
	}
	if v := attempt(c, "10.0.0.1:1001", "guess"); v != limited {
		t.Errorf("after %d wrong tokens: %v, want limited", tokenBurst, v)
	}
	if v := attempt(c, "10.0.0.1:1002", "right"); v != limited {
		t.Errorf("the right token while limited: %v; then guessing would go on unhindered", v)
	}
	if v := attempt(c, "10.0.0.2:1000", "right"); v != accepted {
		t.Errorf("another address: %v, want accepted", v)
	}
	at = at.Add(time.Second)
	if v := attempt(c, "10.0.0.1:1003", "right"); v != accepted {
		t.Errorf("a second later: %v, want accepted", v)
	}
	if v := attempt(c, "10.0.0.1:1003", "guess"); v != wrong {
		t.Errorf("a second later: %v, want one more guess", v)
	}
	if v := attempt(c, "10.0.0.1:1003", "guess"); v != limited {
		t.Errorf("and no second one: %v", v)
	}
	at = at.Add(time.Hour)
	for range tokenBurst {
		attempt(c, "10.0.0.1:1", "guess")
	}
	if v := attempt(c, "10.0.0.1:1", "guess"); v != limited {
		t.Errorf("an hour of rest allows %v: more than the burst", v)
	}
}

func TestNeitherMissingNorRightTokensAreCounted(t *testing.T) {
	at := time.Unix(1000, 0)
	c := newTokenCheck("right", func() time.Time { return at })
	for range 5 * tokenBurst {
		if v := attempt(c, "10.0.0.1:1", ""); v != missing {
			t.Fatalf("no token: %v", v)
		}
		if v := attempt(c, "10.0.0.1:1", "right"); v != accepted {
			t.Fatalf("right token: %v", v)
		}
	}
}

func TestOneIPv6HostIsOneAddress(t *testing.T) {
	at := time.Unix(1000, 0)
	c := newTokenCheck("right", func() time.Time { return at })
	for i := range tokenBurst {
		attempt(c, fmt.Sprintf("[2001:db8::%x]:1", i+1), "guess")
	}
	if v := attempt(c, "[2001:db8::ffff]:1", "guess"); v != limited {
		t.Errorf("another address of the same /64: %v, want limited", v)
	}
	if v := attempt(c, "[::ffff:10.0.0.1]:1", "guess"); v != wrong {
		t.Errorf("an IPv4 address in IPv6: %v", v)
	}
	if len(c.sources) != 2 {
		t.Errorf("%d sources, want 2", len(c.sources))
	}
}

func TestAddressesRememberedAreBounded(t *testing.T) {
	at := time.Unix(1000, 0)
	c := newTokenCheck("right", func() time.Time { return at })
	for i := range 3 * tokenSources {
		attempt(c, fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), "guess")
	}
	if n := len(c.sources); n > tokenSources+1 {
		t.Errorf("%d addresses remembered, want at most %d", n, tokenSources+1)
	}
	if v := attempt(c, "99.9.9.9:1", "guess"); v != limited {
		t.Errorf("when too many guess, new ones share an allowance: %v, want limited", v)
	}
	at = at.Add(time.Hour)
	if v := attempt(c, "99.9.9.9:1", "right"); v != accepted {
		t.Errorf("an hour later: %v", v)
	}
	attempt(c, "99.9.9.9:1", "guess")
	if n := len(c.sources); n > 2 {
		t.Errorf("%d addresses remembered after an hour, want them forgotten", n)
	}
}

func TestTooManyGuessesGet429(t *testing.T) {
	s := newStage(t)
	s.Token = "right"
	h := New(s.Options)
	header := map[string]string{"Authorization": "Bearer guess"}
	for range tokenBurst {
		do(h, "GET", "/api/v1/status", header, "")
	}
	w := do(h, "GET", "/api/v1/status", header, "")
	if w.Code != 429 || codeOf(t, w) != "too-many-attempts" || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %s, Retry-After %q", w.Code, w.Body, w.Header().Get("Retry-After"))
	}
	if w := do(h, "GET", "/healthz", header, ""); w.Code != 200 {
		t.Errorf("health of a limited address: %d", w.Code)
	}
}
