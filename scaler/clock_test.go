package scaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/driver"
	"understudy/fleet"
	"understudy/fleet/clocktest"
	"understudy/logs"
)

// Whoever sets the clock of the machine, be it by an hour, changes nothing but the dates: what is decided, started, ejected, drained, removed, given
// up and said comes at the same moments.
func TestAClockThatIsSetChangesNothing(t *testing.T) {
	want := lifeOnAClock(t, 0)
	for _, event := range []string{"start", "stop", "ejected:1", "quarantined:1", "queue-timeout", "for=2m5s", "nobody stands for", "engine is back"} {
		if !slices.ContainsFunc(want, func(line string) bool { return strings.Contains(line, event) }) {
			t.Errorf("nothing of what happened is %q, so that is not tested:\n%s", event, strings.Join(want, "\n"))
		}
	}
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		got := lifeOnAClock(t, by)
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Errorf("on a clock that is set by %v, from line %d on:\n%s\ninstead of\n%s", by, i,
					strings.Join(got[min(i, len(got)):min(i+5, len(got))], "\n"), strings.Join(want[min(i, len(want)):min(i+5, len(want))], "\n"))
				break
			}
		}
	}
}

// diary is what happened, each line with the time since the beginning that nobody can set.
type diary struct {
	began time.Time
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(at time.Time, format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%10.3f ", at.Sub(d.began).Seconds())+fmt.Sprintf(format, args...))
}

// Write takes a line of the log.
func (d *diary) Write(p []byte) (int, error) {
	d.add(time.Now(), "%s", strings.TrimSpace(string(p)))
	return len(p), nil
}

// lifeOnAClock is some minutes of a pool in which everything has its time. The clock is set in the middle of each thing, and back with the next.
func lifeOnAClock(t *testing.T, by time.Duration) []string {
	var lines []string
	synctest.Test(t, func(t *testing.T) {
		var clock clocktest.Clock
		d := &diary{began: time.Now()}
		b := newBenchBy(t, clock.Now, startDelay(700*time.Millisecond), pool("mult", func(p *config.Pool) {
			p.Workers = config.Workers{Min: 1, Max: 3, Spare: 1}
			p.Queue.Wait = 3 * time.Second
			p.Eject = config.Eject{Failures: 5, Time: 20 * time.Second}
		}))
		undated := func(_ []string, a slog.Attr) slog.Attr {
			if slices.Contains([]string{slog.TimeKey, "worker", "address", "why"}, a.Key) { // which of two that are alike is chance
				return slog.Attr{}
			}
			return a
		}
		b.scaler.Log = slog.New(slog.NewTextHandler(d, &slog.HandlerOptions{ReplaceAttr: undated}))
		b.scaler.repeats = logs.NewRepeats(b.scaler.Log, b.fleet.Clock)
		b.run()
		far := 0
		thing := func(happen func(), lasts time.Duration) { // half a second after it has begun the clock is set
			happen()
			b.writes(d, 500*time.Millisecond)
			far = 1 - far
			clock.Set(time.Duration(far) * by)
			b.writes(d, lasts)
		}
		b.pass(13 * time.Millisecond) // from here on nothing comes at the moment of a tick, where it would be chance what comes first
		thing(func() {}, 5*time.Second)
		thing(func() { b.breaks(b.firstActive()) }, 45*time.Second)            // ejected, and on probation
		thing(func() { b.asks(d, 12, 1307*time.Millisecond) }, 45*time.Second) // more than fit: some wait in vain
		thing(func() { b.driver.Kill(b.firstActive(), 1) }, 70*time.Second)    // replaced; a second one soon after, by back-off
		thing(func() { b.driver.FailNext("start", driver.ErrPortTaken); b.driver.Kill(b.firstActive(), 1) }, 100*time.Second)
		thing(func() { b.driver.SetDown(driver.ErrUnavailable) }, 150*time.Second) // said again each minute
		thing(func() { b.driver.SetDown(nil) }, 30*time.Second)
		thing(func() { // what this process has asked for and lost has its grace
			b.driver.Place(driver.Instance{Pool: "mult", Worker: "stray", Generation: b.driver.Workers()[0].Generation, Running: true})
		}, 2*orphanGrace)
		thing(func() { b.asks(d, 40, 407*time.Millisecond) }, 45*time.Second) // scaled up, and down again
		for _, c := range b.driver.Calls() {
			if c.Op != "inspect" {
				d.add(c.Began, "%s, %v", c.Op, c.Ended.Sub(c.Began))
			}
		}
		b.end()
		lines = d.lines
		slices.Sort(lines) // what happens at the same moment has no order
	})
	return lines
}

// asks sends n requests at once that take d each, and notes what becomes of each.
func (b *bench) asks(to *diary, n int, d time.Duration) {
	for range n {
		go func() {
			lease, err := b.fleet.Acquire(context.Background(), fleet.Request{Capability: "mult"})
			if errors.Is(err, fleet.ErrQueueTimeout) {
				to.add(time.Now(), "queue-timeout")
			}
			if err != nil {
				return
			}
			<-time.After(d)
			lease.Release(fleet.Outcome{Kind: fleet.Served})
			to.add(time.Now(), "served")
		}()
	}
}

// writes lets time pass and notes how many workers of each kind there are, whenever that changes.
func (b *bench) writes(to *diary, lasts time.Duration) {
	last := ""
	for end := time.Now().Add(lasts); time.Now().Before(end); {
		b.pass(250 * time.Millisecond)
		m, _ := b.fleet.Measure("mult")
		p := b.ports.Status()
		is := fmt.Sprintf("%v ejected:%d queue:%d leased:%d quarantined:%d here:%d", b.states("mult"), m.Ejected, m.Queue, p.Leased, len(p.Quarantined), len(b.driver.Workers()))
		if is != last {
			to.add(time.Now(), "%s", is)
		}
		last = is
	}
}
