package trace

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
		tr, err := NewReader("x.csv", strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range []Arrival{{500 * time.Millisecond, 18, "timer"}, {500 * time.Millisecond, 2.5, "a-b-c"}} {
			if got, err := tr.Next(); err != nil || got != want {
				t.Errorf("%s: %v, %v, want %v", name, got, err, want)
			}
		}
		if _, err := tr.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, want the end", name, err)
		}
	}
}

func TestATraceOfTimesAloneLeavesTheRestOpen(t *testing.T) {
	tr, err := NewReader("x.csv", strings.NewReader("t\n0.095\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tr.Next(); err != nil || got != (Arrival{95 * time.Millisecond, Unknown, ""}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestWhatIsWrongWithATraceIsNamedWithItsLine(t *testing.T) {
	kinds := "t,kind\n"
	for i := range MaxKinds + 1 {
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
		{"too many kinds", kinds, fmt.Sprintf("line %d: ", MaxKinds+2)},
		{"a column short", "t,kind\n1,http\n2\n", "line 3: it has more or fewer cells than the 2 columns"},
		{"an open quote", "t,kind\n1,\"http\n2,x\n", "line 2"},
	} {
		_, err := check(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "trace x.csv") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func check(r io.Reader) (Info, error) {
	tr, err := NewReader("x.csv", r)
	if err != nil {
		return Info{}, err
	}
	return tr.Check(nil)
}

func TestATraceThatBreaksOffIsAnError(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("t\n1\n"), failing{})
	if _, err := check(broken); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("%v", err)
	}
	if _, err := Check(filepath.Join(t.TempDir(), "none.csv")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}

func TestAKindThatIsRefusedIsNamedWithTheLineItFirstAppearsOn(t *testing.T) {
	tr, err := NewReader("x.csv", strings.NewReader("t,kind\n0,http\n1,http\n2,tape\n3,tape\n"))
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	_, err = tr.Check(func(capability string) error {
		asked = append(asked, capability)
		if capability == "tape" {
			return errors.New("nobody has it")
		}
		return nil
	})
	if err == nil || err.Error() != `trace x.csv, line 4: kind is "tape": nobody has it` {
		t.Errorf("%v", err)
	}
	if !reflect.DeepEqual(asked, []string{"http", "tape"}) {
		t.Errorf("asked about %q", asked)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestCheckTellsWhatIsInIt(t *testing.T) {
	got, err := Check(write(t, "t,kind\n0,http\n1.5,timer\n2,http\n"))
	if want := (Info{3, 2 * time.Second, []string{"http", "timer"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
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
	tr, err := NewReader("x.csv", &rows{n: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	before, n := liveHeap(), 0
	for ; ; n++ {
		if _, err := tr.Next(); errors.Is(err, io.EOF) {
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

func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkTrace(b *testing.B) {
	var text bytes.Buffer
	if _, err := io.Copy(&text, &rows{n: 1_000_000}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		info, err := check(bytes.NewReader(text.Bytes()))
		if err != nil || info.Rows != 1_000_000 {
			b.Fatal(info, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/row")
}
