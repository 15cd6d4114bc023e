package simulate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

func report(t *testing.T) *Report {
	t.Helper()
	l := fromWorkload(t, "onoff", time.Minute)
	l.Name = `<script>alert("x")</script>`
	return simulated(t, Options{Load: l, Policies: []string{"understudy", "naive", "oracle"}, Seed: 4})
}

func TestThePageNeedsNothingElseAndEscapesNames(t *testing.T) {
	var out bytes.Buffer
	if err := report(t).WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, never := range []string{"<script", "http://", "https://", "<link", "NaN", "Inf", "ZgotmplZ"} {
		if strings.Contains(page, never) {
			t.Errorf("the page contains %s", never)
		}
	}
	for _, always := range []string{"&lt;script&gt;", "prefers-color-scheme: dark", ">naive<", `<title>latency over time with oracle</title>`} {
		if !strings.Contains(page, always) {
			t.Errorf("the page lacks %s", always)
		}
	}
	if n := strings.Count(page, `<svg class="chart"`); n != 6 {
		t.Errorf("%d pictures, want two for each of three policies", n)
	}
	wellFormed(t, regexp.MustCompile(`(?s)<svg.*?</svg>.*?</svg>`).FindString(page))
}

func TestThePicturesAloneAreOneDrawing(t *testing.T) {
	var out bytes.Buffer
	if err := report(t).WriteSVG(&out); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, out.String())
	if strings.Contains(out.String(), "<script") || strings.Count(out.String(), "<path") != 15 {
		t.Errorf("%d lines and areas, want five for each of three policies", strings.Count(out.String(), "<path"))
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for n := 0; ; n++ {
		_, err := d.Token()
		if errors.Is(err, io.EOF) && n > 5 {
			return
		}
		if err != nil {
			t.Fatalf("after %d tokens: %v", n, err)
		}
	}
}

func TestTheTextHasALineForEachPolicy(t *testing.T) {
	var out bytes.Buffer
	r := report(t)
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Policies {
		if !regexp.MustCompile(`(?m)^ *` + p.Name + ` +\d+\.\d\d % `).MatchString(out.String()) {
			t.Errorf("no line for %s in\n%s", p.Name, out.String())
		}
	}
}

func TestThePicturesAndTheFiguresAgree(t *testing.T) {
	for _, p := range report(t).Policies {
		workers, ended, over := 0.0, 0, 0
		for _, c := range p.series.columns {
			workers += c.workers.Seconds()
			ended, over = ended+c.ended, over+c.over
			if c.busy > c.workers+time.Millisecond {
				t.Errorf("%s: more busy than there are: %v of %v", p.Name, c.busy, c.workers)
			}
			if c.ended > 0 && (c.p50 <= 0 || c.p95 < c.p50) {
				t.Errorf("%s: p50 %v, p95 %v", p.Name, c.p50, c.p95)
			}
		}
		if math.Abs(workers-p.WorkerSeconds) > 0.02*p.WorkerSeconds { // what comes after the end of the load is not in the picture
			t.Errorf("%s: %.1f worker-seconds in the picture, %.1f in the table", p.Name, workers, p.WorkerSeconds)
		}
		if math.Abs(float64(over)/float64(ended)-p.OverTarget) > 1e-6 {
			t.Errorf("%s: %d of %d over the target in the picture, %v in the table", p.Name, over, ended, p.OverTarget)
		}
	}
}
