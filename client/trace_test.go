package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
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

func TestATraceIsReadByTheNamesOfItsColumns(t *testing.T) {
	for name, text := range map[string]string{
		"in order":      "t,duration_ms,kind\n0.5,18,timer\n0.5,2.5,a b/c\n",
		"other order":   "kind,t,note,duration_ms\ntimer,0.5,x,18\na b/c,0.5,y,2.5\n",
		"windows":       "\ufeffT, Duration_ms ,kind\r\n0.5,18,timer\r\n0.5,2.5,a b/c\r\n",
		"a blank line":  "t,duration_ms,kind\n\n0.5,18,timer\n0.5,2.5,a b/c\n\n",
		"quoted fields": "t,duration_ms,kind\n\"0.5\",18,timer\n0.5,2.5,\"a b/c\"\n",
	} {
		tr, err := newTrace("x.csv", strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range []arrival{{500 * time.Millisecond, 18, "timer"}, {500 * time.Millisecond, 2.5, "a-b-c"}} {
			if got, err := tr.next(); err != nil || got != want {
				t.Errorf("%s: %v, %v, want %v", name, got, err, want)
			}
		}
		if _, err := tr.next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, want the end", name, err)
		}
	}
}

func TestATraceOfTimesAloneLeavesTheRestOpen(t *testing.T) {
	tr, err := newTrace("x.csv", strings.NewReader("t\n0.095\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tr.next(); err != nil || got != (arrival{95 * time.Millisecond, unknownMS, ""}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWhatIsWrongWithATraceIsNamedWithItsLine(t *testing.T) {
	kinds := "t,kind\n"
	for i := range maxKinds + 1 {
		kinds += fmt.Sprintf("%d,k%d\n", i, i)
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"no header", "0.5,18,timer\n", "line 1: there is no column t"},
		{"no rows", "t,kind\n", "no rows"},
		{"no number", "t\n1\nx\n", `line 3: t is "x"`},
		{"not a number", "t\nNaN\n", "line 2:"},
		{"before the start", "t\n-1\n", "line 2:"},
		{"beyond a week", "t\n1e9\n", "line 2:"},
		{"backwards", "t\n1\n2\n1.5\n", "line 4: t is \"1.5\": it is before the row above, 2s"},
		{"bad duration", "t,duration_ms\n1,18\n1,-3\n", `line 3: duration_ms is "-3"`},
		{"no kind", "t,kind\n1,http\n\n2, \n", "line 4: kind is \" \": it is empty"},
		{"a kind that climbs", "t,kind\n1,..\n", "line 2:"},
		{"a long kind", "t,kind\n1," + strings.Repeat("k", 65) + "\n", "line 2:"},
		{"too many kinds", kinds, fmt.Sprintf("line %d: ", maxKinds+2)},
		{"a column short", "t,kind\n1,http\n2\n", "line 3: wrong number of fields"},
		{"an open quote", "t,kind\n1,\"http\n2,x\n", "line 2"},
	} {
		_, err := checkTrace("x.csv", strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "trace x.csv") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestATraceThatBreaksOffIsAnError(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("t\n1\n"), failing{})
	if _, err := checkTrace("x.csv", broken); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("%v", err)
	}
	if _, err := CheckTrace(filepath.Join(t.TempDir(), "none.csv")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestCheckTraceTellsWhatIsInIt(t *testing.T) {
	got, err := CheckTrace(write(t, "t,kind\n0,http\n1.5,timer\n2,http\n"))
	if want := (TraceInfo{3, 2 * time.Second, []string{"http", "timer"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
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

func TestTheMemoryOfATraceDoesNotGrowWithItsLength(t *testing.T) {
	tr, err := newTrace("x.csv", &rows{n: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	before, n := liveHeap(), 0
	for ; ; n++ {
		if _, err := tr.next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	after := liveHeap()
	if n != 100_000 {
		t.Fatalf("%d rows", n)
	}
	if after > before+100_000 { // one byte a row would already show
		t.Errorf("%d bytes more are alive after %d rows", after-before, n)
	}
	runtime.KeepAlive(tr)
}

func BenchmarkTrace(b *testing.B) {
	var text bytes.Buffer
	if _, err := io.Copy(&text, &rows{n: 1_000_000}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		info, err := checkTrace("x.csv", bytes.NewReader(text.Bytes()))
		if err != nil || info.Rows != 1_000_000 {
			b.Fatal(info, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/row")
}
