package client

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplayShrinksTimesAndDurationsAlike(t *testing.T) {
	path := write(t, "t,duration_ms,kind\n1,100,http\n2,300,timer\n3,50,http\n")
	o := Options{Trace: path, Speed: 10}.withDefaults()
	src, p, err := newSource(o)
	if err != nil {
		t.Fatal(err)
	}
	defer src.close()
	if p.requests != 3 || p.lasts != 300*time.Millisecond {
		t.Errorf("plan %+v", p)
	}
	for _, want := range []struct {
		at         time.Duration
		capability string
		body       string
	}{{100 * time.Millisecond, "http", `{"ms":10}`}, {200 * time.Millisecond, "timer", `{"ms":30}`}, {300 * time.Millisecond, "http", `{"ms":5}`}} {
		got, err := src.next()
		if err != nil || got.at != want.at || got.capability != want.capability || string(got.body) != want.body {
			t.Errorf("%v %s %s, %v; want %v", got.at, got.capability, got.body, err, want)
		}
	}
	if _, err := src.next(); !errors.Is(err, io.EOF) {
		t.Errorf("%v, want the end", err)
	}
}

func TestReplayEndsEarlyWhenToldSo(t *testing.T) {
	path := write(t, "t\n0\n1\n2\n3\n")
	for _, c := range []struct {
		name    string
		options Options
		want    int

		requests int
		lasts    time.Duration
	}{
		{"whole", Options{}, 4, 4, 3 * time.Second},
		{"by number", Options{N: 3}, 3, 3, 3 * time.Second},
		{"by time", Options{Duration: 2 * time.Second}, 2, 4, 2 * time.Second},
		{"by time, faster", Options{Duration: 2 * time.Second, Speed: 2}, 4, 4, 1500 * time.Millisecond},
	} {
		c.options.Trace = path
		if got := drainSource(t, c.options); got != c.want {
			t.Errorf("%s: %d requests, want %d", c.name, got, c.want)
		}
		src, p, err := newSource(c.options.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		if src.close(); p.requests != c.requests || p.lasts != c.lasts {
			t.Errorf("%s: planned %+v", c.name, p)
		}
	}
}

func drainSource(t *testing.T, o Options) int {
	t.Helper()
	src, _, err := newSource(o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer src.close()
	for n := 0; ; n++ {
		if _, err := src.next(); errors.Is(err, io.EOF) {
			return n
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// rows yields a trace of n rows without ever holding it.
type rows struct {
	n, i int
	rest []byte
}

func (r *rows) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		switch {
		case r.i == 0:
			r.rest = []byte("t,duration_ms,kind\n")
		case r.i > r.n:
			return 0, io.EOF
		default:
			r.rest = fmt.Appendf(nil, "%d.%03d,100,kind%d\n", r.i/1000, r.i%1000, r.i%7)
		}
		r.i++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
