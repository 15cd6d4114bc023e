package client

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

func htmlOf(t *testing.T, r *Report) string {
	t.Helper()
	var out strings.Builder
	if err := r.WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestThePageHasThePicturesAndWhatTheTextReportSays(t *testing.T) {
	r := sample()
	page := htmlOf(t, r)
	for _, title := range []string{"Latency over time", "Throughput over time", "Requests in flight over time", "Workers over time", "Latency histogram"} {
		if !strings.Contains(page, "<title>"+title+"</title><desc>") {
			t.Errorf("there is no picture %q with a description", title)
		}
	}
	for _, want := range []string{
		`<th scope="row">p95&lt;300ms</th><td><span class="good-word">holds</span></td><td class="words">p95 was 147.071 ms</td>`,
		`<th scope="row">errors=0</th><td><span class="bad-word">failed</span></td><td class="words">errors was 5</td>`,
		`<path class="target"`, // p95<300ms
		`<th scope="row">mult</th><td>666</td><td>4</td>`,
		`<th scope="row">w0</th><td>334</td><td>33.4 %</td>`,
		"3 workers, 333 answers each, standard deviation 0.82.",
		`<th scope="row">spare: promoted for this request</th><td>10</td>`,
		`<th scope="row">503</th><td>4</td>`,
		`<th scope="row">status</th><td>4</td><td>0.4 %</td><td class="words">503 queue-full: the queue is full</td>`,
		"0.50 ms (p99) after the intended send",
		`<th scope="row">from send</th>`, `<th scope="row">queue</th>`, `<th scope="row">service</th>`,
		"100/s intended, 100.0/s sent; 98.5/s answered",
		"prefers-color-scheme: dark", "Over time, in slices of 0.5 s",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if n := strings.Count(page, `<th scope="row">9.5 s</th>`); n != 1 {
		t.Errorf("the last slice is listed %d times", n)
	}
	for _, picture := range regexp.MustCompile(`(?s)<svg class="chart".*?</svg>.*?</svg>`).FindAllString(page, -1) {
		wellFormed(t, picture)
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
}

// TestWhatComesFromOutsideIsTextInThePage: names of capabilities and workers, errors, the target and the file of a trace.
func TestWhatComesFromOutsideIsTextInThePage(t *testing.T) {
	attacks := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg onload=alert(1)>`, `</style><style>body{display:none}`,
		`</title><base href=//evil.example>`, `{{.Target}}`, "<!--", `&lt;b&gt;`, `javascript:alert(1)`, "\u2028</td></table>",
	}
	for _, attack := range attacks {
		rec := newRecorder()
		x := answeredBy(attack, time.Millisecond)
		x.Capability = attack
		rec.record(x)
		x.Cause, x.Detail = WrongResult, attack
		rec.record(x)
		r := rec.report(Options{Target: attack}, plan{words: attack}, false)
		r.Assertions = []Outcome{{Text: attack, Got: attack}}
		page := htmlOf(t, r)
		escaped := html.EscapeString(attack)
		if attack != escaped && strings.Contains(page, attack) {
			t.Errorf("%s is in the page as it is", attack)
		}
		// Whatever escaping was used, a browser shows the same text: in the head line, title, load, two tables of names, error, assertion twice.
		if n := strings.Count(html.UnescapeString(page), attack); n < 8 {
			t.Errorf("%s is shown %d times", attack, n)
		}
		if plain := tags(htmlOf(t, harmless())); tags(page) != plain {
			t.Errorf("%s changes the structure of the page:\n%s\nwant\n%s", attack, tags(page), plain)
		}
	}
}

// harmless is the report of the attacks with words in their places.
func harmless() *Report {
	rec := newRecorder()
	x := answeredBy("w", time.Millisecond)
	rec.record(x)
	x.Cause, x.Detail = WrongResult, "d"
	rec.record(x)
	r := rec.report(Options{Target: "t"}, plan{words: "l"}, false)
	r.Assertions = []Outcome{{Text: "a", Got: "g"}}
	return r
}

// tags is every tag of a page in order, with the names of its attributes but not what they are set to.
func tags(page string) string {
	whole := regexp.MustCompile(`<[^<>]*>`).FindAllString(page, -1)
	return regexp.MustCompile(`"[^"]*"`).ReplaceAllString(strings.Join(whole, ""), "")
}

func TestThePageNeedsNothingElse(t *testing.T) {
	page := htmlOf(t, sample())
	for _, never := range []string{"<script", "<link", " src=", " href=", "url(", "@import", " style=", " onload=", "NaN", "Inf", "ZgotmplZ", "<no value>"} {
		if strings.Contains(page, never) {
			t.Errorf("the page contains %s", never)
		}
	}
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	sum := sha256.Sum256([]byte(style[1]))
	policy := `content="default-src 'none'; style-src 'sha256-` + base64.StdEncoding.EncodeToString(sum[:]) + `'; base-uri 'none'; form-action 'none'"`
	if !strings.Contains(page, `http-equiv="Content-Security-Policy" `+policy) {
		t.Errorf("the policy is not %s", policy)
	}
	if n := strings.Count(page, "<table"); n == 0 || strings.Count(page, `<th scope="col">`) < 2*n || strings.Count(page, "<th>") > 0 {
		t.Errorf("%d tables, of which some have no header", n)
	}
}

func TestAnOrdinaryPageIsSmallAndAHugeRunStaysReadable(t *testing.T) {
	r := newRecorder()
	for i := range 20_000 {
		x := answeredBy(fmt.Sprintf("w-%08x", i%500), time.Duration(50+i%977)*time.Millisecond)
		x.Intended = time.Duration(i) * 6 * time.Millisecond // 119.9 s: as many slices as there can be
		x.Actual = x.Intended
		x.Capability = fmt.Sprintf("capability-%d", i%20)
		r.record(x)
	}
	page := htmlOf(t, r.report(Options{Target: DefaultTarget}, plan{}, false))
	if len(page) > 150<<10 {
		t.Errorf("it is %d KiB long", len(page)>>10)
	}
	if !strings.Contains(page, "And 300 more.") || !strings.Contains(page, "w-000000c7") || strings.Contains(page, "w-000000c8") {
		t.Error("workers are not cut off at 200")
	}
}

func TestAPageAboutNothingIsFine(t *testing.T) {
	page := htmlOf(t, newRecorder().report(Options{Target: DefaultTarget}, plan{words: "closed loop"}, true))
	if !strings.Contains(page, "0 requests to") || !strings.Contains(page, "Interrupted before its end.") || strings.Contains(page, "NaN") || strings.Contains(page, "<svg") {
		t.Error(page)
	}
	only := newRecorder()
	only.record(Result{Capability: "x", Cause: Connect, Detail: "refused", Queue: -1, Service: -1})
	page = htmlOf(t, only.report(Options{}, plan{}, false))
	if strings.Contains(page, "NaN") || strings.Count(page, "<svg class") != 3 || strings.Contains(page, "Workers over time") {
		t.Error(page)
	}
}

func TestOneStallDoesNotFlattenTheLatencyPicture(t *testing.T) {
	r := newRecorder()
	for i := range 10_000 {
		x := answeredBy("w", 10*time.Millisecond)
		x.Intended = time.Duration(i) * time.Millisecond
		x.Actual = x.Intended
		if i/100 == 50 {
			x.Latency = 30 * time.Second
		}
		r.record(x)
	}
	page := htmlOf(t, r.report(Options{}, plan{}, false))
	if !strings.Contains(page, "What is higher than the picture, up to 30000 ms, is cut off.") || !strings.Contains(page, ">100 ms</text>") {
		t.Error("the scale of the latency picture follows the stall, or nothing says that it does not")
	}
}

func TestAPromiseAboutLatencyIsDrawnEvenWhereItIsFarAway(t *testing.T) {
	r := sample()
	for text, want := range map[string]int{"p95<2s": 1, "p50<=100ms,p99<1s": 2, "max<1s": 0, "errors=0": 0, "mult.p95<1s": 0, "p95>1ms": 0} {
		assertions, err := ParseAssertions(text)
		if err != nil {
			t.Fatal(err)
		}
		r.Check(assertions)
		page := htmlOf(t, r)
		if got := strings.Count(page, `<path class="target"`); got != want {
			t.Errorf("%s draws %d lines, want %d", text, got, want)
		}
		if text == "p95<2s" && !strings.Contains(page, ">3000 ms</text>") {
			t.Error("the line is outside of the picture")
		}
	}
}

func TestSharesHaveNoExponent(t *testing.T) {
	for want, of := range map[string][2]int{"0 %": {0, 0}, "100 %": {100, 100}, "2.16 %": {14, 648}, "0.001 %": {1, 100_000}, "<0.001 %": {1, 1_000_000}} {
		if got := percent(of[0], of[1]); got != want {
			t.Errorf("%d of %d are %s, want %s", of[0], of[1], got, want)
		}
	}
}
