package admin

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"understudy/fleet"
)

// rendered is what a person sees of the stage in a terminal.
func rendered(t *testing.T, o Options, width int, color bool) (status, decisions string) {
	t.Helper()
	h := New(o)
	var st Status
	var d Decisions
	for path, into := range map[string]any{"/api/v1/status": &st, "/api/v1/decisions": &d} {
		if err := json.Unmarshal(do(h, "GET", path, nil, "").Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	var a, b strings.Builder
	if err := errors.Join(RenderStatus(&a, st, width, color), RenderDecisions(&b, d, width, color)); err != nil {
		t.Fatal(err)
	}
	return a.String(), b.String()
}

// sameClock makes texts comparable wherever the test runs: times are shown where the reader is.
func sameClock(s string) []byte {
	at := time.Date(2030, 1, 2, 3, 5, 5, 0, time.UTC)
	s = strings.ReplaceAll(s, showClock(at), "03:05:05")
	at = time.Date(2030, 1, 2, 3, 4, 5, 250_000_000, time.UTC)
	return []byte(strings.ReplaceAll(s, at.Local().Format("15:04:05.000"), "03:04:05.250"))
}

func TestStatusReadsWellAt80Columns(t *testing.T) {
	status, decisions := rendered(t, newStage(t).Options, 80, false)
	golden(t, "status.txt", sameClock(status))
	golden(t, "decisions.txt", sameClock(decisions))
}

func TestColourIsOnlyAddedNeverNeeded(t *testing.T) {
	o := newStage(t).Options
	plainStatus, plainDecisions := rendered(t, o, 80, false)
	status, decisions := rendered(t, o, 80, true)
	ansi := regexp.MustCompile("\x1b\\[[0-9]+m")
	for _, c := range [][2]string{{plainStatus, status}, {plainDecisions, decisions}} {
		if strings.Contains(c[0], "\x1b") {
			t.Error("there is colour where none was asked for")
		}
		if !strings.Contains(c[1], "\x1b[") {
			t.Error("there is no colour")
		}
		trimmed := regexp.MustCompile(`(?m) +$`)
		if got := trimmed.ReplaceAllString(ansi.ReplaceAllString(c[1], ""), ""); got != c[0] {
			t.Errorf("without its colours the text differs:\n%s\n%s", got, c[0])
		}
	}
}

func TestNoLineIsWiderThanTheScreen(t *testing.T) {
	s := newStage(t)
	s.add(t, infoOf(strings.Repeat("long", 30)))
	s.fleet.Fail("w2", strings.Repeat("because ", 30))
	s.fleet.SetDesired("general", 3, strings.Repeat("many words ", 40))
	for _, width := range []int{60, 80, 120} {
		status, decisions := rendered(t, s.Options, width, false)
		for line := range strings.SplitSeq(status+decisions, "\n") {
			if n := utf8.RuneCountInString(line); n > width {
				t.Errorf("at %d columns a line has %d: %q", width, n, line)
			}
		}
	}
	for _, width := range []int{-5, 0, 1, 10} { // nothing sensible can be shown, and nothing breaks
		rendered(t, s.Options, width, false)
	}
}

func TestHostileNamesAreTextInTheTerminal(t *testing.T) {
	want, _ := rendered(t, infest(t, "name"), 80, false)
	for _, name := range nasty() {
		status, decisions := rendered(t, infest(t, name), 1000, false)
		for _, bad := range []string{"\u202e", "\x1b", "\x00", "\xff", "\r"} {
			if strings.Contains(status+decisions, bad) {
				t.Errorf("%q prints %q", name, bad)
			}
		}
		if got := strings.Count(status, "\n"); got != strings.Count(want, "\n") {
			t.Errorf("%q makes %d lines of %d", name, got, strings.Count(want, "\n"))
		}
	}
}

func TestVerdictsOnLatency(t *testing.T) {
	for _, c := range []struct {
		name string
		pool Pool
		want string
	}{
		{"within", Pool{TargetMS: 300, Percentile: 95, P95MS: 231}, "p95 is within it"},
		{"over", Pool{TargetMS: 300, Percentile: 95, P95MS: 301}, "p95 is over it"},
		{"exactly", Pool{TargetMS: 300, Percentile: 95, P95MS: 300}, "p95 is within it"},
		{"a share above 95 is judged by p99", Pool{TargetMS: 300, Percentile: 98, P95MS: 100, P99MS: 400}, "p99 is over it"},
		{"a share below 95 is judged by p95", Pool{TargetMS: 300, Percentile: 90, P95MS: 400}, "p95 is over it"},
		{"half", Pool{TargetMS: 300, Percentile: 50, P50MS: 100, P95MS: 400}, "p50 is within it"},
		{"too few", Pool{TargetMS: 300, Percentile: 95, P50MS: 900}, "too few answers to judge"},
	} {
		var b strings.Builder
		if err := RenderStatus(&b, Status{Pools: []Pool{c.pool}}, 200, false); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: %v, want %q in\n%s", c.name, err, c.want, b.String())
		}
	}
}

func TestNoDecisionIsSaidInWords(t *testing.T) {
	var b strings.Builder
	if err := RenderDecisions(&b, Decisions{}, 80, false); err != nil || b.String() != "no decision yet\n" {
		t.Errorf("%q %v", b.String(), err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errTest }

func TestAScreenThatCannotBeWrittenIsAnError(t *testing.T) {
	if err := RenderStatus(full{}, Status{}, 80, false); !errors.Is(err, errTest) {
		t.Error(err)
	}
	if err := RenderDecisions(full{}, Decisions{}, 80, false); !errors.Is(err, errTest) {
		t.Error(err)
	}
}

func TestFiguresAreWrittenForPeople(t *testing.T) {
	for ms, want := range map[float64]string{0: "–", 0.4: "0.4 ms", 9.96: "10.0 ms", 104.4: "104 ms", 999.4: "999 ms", 1234: "1.23 s"} {
		if got := showMillis(ms); got != want {
			t.Errorf("%v ms: %q, want %q", ms, got, want)
		}
	}
	for s, want := range map[float64]string{0: "0s", 59.9: "59s", 60: "1m00s", 3599: "59m59s", 3600: "1h00m", 90061: "1d01h"} {
		if got := showAge(s); got != want {
			t.Errorf("%v s: %q, want %q", s, got, want)
		}
	}
	for share, want := range map[Share]string{-1: "?", 0: "0.0%", 0.0612: "6.1%", 0.405: "40%", 1: "100%"} {
		if got := showShare(share); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
	for in, want := range map[string]string{"pdf": "pdf", "日本": "日本", "a\nb": `a\nb`, "\x1b[1m": `\x1b[1m`, "\u202ea": `\u202ea`, "\xff": `\xff`, "\ufeff": `\ufeff`, "�": "�"} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
	for n, want := range map[int]string{-1: "", 0: "", 1: "…", 3: "äö…", 4: "äöüß", 9: "äöüß"} {
		if got := clip("äöüß", n); got != want {
			t.Errorf("clip to %d: %q, want %q", n, got, want)
		}
	}
}

func TestAStatusWithoutPortsSaysHowWorkersAreReached(t *testing.T) {
	o := newStage(t).Options
	o.Publish, o.Ports = "network", fleet.NoPorts(time.Now)
	status, _ := rendered(t, o, 80, false)
	if !strings.Contains(status, "ports       none: workers are reached at the addresses of their containers") {
		t.Errorf("the status is\n%s", status)
	}
}
