package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"understudy/client"
	"understudy/fleet"
)

// stage shows a run and the workers that carry it, side by side: a line for every change of the workers, and on a terminal one line
// below that is redrawn.
type stage struct {
	w        io.Writer
	terminal bool
	status   func() []fleet.PoolStatus
	last     string // the workers as last shown
	shown    time.Duration
}

func newStage(w io.Writer, terminal bool, status func() []fleet.PoolStatus) *stage {
	return &stage{w: w, terminal: terminal, status: status}
}

// stageEvery is how often a line is printed although no worker came or went.
const stageEvery = 10 * time.Second

// Progress implements client.Observer.
func (s *stage) Progress(p client.Progress) {
	workers := workersLine(s.status())
	line := fmt.Sprintf("%4.0fs  %5.1f/s  p95 %s  %s", p.Elapsed.Seconds(), p.Rate, milliseconds(p.P95), workers)
	if p.Errors > 0 {
		line += fmt.Sprintf("  %d errors", p.Errors)
	}
	if s.terminal {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
	if workers != s.last || p.Final || p.Elapsed-s.shown >= stageEvery {
		s.last, s.shown = workers, p.Elapsed
		fmt.Fprintln(s.w, line)
		return
	}
	if s.terminal {
		fmt.Fprint(s.w, line)
	}
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%4d ms", d.Milliseconds()) }

// workersLine draws every worker as one letter: # active, o spare, . starting, - draining.
func workersLine(pools []fleet.PoolStatus) string {
	var parts []string
	for _, p := range pools {
		n := map[fleet.State]int{}
		for _, w := range p.Workers {
			n[w.State]++
		}
		bar := strings.Repeat("#", n[fleet.Active]) + strings.Repeat("o", n[fleet.Spare]) +
			strings.Repeat(".", n[fleet.Starting]) + strings.Repeat("-", n[fleet.Draining]+n[fleet.Failed])
		part := fmt.Sprintf("%s [%-10s] %d active, %d spare", p.Name, bar, n[fleet.Active], n[fleet.Spare])
		if n[fleet.Starting] > 0 {
			part += fmt.Sprintf(", %d starting", n[fleet.Starting])
		}
		if n[fleet.Draining] > 0 {
			part += fmt.Sprintf(", %d leaving", n[fleet.Draining])
		}
		if p.Unavailable != "" {
			part += ", unavailable"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}
