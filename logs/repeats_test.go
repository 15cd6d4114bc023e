package logs

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAnotherKindIsAnotherTrouble(t *testing.T) {
	log, now := &sink{}, time.Duration(0)
	r := NewRepeats(slog.New(slog.NewTextHandler(log, nil)), func() time.Duration { return now })
	r.Over("x")
	r.Add("x", "a", "wrong", errors.New("one"))
	r.Add("x", "a", "wrong", errors.New("two"))
	r.Add("y", "a", "wrong", errors.New("three"))
	r.Add("x", "b", "wrong", errors.New("four"))
	now = remindEvery
	r.Add("x", "b", "wrong", errors.New("five"))
	r.Over("x")
	r.Over("x")
	var got []string
	for line := range strings.Lines(log.String()) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), "msg=")
		got = append(got, rest)
	}
	want := []string{
		"wrong error=one", "wrong error=three", `"that is over" what=x times=2 lasted=0s`, "wrong error=four",
		"wrong again=1 times=2 error=five", `"that is over" what=x times=2 lasted=1m0s`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
}
