package driver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"understudy/driver"
)

func TestNewExitErrorKeepsTheLastTwentyLinesAndNamesTheKeyThatHelps(t *testing.T) {
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprint("line ", i))
	}
	if e := driver.NewExitError(3, many); e.Code != 3 || !slices.Equal(e.Logs, many[10:]) || e.Hint != "" {
		t.Errorf("got %+v", e)
	}
	for line, key := range map[string]string{
		"open /data/x: Read-only file system":                  "read_only",
		"mkdir /cache: read-only file system":                  "read_only",
		"nginx: [emerg] open() failed (13: Permission denied)": "user",
		"chown: Operation not permitted":                       "cap_add",
	} {
		e := driver.NewExitError(1, []string{"starting", line, "giving up"})
		if !strings.Contains(e.Hint, key) {
			t.Errorf("after %q the hint is %q, want one that names %s", line, e.Hint, key)
		}
		if !strings.Contains(e.Error(), e.Hint) || !strings.Contains(e.Error(), "giving up") {
			t.Errorf("the error %q lacks the hint or the last line", e)
		}
	}
}

// bare has no abilities but List.
type bare struct {
	driver.Driver
	all []driver.Instance
}

func (b bare) List(context.Context) ([]driver.Instance, error) { return b.all, nil }

// chatty looks at workers and keeps their output too.
type chatty struct {
	bare
	logs string
	err  error
}

func (c chatty) Logs(_ context.Context, _ driver.ID, tail int, follow bool) (io.ReadCloser, error) {
	if tail <= 0 || follow {
		return nil, errors.New("asked for the wrong lines")
	}
	return io.NopCloser(strings.NewReader(c.logs)), c.err
}

func TestExitTellsCodeAndLastLinesAsFarAsTheDriverCan(t *testing.T) {
	ended := bare{all: []driver.Instance{{ID: "a", Running: true}, {ID: "b", ExitCode: 7, Created: time.Unix(1, 0)}}}
	for _, tc := range []struct {
		name string
		d    driver.Driver
		id   driver.ID
		want *driver.ExitError
		err  error
	}{
		{"no logs kept", ended, "b", &driver.ExitError{Code: 7}, nil},
		{"logs kept", chatty{bare: ended, logs: "one\ntwo\n"}, "b", &driver.ExitError{Code: 7, Logs: []string{"one", "two"}}, nil},
		{"logs fail", chatty{bare: ended, err: errors.New("boom")}, "b", &driver.ExitError{Code: 7}, nil},
		{"still running", ended, "a", nil, nil},
		{"gone", ended, "c", nil, driver.ErrNotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := driver.Exit(t.Context(), tc.d, tc.id)
			if !errors.Is(err, tc.err) {
				t.Fatalf("error is %v, want %v", err, tc.err)
			}
			if (got == nil) != (tc.want == nil) {
				t.Fatalf("got %v, want %v", got, tc.want)
			}
			if got != nil && (got.Code != tc.want.Code || !slices.Equal(got.Logs, tc.want.Logs)) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestLinesThatNobodyCanReadAreCutAndTheLastOnesAreKept(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	logs := "first\n" + long + "\n" + strings.Repeat("line\n", 18) + "\x00\xff\x1b[2J no end"
	got := driver.LastLines(t.Context(), chatty{logs: logs}, "a")
	if len(got) != 20 || got[0] != long[:1<<10]+"…" || got[1] != "line" || got[19] != "\x00\xff\x1b[2J no end" {
		t.Errorf("%d lines: %.60q ... %.60q", len(got), got[0], got[len(got)-1])
	}
	if got := driver.LastLines(t.Context(), chatty{logs: strings.Repeat(long, 100)}, "a"); len(got) != 1 || len(got[0]) > 1100 {
		t.Errorf("100 MB without an end of line are %d lines", len(got))
	}
}

func TestACodeOf137AloneIsNoWantOfMemory(t *testing.T) {
	for _, tc := range []struct {
		exit   driver.ExitError
		signal int
		want   string
		not    string
	}{
		{driver.ExitError{Code: 3}, 0, "exited with code 3", "oom"},
		{driver.ExitError{Code: 128}, 0, "exited with code 128", "signal"},
		{driver.ExitError{Code: 255}, 0, "exited with code 255", "signal"},
		{driver.ExitError{Code: 139}, 11, "code 139 (signal 11)", "oom"},
		{driver.ExitError{Code: 137}, 9, "code 137 (SIGKILL), oom flag = false", "out of memory"},
		{driver.ExitError{Code: 137, OOM: true}, 9, "ran out of memory: it exited with code 137, oom flag = true", "killed"},
		{driver.ExitError{Code: 137, Removing: true}, 9, "somebody removed the worker", "oom"},
	} {
		if got := tc.exit.Error(); !strings.Contains(got, tc.want) || strings.Contains(got, tc.not) {
			t.Errorf("got %q, want %q in it and %q not", got, tc.want, tc.not)
		}
		if got := tc.exit.Signal(); got != tc.signal {
			t.Errorf("%q: signal %d", tc.want, got)
		}
	}
}

func TestAWorkerThatRanOutOfMemoryNamesTheKeyThatGivesItMore(t *testing.T) {
	ended := bare{all: []driver.Instance{{ID: "a", ExitCode: 137, OOM: true}, {ID: "b", ExitCode: 137, Removing: true}}}
	e, err := driver.Exit(t.Context(), chatty{bare: ended, logs: "permission denied\n"}, "a")
	if err != nil || !e.OOM || !strings.Contains(e.Hint, "resources.memory") {
		t.Errorf("got %+v, %v", e, err)
	}
	if e, err := driver.Exit(t.Context(), ended, "b"); err != nil || !e.Removing || e.OOM || e.Hint != "" {
		t.Errorf("got %+v, %v", e, err)
	}
}
