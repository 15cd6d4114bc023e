package admin

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"understudy/fleet"
	"understudy/scaler"
)

func TestThePageShowsWhatThereIs(t *testing.T) {
	s := newStage(t)
	w := do(New(s.Options), "GET", "/", nil, "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Refresh") != "2" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(w.Body.String(), ""))
	for _, want := range []string{
		"default", "ready", "docker", "1.2.3", "20000–20003", "another program holds it", // the head
		"general", "mult", "target 95 % within 300 ms", "120 ms", "2 active, 1 spare, 1 starting", "model: 1.9 erlang", "cold in 412 ms", "registered", // a pool
		"broken", "No worker can be had: the worker exited with code 3", "2 in a row", "no such file", // one that cannot
		"1 → 2: model: 1.9 erlang (limited: max)", // a decision
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestThePageSaysThatItIsNotReady(t *testing.T) {
	s := newStage(t)
	s.Ready = func() (bool, string) { return false, "pool general has no worker yet" }
	if body := do(New(s.Options), "GET", "/", nil, "").Body.String(); !strings.Contains(body, "not ready") || !strings.Contains(body, "pool general has no worker yet") {
		t.Error(body)
	}
}

// nasty are names as nobody should choose them.
func nasty() []string {
	return []string{
		`<img src=x onerror=alert(1)>`, `"</script><script>alert(2)</script>`, `' onmouseover='alert(3)`, "javascript:alert(4)", "\u202egnp.exe", "a\x1b[31mb\x00c\nd", "\xff\xfe", "{{.}}",
	}
}

// infest makes everything that has a name nasty.
func infest(t *testing.T, name string) Options {
	t.Helper()
	now := func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }
	f := fleet.New([]fleet.PoolConfig{{Name: name, Capabilities: []string{name}, Target: time.Second}}, now)
	if _, err := f.Add(fleet.Info{ID: name, Pool: name, Address: name, Origin: fleet.Cold}); err != nil {
		t.Fatal(err)
	}
	f.Fail(name, name)
	f.SetDesired(name, 1, name)
	f.SetUnavailable(name, name)
	ports := fleet.NewPorts(20000, 20001, now)
	port, _ := ports.Lease()
	ports.Quarantine(port, name)
	j := scaler.NewJournal(5)
	e := entry(name, 1, 2, name)
	e.Note, e.Decision.Clamp, e.Decision.Term = name, name, name
	j.Add(e)
	return Options{
		Fleet: f, Ports: ports, Journal: j, Now: now, Start: now(), Instance: name, Driver: name, Version: name,
		Ready:    func() (bool, string) { return false, name },
		Troubles: func(string) (scaler.Trouble, bool) { return scaler.Trouble{Error: name, Logs: []string{name}}, true },
	}
}

func TestHostileNamesAreTextOnThePage(t *testing.T) {
	tag := regexp.MustCompile(`<(/?)([a-zA-Z0-9]+)([^>]*)>`)
	harmless := do(New(infest(t, "name")), "GET", "/", nil, "").Body.String()
	shape := tag.FindAllString(harmless, -1)
	for _, name := range nasty() {
		body := do(New(infest(t, name)), "GET", "/", nil, "").Body.String()
		if got := tag.FindAllString(body, -1); strings.Join(got, "") != strings.Join(shape, "") {
			t.Errorf("%q changes the markup of the page", name)
		}
		for _, bad := range []string{"\u202e", "\x1b", "\x00", "\xff"} {
			if strings.Contains(body, bad) {
				t.Errorf("%q puts %q on the page", name, bad)
			}
		}
		if want := html.EscapeString(plain(name)); !strings.Contains(html.UnescapeString(body), plain(name)) {
			t.Errorf("%q is not shown as %q", name, want)
		}
	}
}

func TestThePageObeysItsOwnContentPolicy(t *testing.T) {
	body := do(New(newStage(t).Options), "GET", "/", nil, "").Body.String()
	for _, bad := range []string{"<script", "<style", " style=", " onclick", "javascript:", "http://", "https://", "<form", "<iframe"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q, which its policy forbids", bad)
		}
	}
	for _, asset := range regexp.MustCompile(`(?:src|href)="(/[^"]*\.[a-z]+)"`).FindAllStringSubmatch(body, -1) {
		w := do(New(newStage(t).Options), "GET", asset[1], nil, "")
		kind := map[string]string{"css": "text/css", "svg": "image/svg+xml"}[asset[1][strings.LastIndex(asset[1], ".")+1:]]
		if w.Code != 200 || w.Body.Len() == 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) || kind == "" {
			t.Errorf("%s: %d %v", asset[1], w.Code, w.Header())
		}
	}
	for _, bad := range []string{"@import", "url(", "http"} {
		css := do(New(newStage(t).Options), "GET", "/app.css", nil, "").Body.String()
		if strings.Contains(css, bad) || !strings.Contains(css, "prefers-color-scheme: dark") {
			t.Errorf("the style sheet has %q, or no dark side", bad)
		}
	}
}

func TestHostileNamesAreTextInProblems(t *testing.T) {
	h := New(newStage(t).Options)
	for _, target := range []string{"/api/v1/logs?pool=%3Cscript%3E%E2%80%AE%1b", "/nothing%3Cscript%3E", "/api/v1/decisions?n=%3Cscript%3E"} {
		w := do(h, "GET", target, nil, "")
		if codeOf(t, w) == "" || strings.ContainsAny(w.Body.String(), "<>\x1b\u202e") {
			t.Errorf("%s: %s", target, w.Body)
		}
	}
	w := do(h, "GET", "/", map[string]string{"Host": "<script>\u202e.example"}, "")
	if codeOf(t, w) != "wrong-host" || strings.ContainsAny(w.Body.String(), "<>\u202e") {
		t.Errorf("host: %s", w.Body)
	}
}

func TestBarsHaveTheTargetInTheMiddle(t *testing.T) {
	bars := barOf(Pool{TargetMS: 300, P50MS: 150, P95MS: 300, P99MS: 3000})
	for i, want := range []bar{{"p50", 150, 25, false}, {"p95", 300, 50, false}, {"p99", 3000, 100, true}} {
		if bars[i] != want {
			t.Errorf("%+v, want %+v", bars[i], want)
		}
	}
	if b := barOf(Pool{P95MS: 100})[1]; b.Width != 0 || b.Over {
		t.Errorf("without a target: %+v", b)
	}
}
