package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// mustNotBeAsked is a target that no load may reach.
func mustNotBeAsked(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }))
	t.Cleanup(server.Close)
	return server.URL
}

// TestWhatTheClientIsAskedWronglyIsSaidBeforeAnythingIsSent: one sentence, exit code 2.
func TestWhatTheClientIsAskedWronglyIsSaidBeforeAnythingIsSent(t *testing.T) {
	trace := func(text string) string { return inFile(t, "t.csv", text) }
	for _, c := range []struct {
		args []string
		say  string
	}{
		{[]string{"-n", "-5"}, "n is -5: legal is 1 to"},
		{[]string{"-n", "99999999999"}, "n is 99999999999: legal is 1 to"},
		{[]string{"--body", "pdf="}, `--body "pdf=" names no file`},
		{[]string{"--target", "http://127.0.0.1:99999"}, "whose port is none"},
		{[]string{"--target", "http://127.0.0.1:0"}, "whose port is none"},
		{[]string{"-c", "0"}, "--concurrency is 0"},
		{[]string{"-c", "-1"}, "concurrency is -1: legal is 1 to 10000 callers"},
		{[]string{"--rate", "-1"}, "rate is -1: legal is more than 0"},
		{[]string{"--rate", "NaN"}, "rate is NaN"},
		{[]string{"--duration", "0s"}, "--duration is 0s"},
		{[]string{"--duration", "-1s"}, "duration is -1s"},
		{[]string{"--timeout", "-1s"}, "timeout is -1s"},
		{[]string{"--speed", "0", "--trace", trace("t\n0\n")}, "--speed is 0"},
		{[]string{"--speed", "-2", "--trace", trace("t\n0\n")}, "speed is -2"},
		{[]string{"--seed", "-1"}, `"-1" for "--seed"`},
		{[]string{"--rate", "5", "-c", "3"}, "concurrency is 3 and rate is 5: give one of them"},
		{[]string{"--trace", trace("t\n0\n"), "-c", "3"}, "give one of them"},
		{[]string{"--trace", trace("t\n0\n"), "--rate", "3"}, "--rate and --trace exclude each other"},
		{[]string{"--speed", "2"}, "--speed is given without --trace"},
		{[]string{"--speed", "1"}, "--speed is given without --trace"},
		{[]string{"--shape", "step"}, "--shape step is given without --rate"},
		{[]string{"--shape", "constant", "-n", "3"}, "--shape constant is given without --rate"},
		{[]string{"--shape", "step", "--trace", trace("t\n0\n")}, "--shape and --trace exclude each other"},
		{[]string{"--shape", "zigzag", "--rate", "3"}, `shape is "zigzag": legal is constant, step, ramp`},
		{[]string{"--mix", "mult=2,add=many"}, `mix "mult=2,add=many", character 12: the weight "many"`},
		{[]string{"--mix", "mult=2,,add"}, "character 8"},
		{[]string{"--mix", "a/b"}, `"a/b" is no capability`},
		{[]string{"--assert", "errors=0,p96<300ms"}, `character 10: "p96" is no metric; legal are p50`},
		{[]string{"--assert", "p95<300"}, `character 5: "300" is no value for p95; legal is a time with its unit`},
		{[]string{"--assert", "p95=<3s"}, `character 4: "=<" is no operator`},
		{[]string{"--assert", ""}, "--assert is empty"},
		{[]string{"--mix", ""}, "--mix is empty"},
		{[]string{"--trace", ""}, "--trace is empty"},
		{[]string{"--target", ""}, "--target is empty"},
		{[]string{"--target", "ftp://x"}, `target is "ftp://x": legal is http://host:port`},
		{[]string{"--trace", "/nowhere.csv"}, "trace /nowhere.csv cannot be opened: no such file"},
		{[]string{"--trace", trace("")}, "is empty: its first line must name the columns"},
		{[]string{"--trace", trace("time\n1\n")}, "line 1: there is no column t"},
		{[]string{"--trace", trace("t,kind\n1,mult\n2\n")}, "line 3: it has more or fewer cells than the 2 columns"},
		{[]string{"--trace", trace("t\n2\n1\n")}, `line 3: t is "1": it is before the row above`},
		{[]string{"--trace", trace("t,duration_ms\n1,-5\n")}, `line 2: duration_ms is "-5": legal is`},
		{[]string{"--trace", trace("t,kind\n1,\"mu\n")}, "line 2"},
		{[]string{"--method", "G T"}, `method is "G T"`},
		{[]string{"--header", "a b: c"}, `header is "a b"`},
		{[]string{"--output", "/nowhere/report.txt"}, "--output /nowhere/report.txt cannot be written: no such file or directory"},
		{[]string{"--output", t.TempDir()}, "it is a directory"},
	} {
		args := c.args
		if !slices.Contains(args, "--target") {
			args = append([]string{"--target", mustNotBeAsked(t)}, args...)
		}
		code, out, stderr := run(t, nil, append([]string{"client"}, args...)...)
		if code != exitUsage || out != "" || !strings.Contains(stderr, c.say) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, standard output %q, standard error %q (want %q in one line of it)", c.args, code, out, stderr, c.say)
		}
	}
}

