package dashboard

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func served(t *testing.T, h http.HandlerFunc) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Body.Len() == 0 || w.Header().Get("Content-Type") == "" {
		t.Errorf("%d bytes of %q", w.Body.Len(), w.Header().Get("Content-Type"))
	}
	return w
}

func TestEverythingIsSmall(t *testing.T) {
	const most = 150 << 10
	total := served(t, ServePage(true)).Body.Len() + served(t, Serve(Login, 401)).Body.Len()
	for _, name := range Files() {
		total += served(t, Serve(name, 200)).Body.Len()
	}
	if total > most || total < 10<<10 {
		t.Errorf("the dashboard has %d bytes, at most %d are allowed", total, most)
	}
	t.Logf("%d KiB in all", total>>10)
}

// TestTheDocumentsObeyTheContentPolicy: no script or style within them, and nothing from elsewhere.
func TestTheDocumentsObeyTheContentPolicy(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|https?://|<script[^>]*>[^<]|<iframe|@import|url\(http`)
	loaded := regexp.MustCompile(`(?:src|href)="/(\w+\.\w+)"`)
	for _, name := range []string{Page, Login} {
		body := served(t, Serve(name, 200)).Body.String()
		if bad := inline.FindString(body); bad != "" {
			t.Errorf("%s has %q", name, bad)
		}
		for _, match := range loaded.FindAllStringSubmatch(body, -1) {
			if !slices.Contains(Files(), match[1]) {
				t.Errorf("%s loads %s, which is not served", name, match[1])
			}
		}
	}
	css := served(t, Serve("app.css", 200)).Body.String()
	if bad := inline.FindString(css); bad != "" || !strings.Contains(css, "prefers-color-scheme: dark") {
		t.Errorf("the style sheet has %q, or no dark side", bad)
	}
}

// TestTheScriptMakesNoMarkup: what others named can only become text when nothing is ever parsed as HTML.
func TestTheScriptMakesNoMarkup(t *testing.T) {
	for _, name := range []string{Script, "login.js"} {
		body := served(t, Serve(name, 200)).Body.String()
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "import(", "setAttribute('style"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s uses %s", name, bad)
			}
		}
		for _, address := range regexp.MustCompile(`https?://[^'"\s]*`).FindAllString(body, -1) {
			if address != "http://www.w3.org/2000/svg" { // a name, not an address
				t.Errorf("%s names %s", name, address)
			}
		}
	}
}

func TestTheScriptsAreMadeOfEveryModule(t *testing.T) {
	entries, err := assets.ReadDir("assets")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name, isScript := strings.CutSuffix(e.Name(), ".js")
		if isScript && !slices.Contains(modules()[Script], name) && !slices.Contains(modules()[loginScript], name) {
			t.Errorf("%s is in no page", e.Name())
		}
	}
	for name, parts := range modules() {
		script, err := bundle(parts)
		if err != nil {
			t.Fatal(err)
		}
		if left := regexp.MustCompile(`(?m)^(import|export) .*`).FindString(string(script)); left != "" {
			t.Errorf("%s: this was not understood: %s", name, left)
		}
		seen := map[string]bool{}
		for _, match := range regexp.MustCompile(`(?m)^const (?:of_(\w+) =|\{[^}]*\} = of_(\w+);)`).FindAllSubmatch(script, -1) {
			if imported := string(match[2]); imported != "" && !seen[imported] {
				t.Errorf("%s: %s is imported before it is there", name, imported)
			}
			seen[string(match[1])] = true
		}
	}
}

func TestThePageOffersToLogOutOnlyWhereOneLogsIn(t *testing.T) {
	for login, want := range map[bool]string{true: `data-login="yes"`, false: `data-login="no"`} {
		if body := served(t, ServePage(login)).Body.Bytes(); !bytes.Contains(body, []byte(want)) {
			t.Errorf("login %v: the page lacks %s", login, want)
		}
	}
}
