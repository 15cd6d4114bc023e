package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for n := 0; ; n++ {
		_, err := d.Token()
		if errors.Is(err, io.EOF) && n > 5 {
			return
		}
		if err != nil {
			t.Fatalf("after %d tokens: %v in %s", n, err, text)
		}
	}
}

func TestAChartIsWellFormedWhateverItIsCalled(t *testing.T) {
	hostile := `</title><script>alert("x")</script>&`
	c := New(Options{Title: hostile, Desc: hostile, Caption: hostile, Most: 10, Unit: hostile, Ticks: []Tick{{0, hostile}, {1, "b"}}})
	c.Area("wide", 3, func(i int) float64 { return float64(i) })
	got := c.String()
	wellFormed(t, got)
	if strings.Contains(got, "<script") || strings.Count(got, "&lt;script&gt;") != 6 { // title, description, caption, unit twice, tick
		t.Errorf("%s", got)
	}
}

func TestLinesAndAreasBreakWhereThereIsNoValue(t *testing.T) {
	values := []float64{5, math.NaN(), 20, 0}
	for name, want := range map[string]string{
		"line": `d="M0.0 60.0H250.0M500.0 0.0H750.0L750.0 120.0H1000.0"`, // 20 is more than there is room for
		"area": `d="M0.0 120.0L0.0 60.0H250.0V120.0ZM500.0 120.0L500.0 0.0H750.0L750.0 120.0H1000.0V120.0Z"`,
	} {
		c := New(Options{Title: "t", Most: 10})
		draw := map[string]func(string, int, func(int) float64){"line": c.Line, "area": c.Area}[name]
		draw("x", 4, func(i int) float64 { return values[i] })
		if got := c.String(); !strings.Contains(got, want) {
			t.Errorf("%s: %s is missing in %s", name, want, got)
		}
	}
}

func TestALevelIsDrawnAtItsValueAndLabelsAreWhereTheyBelong(t *testing.T) {
	c := New(Options{Title: "t", Most: 400, Unit: " ms", Ticks: Times(2 * time.Minute)})
	c.Level("target", 300)
	got := c.String()
	for _, want := range []string{
		`<path class="target" d="M0 30.0H1000"/>`, `y="14.0">400 ms</text>`, `y="74.0">200 ms</text>`,
		`<text class="start" x="0%" y="152">0:00</text>`, `<text class="mid" x="75%" y="152">1:30</text>`, `<text class="end" x="100%" y="152">2:00</text>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
}

func TestFiguresHaveNoExponent(t *testing.T) {
	for v, want := range map[float64]string{2e6: "2000000", 0.1 + 0.2: "0.3", 150: "150", 0.0005: "0.0005"} {
		if got := figure(v); got != want {
			t.Errorf("%v is %s", v, got)
		}
	}
}

func TestTicksAreRoundAndFew(t *testing.T) {
	for length, want := range map[time.Duration]string{
		700 * time.Millisecond: "0 s 0.25 s 0.5 s", 3 * time.Second: "0:00 0:01 0:02 0:03", 18500 * time.Millisecond: "0:00 0:05 0:10 0:15",
		15 * time.Minute: "0:00 5:00 10:00 15:00", 40 * 24 * time.Hour: "0:00 192:00:00 384:00:00 576:00:00 768:00:00 960:00:00",
	} {
		ticks, got := Times(length), []string{}
		for _, tick := range ticks {
			got = append(got, tick.Text)
		}
		if strings.Join(got, " ") != want || ticks[0].At != 0 || ticks[len(ticks)-1].At > 1 {
			t.Errorf("%v: %v, want %s", length, ticks, want)
		}
	}
	for length := time.Millisecond; length < 400*24*time.Hour; length = length*5/4 + 1 {
		if n := len(Times(length)); n < 2 || n > 6 {
			t.Errorf("%v has %d ticks", length, n)
		}
	}
}

func TestScalesAreRound(t *testing.T) {
	for v, want := range map[float64]float64{1: 1, 1.1: 2, 7: 8, 9: 10, 64: 80, 600: 600, 601: 800, 0.3: 0.3} {
		if got := RoundUp(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v becomes %v, want %v", v, got, want)
		}
	}
}

func TestAClockShowsHoursWhenThereAreSome(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0:00", 65 * time.Second: "1:05", 3605 * time.Second: "1:00:05"} {
		if got := Clock(d); got != want {
			t.Errorf("%v is %s", d, got)
		}
	}
}
