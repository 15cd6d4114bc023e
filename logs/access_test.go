package logs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sink is where a log goes. It may be full, or take nothing at all.
type sink struct {
	mu    sync.Mutex
	text  bytes.Buffer
	short int           // so many bytes are taken, then full
	full  error         // nil: everything is taken
	gate  chan struct{} // not nil: writing waits until it is closed
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	gate, full, short := s.gate, s.full, s.short
	s.mu.Unlock()
	if gate != nil {
		<-gate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if full != nil {
		n, _ := s.text.Write(p[:min(short, len(p))])
		return n, full
	}
	return s.text.Write(p)
}

func (s *sink) set(full error, short int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full, s.short = full, short
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *sink) lines() int { return strings.Count(s.String(), "\n") }

// running is an access log whose Run ends with the test.
func running(t *testing.T, out io.Writer, log io.Writer) (*Access, context.CancelFunc) {
	a := NewAccess(out, Combined, slog.New(slog.NewTextHandler(log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Run(ctx) }()
	return a, func() { cancel(); <-ended }
}

func write(a *Access, n int) {
	v := visit()
	for range n {
		a.Write(&v)
	}
}

func TestLinesAreWrittenEachSecondAndAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &sink{}
		a, end := running(t, out, io.Discard)
		write(a, 3)
		synctest.Wait()
		if n := out.lines(); n != 0 {
			t.Errorf("%d lines at once", n)
		}
		<-time.After(flushEvery)
		synctest.Wait()
		if n := out.lines(); n != 3 {
			t.Errorf("%d lines after a second", n)
		}
		write(a, 2)
		end()
		if n := out.lines(); n != 5 {
			t.Errorf("%d lines at the end", n)
		}
	})
}

func TestManyLinesAreWrittenSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &sink{}
		a, end := running(t, out, io.Discard)
		defer end()
		write(a, flushAt/100)
		synctest.Wait()
		if out.lines() == 0 {
			t.Error("nothing was written before the second was over")
		}
	})
}

func TestAFullDiskLosesLinesAndSaysSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, said := &sink{}, &sink{}
		out.set(errors.New("no space left on device"), 10)
		a, end := running(t, out, said)
		defer end()
		for range 5 {
			write(a, 2)
			<-time.After(flushEvery)
		}
		synctest.Wait()
		if got := said.String(); said.lines() != 1 || !strings.Contains(got, "no space left") {
			t.Fatalf("said %s", got)
		}
		out.set(nil, 0)
		write(a, 1)
		<-time.After(flushEvery)
		synctest.Wait()
		if got := said.String(); said.lines() != 2 || !strings.Contains(got, "lines_lost=10") {
			t.Errorf("said %s", got)
		}
		if all := strings.Split(out.String(), "\n"); all[len(all)-2] != strings.TrimSuffix(line(Combined, visit()), "\n") {
			t.Errorf("the line behind what was torn is not whole: %q", out)
		}
		write(a, 1)
		<-time.After(flushEvery)
		synctest.Wait()
		if said.lines() != 2 {
			t.Errorf("said again: %s", said)
		}
	})
}

func TestWhoDoesNotReadStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, said := &sink{gate: make(chan struct{})}, &sink{}
		a, end := running(t, out, said)
		write(a, 1)
		<-time.After(flushEvery)
		synctest.Wait() // it hangs in the write now
		most := mostHeld/len(line(Combined, visit())) + 1
		write(a, most+7)
		before := time.Now()
		end()
		if waited := time.Since(before); waited > lastFlush {
			t.Errorf("the end waited for %v", waited)
		}
		close(out.gate)
		synctest.Wait()
		if n := out.lines(); n != most+1 {
			t.Errorf("%d lines were kept, want %d", n, most+1)
		}
		if !strings.Contains(said.String(), "lines_lost=7") {
			t.Errorf("said %s", said)
		}
	})
}

func TestAClosedOutputIsNoPanic(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close()
	said := &sink{}
	a, end := running(t, w, said)
	write(a, 1)
	end()
	if !strings.Contains(said.String(), "cannot be written") {
		t.Errorf("said %q", said)
	}
}

func TestTheNilAccessIsOff(t *testing.T) {
	var a *Access
	a.SetFormat(JSON)
	a.Run(t.Context())
	if a.On() {
		t.Error("it is on")
	}
	b := NewAccess(io.Discard, FormatOf("off"), nil)
	if b.On() || FormatOf("json") != JSON || FormatOf("combined") != Combined {
		t.Error("formats are mixed up")
	}
	b.SetFormat(JSON)
	if !b.On() {
		t.Error("a reload cannot switch it on")
	}
}
