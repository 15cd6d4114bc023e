package admin

import (
	"net/http"
	"strings"
	"testing"
)

func TestProfilesAreThereOnlyWhenAskedForAndBehindTheSameDoors(t *testing.T) {
	o := newStage(t).Options
	if got := do(New(o), "GET", "/debug/pprof/heap", nil, ""); got.Code != http.StatusNotFound {
		t.Errorf("it is on by itself: %d", got.Code)
	}
	o.Profiles = true
	h := New(o)
	for path, want := range map[string]string{
		"/debug/pprof/goroutine?debug=1": "goroutine profile:", "/debug/pprof/heap?debug=1": "heap profile:", "/debug/pprof/symbol": "num_symbols",
		"/debug/pprof/trace?seconds=0.01": "go 1.",
	} {
		if got := do(h, "GET", path, nil, ""); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), want) {
			t.Errorf("%s: %d, %.100q", path, got.Code, got.Body)
		}
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/nosuch", "/debug/vars"} {
		if got := do(h, "GET", path, nil, ""); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if got := do(h, "DELETE", "/debug/pprof/heap", nil, ""); got.Code != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", got.Code)
	}
	o.Token = "a-token-that-nobody-guesses"
	if got := do(New(o), "GET", "/debug/pprof/heap", nil, ""); got.Code != http.StatusUnauthorized {
		t.Errorf("without the token: %d", got.Code)
	}
}
