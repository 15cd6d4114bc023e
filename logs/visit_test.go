package logs

import (
	"encoding/json"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
)

func visit() Visit {
	return Visit{
		At: time.Date(2026, 11, 22, 9, 6, 3, 45_600_000, time.UTC), Client: "192.0.2.7", Method: "POST", Target: "/mult?x=1", Proto: "HTTP/1.1",
		Status: 200, Bytes: 42, Referer: "http://a/", Agent: `curl "8"`, Capability: "mult", Pool: "general", Worker: "w1", Start: "warm",
		Queue: 1200 * time.Microsecond, Service: 103400400 * time.Nanosecond, Took: 105 * time.Millisecond, ID: "ABC", Cause: "",
	}
}

// refused is a request that no worker saw.
func refused() Visit {
	return Visit{At: visit().At, Client: "::1", Method: "GET", Target: "/x", Proto: "HTTP/1.1", Status: 499, Queue: -1, Service: -1, ID: "ABC", Cause: "the client left"}
}

// line is what one request writes. The zone is UTC in the tests.
func line(f Format, v Visit) string {
	a := NewAccess(io.Discard, f, slog.New(slog.DiscardHandler))
	a.Write(&v)
	return string(a.pending)
}

func TestACombinedLine(t *testing.T) {
	const want = `192.0.2.7 - - [22/Nov/2026:09:06:03 +0000] "POST /mult?x=1 HTTP/1.1" 200 42 "http://a/" "curl \x228\x22" w1 warm 1.200 103.400 ABC` + "\n"
	if got := line(Combined, visit()); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	const left = `::1 - - [22/Nov/2026:09:06:03 +0000] "GET /x HTTP/1.1" 499 - "-" "-" - - - - ABC` + "\n"
	if got := line(Combined, refused()); got != left {
		t.Errorf("got  %swant %s", got, left)
	}
}

func TestAJSONLine(t *testing.T) {
	for want, v := range map[string]Visit{
		`{"time":"2026-11-22T09:06:03.045Z","client":"192.0.2.7","method":"POST","target":"/mult?x=1","proto":"HTTP/1.1","status":200,"bytes":42,
			"referer":"http://a/","agent":"curl \"8\"","capability":"mult","pool":"general","worker":"w1","start":"warm","queue_ms":1.2,"service_ms":103.4,
			"took_ms":105,"id":"ABC"}`: visit(),
		`{"time":"2026-11-22T09:06:03.045Z","client":"::1","method":"GET","target":"/x","proto":"HTTP/1.1","status":499,"bytes":0,"took_ms":0,"id":"ABC",
			"cause":"the client left"}`: refused(),
	} {
		var got, wanted map[string]any
		if err := json.Unmarshal([]byte(line(JSON, v)), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(want), &wanted); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, wanted) {
			t.Errorf("got  %v\nwant %v", got, wanted)
		}
	}
}

func TestNoFieldOfARequestCanForgeALine(t *testing.T) {
	v := visit()
	for _, field := range []*string{&v.Client, &v.Method, &v.Target, &v.Proto, &v.Referer, &v.Agent, &v.Capability, &v.Pool, &v.Worker, &v.Start, &v.ID, &v.Cause} {
		*field = hostile
	}
	harmless(t, line(Combined, v))
	if words := strings.Fields(line(Combined, v)); len(words) < 5 || words[1] != "-" || !strings.HasPrefix(words[0], `a\x0d\x0aINFO\x20forged\x1b[31m\x00\x7f\xc2\x9b2J`) {
		t.Errorf("the first word is %q", words[0])
	}
	text := line(JSON, v)
	harmless(t, text)
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"client", "method", "target", "proto", "referer", "agent", "capability", "pool", "worker", "start", "id", "cause"} {
		if got, _ := m[key].(string); !strings.HasPrefix(got, "a\r\nINFO forged\x1b[31m\x00\x7f\u009b2J\u202e\u2028") {
			t.Errorf("%s is %q", key, got)
		}
	}
}

func TestTheTimeFollowsTheRequestsAndTheFormat(t *testing.T) {
	a := NewAccess(io.Discard, Combined, slog.New(slog.DiscardHandler))
	v := visit()
	a.Write(&v)
	v.At = v.At.Add(time.Second)
	a.Write(&v)
	a.SetFormat(JSON)
	a.Write(&v)
	lines := strings.Split(string(a.pending), "\n")
	for i, want := range []string{"09:06:03 +0000", "09:06:04 +0000", "2026-11-22T09:06:04.045Z"} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d has no %q: %s", i, want, lines[i])
		}
	}
}

func TestALineCostsNoAllocation(t *testing.T) {
	for _, f := range []Format{Combined, JSON} {
		a := NewAccess(io.Discard, f, slog.New(slog.DiscardHandler))
		a.pending = make([]byte, 0, mostHeld+1<<10)
		v := visit()
		if n := testing.AllocsPerRun(100, func() { a.Write(&v) }); n != 0 {
			t.Errorf("format %d: %v allocations", f, n)
		}
	}
}

func BenchmarkLine(b *testing.B) {
	for name, f := range map[string]Format{"combined": Combined, "json": JSON} {
		b.Run(name, func(b *testing.B) {
			a := NewAccess(io.Discard, f, slog.New(slog.DiscardHandler))
			v := visit()
			b.ReportAllocs()
			for b.Loop() {
				a.Write(&v)
				if len(a.pending) > flushAt {
					a.flush()
				}
			}
		})
	}
}
