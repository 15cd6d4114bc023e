package tail_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"understudy/driver/tail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func all(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheLastLinesAreKeptWhole(t *testing.T) {
	long := strings.Repeat("x", 20<<10)
	for _, tc := range []struct {
		name   string
		writes []string
		tail   int
		want   string
	}{
		{"nothing", nil, -1, ""},
		{"fewer than kept", []string{"a\nb\n"}, -1, "a\nb\n"},
		{"more than kept", []string{"a\nb\n", "c\nd\n"}, -1, "b\nc\nd\n"},
		{"a tail of them", []string{"a\nb\nc\n"}, 2, "b\nc\n"},
		{"a tail longer than there is", []string{"a\n"}, 9, "a\n"},
		{"no tail", []string{"a\n"}, 0, ""},
		{"a line in pieces", []string{"he", "llo", "\nwor", "ld\n"}, -1, "hello\nworld\n"},
		{"a last line without end", []string{"a\nb"}, -1, "a\nb\n"},
		{"empty lines count", []string{"\n\na\n"}, -1, "\n\na\n"},
		{"an endless line is cut", []string{long}, -1, long[:16<<10] + "\n" + long[16<<10:] + "\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := tail.New(3)
			for _, w := range tc.writes {
				if n, err := b.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatalf("Write returned %d, %v", n, err)
				}
			}
			b.Close()
			b.Write([]byte("after the end\n"))
			if got := all(t, b.Read(t.Context(), tc.tail, false)); got != tc.want {
				t.Errorf("got %.60q, want %.60q", got, tc.want)
			}
		})
	}
}

func TestAReaderThatDoesNotFollowEndsAtWhatThereWasWhenItBegan(t *testing.T) {
	b := tail.New(10)
	fmt.Fprintln(b, "before")
	r := b.Read(t.Context(), -1, false)
	fmt.Fprintln(b, "after")
	if got := all(t, r); got != "before\n" {
		t.Errorf("got %q", got)
	}
}

func TestAFollowerGetsEveryLineUntilTheEnd(t *testing.T) {
	b := tail.New(1000)
	fmt.Fprintln(b, "skipped")
	fmt.Fprintln(b, "line 0")
	r := b.Read(t.Context(), 1, true)
	var group sync.WaitGroup
	group.Go(func() {
		for i := 1; i < 500; i++ {
			fmt.Fprintln(b, "line", i)
		}
		b.Close()
	})
	s := bufio.NewScanner(r)
	for i := range 500 {
		if !s.Scan() || s.Text() != fmt.Sprint("line ", i) {
			t.Fatalf("line %d is %q (%v)", i, s.Text(), s.Err())
		}
	}
	if s.Scan() {
		t.Errorf("after the end came %q", s.Text())
	}
	group.Wait()
}

func TestASlowFollowerMissesWholeLinesOnly(t *testing.T) {
	b := tail.New(2)
	r := b.Read(t.Context(), -1, true)
	fmt.Fprintln(b, "one")
	part := make([]byte, 2)
	if _, err := io.ReadFull(r, part); err != nil || string(part) != "on" {
		t.Fatalf("got %q, %v", part, err)
	}
	fmt.Fprint(b, "two\nthree\nfour\n")
	b.Close()
	if got := all(t, r); got != "e\nthree\nfour\n" {
		t.Errorf("got %q", got)
	}
}

func TestAFollowerEndsWithItsContextAndWithItsClose(t *testing.T) {
	b := tail.New(2)
	ctx, cancel := context.WithCancel(t.Context())
	for _, end := range []struct {
		name string
		r    io.ReadCloser
		stop func(io.Closer)
	}{
		{"context", b.Read(ctx, -1, true), func(io.Closer) { cancel() }},
		{"close", b.Read(t.Context(), -1, true), func(c io.Closer) { c.Close() }},
	} {
		t.Run(end.name, func(t *testing.T) {
			done := make(chan string)
			go func() { done <- all(t, end.r) }()
			end.stop(end.r)
			if got := <-done; got != "" {
				t.Errorf("got %q", got)
			}
		})
	}
}