func TestAReadOnlyReportFileIsFoundBeforeTheLoad(t *testing.T) {
	path := inFile(t, "report.json", "precious")
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := run(t, nil, "client", "--target", mustNotBeAsked(t), "-o", path)
	if code != exitUsage || !strings.Contains(stderr, "it is read-only") {
		t.Errorf("%d %q", code, stderr)
	}
}

// refusing is an address that is taken but takes no connections, so that nobody else can begin to listen there.
func refusing(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

func TestALoadThatNeverBeganLeavesTheEarlierReportAlone(t *testing.T) {
	earlier, fresh := inFile(t, "report.txt", "precious"), filepath.Join(t.TempDir(), "new.txt")
	for _, path := range []string{earlier, fresh} {
		code, _, stderr := run(t, nil, "client", "--target", refusing(t), "-o", path)
		if code != exitFailed || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%d %q", code, stderr)
		}
	}
	if text, err := os.ReadFile(earlier); err != nil || string(text) != "precious" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(fresh); !os.IsNotExist(err) {
		t.Errorf("an empty file is left: %v", err)
	}
	long := inFile(t, "long.txt", strings.Repeat("old ", 10_000))
	if code, _, stderr := run(t, nil, "client", "--target", worker1(t), "-n", "1", "--quiet", "-o", long); code != 0 {
		t.Errorf("%d %s", code, stderr)
	}
	if text, err := os.ReadFile(long); err != nil || strings.Contains(string(text), "old") || !strings.HasPrefix(string(text), "1 request to") {
		t.Errorf("%.100q, %v", text, err)
	}
}

func TestAPageIsWrittenAlsoWhenAnAssertionFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.html")
	code, out, stderr := run(t, nil, "client", "--target", worker1(t), "-n", "20", "--quiet", "--format", "html", "-o", path, "--assert", "count=20,errors>0")
	page, err := os.ReadFile(path)
	if code != exitAssertion || out != "" || stderr != "assertion failed: errors>0: errors was 0\n" || err != nil {
		t.Errorf("%d %q %q %v", code, out, stderr, err)
	}
	for _, want := range []string{"<!doctype html>", "20 requests to", ">holds</span>", ">failed</span>", "</html>"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%s is missing in %.300s", want, page)
		}
	}
}

// TestAnInterruptedLoadStillReports: the load ends, the report says so, and the exit code is that of an interruption.
func TestAnInterruptedLoadStillReports(t *testing.T) {
	var asked atomic.Int32
	interrupt := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 3 {
			close(interrupt)
		}
		fmt.Fprint(w, "done")
	}))
	t.Cleanup(server.Close)
	code, out, stderr := runUntil(t, interrupt, "client", "--target", server.URL, "--mix", "pdf", "--rate", "100", "--duration", "1h", "--quiet")
	if code != exitInterrupted || !strings.Contains(out, "interrupted before its end") || !strings.Contains(out, "latency") || stderr != "" {
		t.Errorf("%d\n%s%s", code, out, stderr)
	}
}

func TestAnInterruptionBeforeTheFirstRequestIsNoFailure(t *testing.T) {
	interrupt := make(chan struct{})
	close(interrupt)
	code, out, _ := runUntil(t, interrupt, "client", "--target", mustNotBeAsked(t), "--quiet")
	if code != exitInterrupted || strings.Contains(out, "NaN") {
		t.Errorf("%d %q", code, out)
	}
}
