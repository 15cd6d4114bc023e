package dashboard_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// pool is the first pool's part of the page.
const pool = `document.querySelector('.pool')`

func TestThePageShowsAPoolAndFollowsIt(t *testing.T) {
	b := newBrowser(t, 1300, 1000)
	if b == nil {
		return
	}
	s := newStage(t)
	s.begin()
	b.open(s.url())
	b.until("the page is live", `document.getElementById('link').textContent === 'live'`)
	b.until("two workers", `document.querySelectorAll('[data-worker]').length === 2`)
	b.until("the decision from before it was opened", `document.querySelector('.story').textContent.includes('the first worker and its spare')`)
	s.load(150)
	b.until("what was served", `[...document.querySelectorAll('.cell-served')].some((n) => n.textContent === '150')`)
	b.until("p95 over the last 10 s", `/^[\d.]+ ms$/.test(`+pool+`.querySelector('.figures dd').textContent)`)
	s.decide("model: two more", 1, 3)
	s.worker("w3")
	b.until("the worker that came", `document.querySelector('[data-worker="w3"]')`)
	b.until("the decision, as a sentence", `document.querySelector('.story').textContent.includes('1 → 3 workers: model: two more')`)
	b.until("its mark on the chart", `document.querySelector('.chart .glyph.up')`)
	b.until("what it was told aloud", `document.getElementById('spoken').textContent.includes('two more')`)
	s.fleet.Remove("w3")
	b.until("the worker that went", `!document.querySelector('[data-worker="w3"]')`)
	b.until("a line of the rate", `document.querySelector('.chart .line.rate').getAttribute('d').length > 20`)
	b.until("how far its workers are fenced in", pool+`.querySelector('.fence summary').textContent === 'security strict' && !document.querySelector('.fence .warn')`)
	checkPointing(b)
	checkNames(b)
	b.clean()
}

// checkPointing: choosing a sentence shows its moment on every chart, by pointer and by keyboard.
func checkPointing(b *browser) {
	b.t.Helper()
	const lines = `document.querySelectorAll('.cursor path').length`
	b.do(chromedp.Focus(chromedp.CSS(".story")), chromedp.KeyEvent(kb.ArrowDown))
	b.until("the line through every chart", lines+` === document.querySelectorAll('.chart').length`)
	b.until("the chosen sentence", `document.querySelectorAll('.story [aria-selected="true"]').length === 1`)
	b.script(`document.activeElement.blur()`)
	b.until("no line after it is left", lines+` === 0`)
	b.do(chromedp.Focus(chromedp.CSS(".stack")), chromedp.KeyEvent(kb.ArrowLeft))
	b.until("the line that the arrow moved", lines+` > 0`)
	b.script(`document.activeElement.blur()`)
}

// checkNames: whoever does not see the page can find their way.
func checkNames(b *browser) {
	b.t.Helper()
	for _, expression := range []string{
		`[...document.querySelectorAll('svg.chart')].every((s) => s.querySelector('title').textContent && s.querySelector('desc').textContent)`,
		`[...document.querySelectorAll('svg.ports')].every((s) => s.getAttribute('aria-label'))`,
		`[...document.querySelectorAll('th')].every((h) => h.getAttribute('scope'))`,
		`document.querySelector('main') && document.querySelector('header') && document.querySelector('footer') && document.querySelector('nav[aria-label]')`,
		`document.querySelectorAll('h1').length === 1`,
		`new Set([...document.querySelectorAll('[id]')].map((n) => n.id)).size === document.querySelectorAll('[id]').length`,
	} {
		if b.text("!!("+expression+")") != "true" {
			b.t.Errorf("does not hold: %s", expression)
		}
	}
}

func TestThePageSaysWhenTheEngineIsAwayAndWhenItIsBack(t *testing.T) {
	b := newBrowser(t, 1300, 1000)
	if b == nil {
		return
	}
	s := newStage(t)
	s.begin()
	b.open(s.url())
	b.until("the page is live", `document.getElementById('link').textContent === 'live'`)
	b.until("no word of the engine", `document.getElementById('engine').hidden`)
	s.away.Store(true)
	b.until("it is away", `(n => !n.hidden && /engine is away since \d\d:\d\d:\d\d: .*<b>refused<\/b>/.test(n.textContent))(document.getElementById('engine'))`)
	s.away.Store(false)
	b.until("it is back", `document.getElementById('engine').hidden`)
}

