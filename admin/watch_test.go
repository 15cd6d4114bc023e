package admin

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// viewed is what a person sees of the stage while watching it.
func viewed(t *testing.T, o Options) View {
	t.Helper()
	h := New(o)
	v := View{At: time.Date(2030, 1, 2, 3, 4, 38, 0, time.UTC), Width: 80, Height: 24}
	for path, into := range map[string]any{"/api/v1/status": &v.Status, "/api/v1/decisions": &v.Decisions} {
		if err := json.Unmarshal(do(h, "GET", path, nil, "").Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// watchClock is sameClock for the times a frame shows.
func watchClock(s string, v View) []byte {
	s = strings.ReplaceAll(s, showClock(v.At), "03:04:38")
	for _, d := range v.Decisions.Decisions {
		s = strings.ReplaceAll(s, showClock(d.At), d.At.UTC().Format("15:04:05"))
	}
	return []byte(s)
}

// observed saw the general pool's latency rise over two minutes.
func observed(v View) *Watch {
	w := &Watch{}
	for i := range 12 {
		st := Status{Pools: []Pool{{Name: "general", TargetMS: 300, P95MS: float64(50 * i)}}}
		w.Observe(st, v.At.Add(time.Duration(i-12)*cellTime))
	}
	w.Observe(v.Status, v.At)
	return w
}

func TestAFrameReadsWellAt80By24(t *testing.T) {
	v := viewed(t, newStage(t).Options)
	w := observed(v)
	golden(t, "watch.txt", watchClock(w.Frame(v), v))
	v.ASCII = true
	plainFrame := w.Frame(v)
	golden(t, "watch-ascii.txt", watchClock(plainFrame, v))
	if i := strings.IndexFunc(plainFrame, func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
		t.Errorf("no ASCII: %q", plainFrame[i:])
	}
	v.ASCII, v.Trouble = false, "not reachable, trying again (3 s): nothing listens there"
	if f := w.Frame(v); !strings.HasPrefix(f, v.Trouble+"\n") || !strings.Contains(f, "w1") {
		t.Errorf("what was there last is gone:\n%s", f)
	}
}

func TestAFrameFitsEveryScreen(t *testing.T) {
	v := viewed(t, newStage(t).Options)
	for i := range 60 {
		v.Status.Pools[0].Workers = append(v.Status.Pools[0].Workers, Worker{ID: fmt.Sprint("worker-number-", i), State: "active", Served: 1 << 40})
	}
	v.Decisions.Decisions = append(v.Decisions.Decisions, Decision{Pool: "general", From: 3, To: 3, Reason: strings.Repeat("because ", 40) + "\x1b[31m"})
	colour := regexp.MustCompile("\x1b\\[[0-9]+m")
	w := observed(v)
	for _, width := range []int{40, 60, 80, 81, 132, 300} {
		for height := range 50 {
			for _, v.Color = range []bool{false, true} {
				v.Width, v.Height = width, height
				lines := strings.Split(strings.TrimSuffix(w.Frame(v), "\n"), "\n")
				if height > 0 && len(lines) > height {
					t.Errorf("%d lines on a screen of %d", len(lines), height)
				}
				for _, l := range lines {
					l = colour.ReplaceAllString(l, "")
					if n := utf8.RuneCountInString(strings.TrimRight(l, " ")); n > width || strings.Contains(l, "\x1b") {
						t.Fatalf("%d characters on a screen of %d by %d: %q", n, width, height, l)
					}
				}
			}
		}
	}
	v.Width, v.Height, v.Color = 80, 0, false
	if f := w.Frame(v); strings.Count(f, "  active  ") != 62 {
		t.Errorf("without a height not all are shown:\n%s", f)
	}
	v.Height = 24
	if f := w.Frame(v); !strings.Contains(f, "more") {
		t.Errorf("it does not say that there are more:\n%s", f)
	}
}

func TestThePictureOfTheLastMinutesIsAboutTheTarget(t *testing.T) {
	at := time.Unix(1_000_000, 0)
	pool := func(ms float64) Pool { return Pool{Name: "p", TargetMS: 100, P95MS: ms} }
	w, s := &Watch{}, newScreen(80, false)
	for i, ms := range []float64{10, 99, 100, 0, 199, 5000} {
		w.Observe(Status{Pools: []Pool{pool(ms)}}, at.Add(time.Duration(i)*cellTime))
		w.Observe(Status{Pools: []Pool{pool(ms / 2)}}, at.Add(time.Duration(i)*cellTime+time.Second)) // the worst of a cell counts
	}
	v := View{At: at.Add(5 * cellTime)}
	if got := w.spark(s, v, pool(0), 8); got != "  ▁▄▅ ██" {
		t.Errorf("got %q", got)
	}
	v.At = v.At.Add(2 * cellTime) // nothing was seen since
	if got := w.spark(s, v, pool(0), 8); got != "▁▄▅ ██  " {
		t.Errorf("later %q", got)
	}
	for i := range 1000 {
		w.Observe(Status{Pools: []Pool{pool(1)}}, at.Add(time.Duration(i)*cellTime))
	}
	if n := len(w.past["p"]); n != mostPast {
		t.Errorf("%d cells are kept", n)
	}
}
