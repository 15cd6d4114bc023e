package main

import (
	"strings"
	"testing"
	"time"
)

const traces = `File: profiled
Type: cpu
Duration: 30s, Total samples = 40ms
-----------+-------------------------------------------------------
      10ms   internal/runtime/syscall.Syscall6
             syscall.Syscall
             syscall.write
             syscall.Write (inline)
             net.(*conn).Write
-----------+-------------------------------------------------------
      20ms   runtime.mallocgc
             understudy/fleet.(*Fleet).Acquire
             understudy/balancer.(*exchange).serve
-----------+-------------------------------------------------------
      10ms   runtime.scanobject
             runtime.gcBgMarkWorker
`

func TestStacksAreReadFromWhatPprofPrints(t *testing.T) {
	got, err := readTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"kernel: write", "fleet", "garbage collection"}
	times := []time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 10 * time.Millisecond}
	if len(got) != len(want) {
		t.Fatalf("%d stacks: %v", len(got), got)
	}
	for i, s := range got {
		if s.took != times[i] || kindOf(s.stack) != want[i] {
			t.Errorf("stack %d: %v %q, want %v %q", i, s.took, kindOf(s.stack), times[i], want[i])
		}
	}
}

func TestSharesAreRankedWithWhoAskedForThem(t *testing.T) {
	samples, err := readTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	samples[0].stack = append(samples[0].stack, "net/http.persistConnWriter.Write")
	var b strings.Builder
	printShares(&b, samples)
	want := `
Where 40ms of CPU time went, and who asked for most of it
  fleet                   50.0 %    understudy/fleet.(*Fleet).Acquire 50.0
  garbage collection      25.0 %    runtime.scanobject 25.0
  kernel: write           25.0 %    net/http.persistConnWriter.Write 25.0
`
	if b.String() != want {
		t.Errorf("%s\nwant %s", b.String(), want)
	}
}

func TestTextThatIsNoProfileIsAnError(t *testing.T) {
	for _, text := range []string{"", "-----------+---\n  quick  runtime.mallocgc\n"} {
		if got, err := readTraces(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestTheNearestFunctionWithANameDecidesTheKind(t *testing.T) {
	for _, c := range []struct {
		want  string
		stack []string
	}{
		{"kernel: read", []string{"internal/runtime/syscall.Syscall6", "syscall.RawSyscall6", "syscall.Syscall", "syscall.read", "syscall.Read", "internal/poll.(*FD).Read"}},
		{"scheduler and netpoll", []string{"internal/runtime/syscall.Syscall6", "runtime.netpoll", "runtime.findRunnable", "runtime.schedule", "runtime.park_m", "runtime.mcall"}},
		{"metrics", []string{"internal/runtime/maps.ctrlGroup.matchH2", "github.com/prometheus/client_golang/prometheus.(*CounterVec).WithLabelValues", "understudy/balancer.(*exchange).book"}},
		{"parsing", []string{"runtime.mallocgc", "net/textproto.(*Reader).ReadMIMEHeader", "net/http.readRequest", "net/http.(*conn).serve"}},
		{"header building", []string{"runtime.memmove", "net/http.Header.writeSubset", "net/http.(*chunkWriter).writeHeader", "net/http.(*conn).serve"}},
		{"net and net/http", []string{"runtime.mapaccess1", "net/http.(*conn).serve"}},
		{"other", []string{"runtime.memmove"}},
	} {
		if got := kindOf(c.stack); got != c.want {
			t.Errorf("%v is %q, want %q", c.stack, got, c.want)
		}
	}
}