func TestThePageSurvivesARestart(t *testing.T) {
	b := newBrowser(t, 1000, 800)
	if b == nil {
		return
	}
	s := newStage(t)
	s.begin()
	b.open(s.url())
	b.until("the page is live", `document.getElementById('link').textContent === 'live' && document.querySelectorAll('[data-worker]').length === 2`)
	s.end()
	b.until("that the connection is lost, and since when", `/^not connected since \d\d:\d\d:\d\d$/.test(document.getElementById('link').textContent)`)
	if n := b.text(`document.querySelectorAll('[data-worker]').length`); n != "2" {
		t.Errorf("%s workers are shown while there is no connection, want what was known last", n)
	}
	s.begin()
	b.until("the page is live again", `document.getElementById('link').textContent === 'live'`)
	s.decide("model: after the restart", 1, 2)
	b.until("what the new process decides", `document.querySelector('.story').textContent.includes('after the restart')`)
	for what, expression := range map[string]string{
		"workers":             `document.querySelectorAll('[data-worker]').length === 2`,
		"pools":               `document.querySelectorAll('.pool').length === 1`,
		"ports":               `document.querySelectorAll('svg.ports').length === 1`,
		"sentences":           `new Set([...document.querySelectorAll('.story li')].map((n) => n.dataset.key)).size === document.querySelectorAll('.story li').length`,
		"first decisions":     `[...document.querySelectorAll('.story li')].filter((n) => n.textContent.includes('the first worker')).length === 2`, // one of each process
		"samples, in order":   `document.querySelector('.chart .line.rate').getAttribute('d').length > 10`,
		"charts of each kind": `document.querySelectorAll('.chart').length === 4`,
	} {
		if b.text(expression) != "true" {
			t.Errorf("%s: does not hold: %s", what, expression)
		}
	}
	b.clean("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "503")
}

// nasty are names as nobody should choose them.
func nasty() []string {
	return []string{
		`<img src=x onerror=document.title='hit'>`, `"</script><script>document.title='hit'</script>`, `' onmouseover='document.title="hit"`, "\u202egnp.exe\u2066", "a\x1b[31mb\x00c\nd",
	}
}

func TestHostileNamesAreText(t *testing.T) {
	b := newBrowser(t, 1000, 800)
	if b == nil {
		return
	}
	s := newStage(t)
	s.pool, s.word = strings.Join(nasty(), " "), strings.Join(nasty(), "|")
	s.begin()
	s.worker(s.word)
	s.decide(s.word, 1, 2)
	s.fleet.SetUnavailable(s.word, s.word)
	port, _ := s.ports.Lease()
	s.ports.Quarantine(port, s.word)
	b.open(s.url())
	b.until("both pools", `document.querySelectorAll('.pool').length === 2 && document.querySelectorAll('[data-worker]').length === 3`)
	b.until("its moment", `document.querySelectorAll('.story li').length > 1`)
	for what, expression := range map[string]string{
		"no element came of a name":  `document.querySelectorAll('main img, main script, body script, [onerror], [onmouseover]').length === 0`,
		"what is relaxed is counted": `document.querySelectorAll('.fence summary.warn').length === 2 && document.querySelector('.fence').textContent.includes('2 relaxed')`,
		"and named":                  `document.querySelector('.fence').open = true, document.querySelectorAll('.fence')[0].querySelectorAll('li')[1].innerText.startsWith('devices: <img')`,
		"nothing ran":                `!document.title.includes('hit')`,
		"the name is there as text":  `document.querySelectorAll('h2')[0].textContent.includes('<img src=x onerror=')`,
		"the text shows what it was": `document.body.innerText.includes('\\u202egnp.exe') && document.body.innerText.includes('a\\x1b[31mb')`,
	} {
		if b.text(expression) != "true" {
			t.Errorf("%s: does not hold: %s", what, expression)
		}
	}
	if strings.ContainsAny(b.text("document.body.innerText"), "\u202e\u2066\x1b\x00") {
		t.Error("a mark that turns the direction of writing, or a control character, is on the page")
	}
	b.clean()
}

func TestThePageFitsATelephoneAndTheNight(t *testing.T) {
	b := newBrowser(t, 360, 740)
	if b == nil {
		return
	}
	s := newStage(t)
	s.begin()
	s.worker("a-worker-with-a-name-that-is-long-enough-to-be-in-the-way")
	s.load(30)
	back := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		b.do(func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return chromedp.Void{}, err
		})
		b.open(s.url())
		b.until("the page is live", `document.querySelectorAll('[data-worker]').length === 3 && document.querySelector('.chart .grid')`)
		if width := b.text(`document.documentElement.scrollWidth`); width != "360" {
			t.Errorf("%s: the page is %s pixels wide, the screen 360", scheme, width)
		}
		back[scheme] = b.text(`getComputedStyle(document.body).backgroundColor`)
	}
	if back["light"] == back["dark"] {
		t.Errorf("day and night are both %s", back["dark"])
	}
	b.clean()
}

func TestABrowserLogsInAndOut(t *testing.T) {
	b := newBrowser(t, 800, 600)
	if b == nil {
		return
	}
	s := newStage(t)
	s.token = "s3cret"
	s.begin()
	b.open(s.url())
	s.drops.Store(2)
	b.do(chromedp.WaitVisible(chromedp.CSS("#token")), chromedp.SendKeys(chromedp.CSS("#token"), "guess\r"))
	b.until("that it is wrong", `document.getElementById('answer').textContent.includes('not the admin token')`)
	b.script(`document.getElementById('token').value = ''`)
	b.do(chromedp.SendKeys(chromedp.CSS("#token"), "s3cret\r"))
	b.until("the page is live", `document.getElementById('link')?.textContent === 'live'`)
	if cookie := b.text(`document.cookie`); cookie != "" {
		t.Errorf("scripts can read %q", cookie)
	}
	s.drops.Store(2)
	b.do(chromedp.Click(chromedp.CSS("#logout")), chromedp.WaitVisible(chromedp.CSS("#token")))
	b.clean("401", "ERR_EMPTY_RESPONSE")
}
