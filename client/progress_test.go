package client

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
)

// screen is what a terminal shows after s: only carriage returns, line ends and "erase to the end" matter here.
func screen(s string) []string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		shown := line[strings.LastIndex(line, "\r")+1:]
		lines = append(lines, strings.ReplaceAll(shown, "\x1b[0K", ""))
	}
	return lines
}

func snapshot(second int) Progress {
	return Progress{
		Elapsed: time.Duration(second) * time.Second, Lasts: 20 * time.Second, Sent: 10*second + 2, Done: 10 * second, InFlight: 2,
		Errors: second / 10, Rate: 9.9, P50: 103 * time.Millisecond, P95: 151 * time.Millisecond, Workers: 3,
	}
}

func TestWithoutATerminalThereIsOnePlainLineEveryFiveSeconds(t *testing.T) {
	var out bytes.Buffer
	o := NewProgress(&out, ProgressStyle{Colour: true})
	for s := 1; s <= 12; s++ {
		p := snapshot(s)
		p.Elapsed -= 3 * time.Millisecond // ticks are not exact
		o.Progress(p)
	}
	last := snapshot(12)
	last.N, last.Final = 120, true
	o.Progress(last)
	want := `5s: 50 done, 9.90/s, p50 103 p95 151 ms, 0 errors, 2 in flight, 3 workers
10s: 100 done, 9.90/s, p50 103 p95 151 ms, 1 error, 2 in flight, 3 workers
12s: 120 of 120 done, 9.90/s, p50 103 p95 151 ms, 1 error, 2 in flight, 3 workers
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", &out, want)
	}
}

func TestOnATerminalOneLineIsRedrawn(t *testing.T) {
	var out bytes.Buffer
	o := NewProgress(&out, ProgressStyle{Terminal: true})
	for s := 1; s <= 10; s++ {
		o.Progress(snapshot(s))
	}
	lines := screen(out.String())
	if len(lines) != 1 || !regexp.MustCompile(`^ +50% \|█+ +\| +10s left, 9.90/s, p50 103 p95 151 ms, 1 error, 2 in flight, 3 workers *$`).MatchString(lines[0]) {
		t.Errorf("the terminal shows %q", lines)
	}
	if strings.Contains(out.String(), "\x1b[31m") {
		t.Error("there is colour nobody asked for")
	}
	final := snapshot(20)
	final.Final = true
	o.Progress(final)
	if !strings.HasSuffix(out.String(), "\x1b[2K\r") {
		t.Errorf("the line is not cleared at the end: %q", out.String()[out.Len()-20:])
	}
}

func TestErrorsAreRedOnlyWhereColourIsWelcome(t *testing.T) {
	var out bytes.Buffer
	o := NewProgress(&out, ProgressStyle{Terminal: true, Colour: true})
	o.Progress(snapshot(5))
	if strings.Contains(out.String(), "\x1b[31m") {
		t.Errorf("no errors in red: %q", &out)
	}
	o.Progress(snapshot(10))
	if !strings.Contains(out.String(), "\x1b[31m1 error") {
		t.Errorf("an error is not red: %q", &out)
	}
}

func TestTheLineFitsTheTerminal(t *testing.T) {
	crowded := snapshot(10)
	crowded.Rate, crowded.Errors, crowded.InFlight, crowded.Workers = 12345, 98765, 10000, 432
	for _, width := range []int{40, 60, 79, 80, 100, 200} {
		var out bytes.Buffer
		o := NewProgress(&out, ProgressStyle{Terminal: true, Width: func() int { return width }})
		o.Progress(crowded)
		line := screen(out.String())[0]
		words := line[strings.LastIndex(line, "|")+1:]
		if n := len("  50% ||") + len(words); n > width {
			t.Errorf("%d columns on a terminal of %d: %q", n, width, line)
		}
		if !strings.Contains(line, "10s left") || strings.Contains(line, "432 workers") != (width >= 100) {
			t.Errorf("%d columns show %q", width, line)
		}
	}
}

func TestABarThatIsFullTooEarlyGoesOn(t *testing.T) {
	var out bytes.Buffer
	o := NewProgress(&out, ProgressStyle{Terminal: true})
	o.Progress(snapshot(20)) // all sent, answers still out
	out.Reset()
	late := snapshot(25)
	late.Errors = 7
	o.Progress(late)
	if !strings.Contains(out.String(), "7 errors") {
		t.Errorf("it shows %q", &out)
	}
}

func TestARunThatEndsBeforeTheFirstSecondLeavesNoTrace(t *testing.T) {
	var out bytes.Buffer
	NewProgress(&out, ProgressStyle{Terminal: true}).Progress(Progress{Final: true})
	if out.Len() != 0 {
		t.Errorf("%q", &out)
	}
}

func TestVerboseShowsEveryResult(t *testing.T) {
	var out bytes.Buffer
	o := Verbose(&out, nil)
	o.Progress(Progress{})
	o.Result(Result{Capability: "mult", Latency: 103 * time.Millisecond, Status: 200, Worker: "w1", Start: "spare"})
	o.Result(Result{Capability: "add", Latency: time.Millisecond, Cause: Connect, Detail: "connection refused"})
	o.Result(Result{Capability: "add", Latency: time.Millisecond, Status: 503, Cause: Status, Detail: "503 queue-full"})
	want := `    1  mult    103 ms  200  w1  spare
    2  add   1.00 ms  connect: connection refused
    3  add   1.00 ms  503  status: 503 queue-full
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", &out, want)
	}
	var c collector
	Verbose(&out, &c).Progress(Progress{Done: 7})
	if len(c.progress) != 1 || c.progress[0].Done != 7 {
		t.Error("progress is not passed on")
	}
}

func TestShareAndTimeLeftComeFromWhateverEndsTheRun(t *testing.T) {
	for _, c := range []struct {
		name  string
		p     Progress
		share float64
		left  time.Duration
	}{
		{"by number", Progress{Elapsed: 10 * time.Second, N: 100, Done: 25}, 0.25, 30 * time.Second},
		{"by time", Progress{Elapsed: 10 * time.Second, Lasts: 40 * time.Second}, 0.25, 30 * time.Second},
		{"whichever is first", Progress{Elapsed: 10 * time.Second, N: 100, Done: 50, Lasts: 40 * time.Second}, 0.5, 10 * time.Second},
		{"over time", Progress{Elapsed: 50 * time.Second, Lasts: 40 * time.Second}, 1, 0},
		{"nothing done", Progress{Elapsed: time.Second, N: 100}, 0, 0},
	} {
		if share, left := c.p.Share(), c.p.Left(); share != c.share || left != c.left {
			t.Errorf("%s: %v, %v", c.name, share, left)
		}
	}
}
