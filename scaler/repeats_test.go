package scaler

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/logs"
)

// logged keeps what a scaler logs.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// with yields the lines that have text in them.
func (l *logged) with(text string) (lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		if strings.Contains(line, text) {
			lines = append(lines, line)
		}
	}
	return lines
}

// listen makes the bench's scaler log into what it returns. It comes before run.
func (b *bench) listen() *logged {
	l := &logged{}
	b.scaler.Log = slog.New(slog.NewTextHandler(l, nil))
	b.scaler.repeats = logs.NewRepeats(b.scaler.Log, b.fleet.Clock)
	return l
}

func TestAnEngineThatIsAwayIsSaidOnceAndThenEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		away.Store(true)
		plan := func(spec driver.Spec) (p drivertest.Plan) {
			if away.Load() {
				p.StartErr = fmt.Errorf("starting %s: %w", spec.Worker, driver.ErrUnavailable)
			}
			return p
		}
		b := newBench(t, drivertest.FakeOptions{Plan: plan}, pool("mult", func(p *config.Pool) { p.Workers.Spare = 0 }))
		log := b.listen()
		b.run()
		b.pass(50 * time.Second)
		tries := len(b.driver.Calls("start"))
		if lines := log.with("did not start"); len(lines) != 1 || tries < 4 {
			t.Fatalf("%d lines for %d failed starts: %v", len(lines), tries, lines)
		}
		b.pass(10 * time.Minute)
		tries = len(b.driver.Calls("start"))
		lines := log.with("did not start")
		if last := lines[len(lines)-1]; len(lines) < 5 || len(lines) > 12 || tries <= len(lines) || !strings.Contains(last, "times=") {
			t.Errorf("%d lines in ten minutes for %d failed starts, the last %v", len(lines), tries, last)
		}
		away.Store(false)
		b.pass(2 * time.Minute)
		if over := log.with("that is over"); len(over) != 1 || !strings.Contains(over[0], fmt.Sprintf("times=%d", tries)) {
			t.Errorf("its end after %d: %v", tries, over)
		}
		b.end()
	})
}

func TestNothingIsLoggedWhileNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, drivertest.FakeOptions{}, pool("mult", nil))
		log := b.listen()
		b.run()
		b.pass(10 * time.Second)
		before := len(log.with(""))
		b.pass(10 * time.Minute) // 2,400 ticks
		if after := log.with(""); len(after) != before {
			t.Errorf("%d lines in ten idle minutes: %v", len(after)-before, after[before:])
		}
		b.end()
	})
}

func TestWhatAWorkerPrintedAndAnEngineSaidIsEscapedInTheLog(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const evil = "no such\r\nlevel=INFO msg=forged \x1b[2J\u009b31m\x7f"
			plan := func(driver.Spec) drivertest.Plan {
				return drivertest.Plan{StartErr: fmt.Errorf("image %s: %w", evil, driver.NewExitError(3, []string{evil}))}
			}
			b := newBench(t, drivertest.FakeOptions{Plan: plan}, pool("mult", func(p *config.Pool) { p.Workers.Spare = 0 }))
			log := &logged{}
			b.scaler.Log = logs.New(log, asJSON, slog.LevelDebug)
			b.scaler.repeats = logs.NewRepeats(b.scaler.Log, b.fleet.Clock)
			b.run()
			b.pass(time.Second)
			lines := log.with("did not start")
			if len(lines) != 1 || !strings.Contains(lines[0], "forged") {
				t.Fatalf("got %q", log.with(""))
			}
			for _, line := range log.with("") {
				if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\r\n\x1b\x7f\u009b") || strings.HasPrefix(line, "level=INFO msg=forged") {
					t.Errorf("got %q", line)
				}
			}
			b.end()
		})
	}
}
