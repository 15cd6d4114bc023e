package logs

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Format is how the access log is written.
type Format int32

const (
	Off Format = iota
	Combined
	JSON
)

// FormatOf knows off, combined and json; anything else is off.
func FormatOf(name string) Format {
	return map[string]Format{"combined": Combined, "json": JSON}[name]
}

const (
	flushEvery = time.Second
	flushAt    = 64 << 10 // bytes; written earlier than that when there are so many
	mostHeld   = 1 << 20  // bytes; what comes while so much cannot be written is lost
	lastFlush  = time.Second
)

// Access is the access log. A request appends its line to memory; Run writes what has gathered. While nobody takes it, requests go on and
// lines are lost, which the log says once and again when it is over. Write may be called concurrently. The nil Access is off.
type Access struct {
	out    io.Writer
	log    *slog.Logger
	format atomic.Int32
	full   chan struct{} // capacity 1

	mu      sync.Mutex
	pending []byte
	lost    int    // lines since the last that was kept
	second  int64  // that stamp is for
	stamp   []byte // the time as the format has it, without fractions
	as      Format // stamp is for

	// Only used by Run.
	spare  []byte
	broken bool // the last write failed
	torn   bool // it ended within a line
	missed int  // lines that were not written since
}

// NewAccess makes an access log that is written to out. log hears of trouble with that.
func NewAccess(out io.Writer, f Format, log *slog.Logger) *Access {
	a := &Access{out: out, log: log, full: make(chan struct{}, 1)}
	a.SetFormat(f)
	return a
}

// SetFormat holds for requests that end from now on.
func (a *Access) SetFormat(f Format) {
	if a != nil {
		a.format.Store(int32(f))
	}
}

// On tells whether lines are wanted: a Visit costs something to fill in.
func (a *Access) On() bool { return a != nil && a.format.Load() != int32(Off) }

// Write appends the line of one request. It allocates nothing, and waits for nobody who writes to disk. Nothing of v is kept.
func (a *Access) Write(v *Visit) {
	f := Format(a.format.Load())
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.pending) >= mostHeld {
		a.lost++
		return
	}
	a.keepTime(v.At, f)
	switch f {
	case Combined:
		a.pending = v.appendCombined(a.pending, a.stamp)
	case JSON:
		a.pending = v.appendJSON(a.pending, a.stamp)
	}
	if len(a.pending) >= flushAt {
		select {
		case a.full <- struct{}{}:
		default:
		}
	}
}

// keepTime formats the second of t unless the line before was of the same.
func (a *Access) keepTime(t time.Time, f Format) {
	if second := t.Unix(); second != a.second || f != a.as {
		layout := "02/Jan/2006:15:04:05 -0700"
		if f == JSON {
			t, layout = t.UTC(), "2006-01-02T15:04:05"
		}
		a.second, a.as, a.stamp = second, f, t.AppendFormat(a.stamp[:0], layout)
	}
}

// Run writes each second, and sooner when much has gathered, until ctx ends; then what is left, within a second: the other end of a pipe may
// have stopped reading, and then nobody waits for it.
func (a *Access) Run(ctx context.Context) {
	if a == nil {
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.pump(ctx)
	}()
	<-ctx.Done()
	timer := time.NewTimer(lastFlush)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

func (a *Access) pump(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			a.flush()
			return
		case <-ticker.C:
		case <-a.full:
		}
		a.flush()
	}
}

// flush writes what has gathered.
func (a *Access) flush() {
	a.mu.Lock()
	lines, lost := a.pending, a.lost
	a.pending, a.lost = a.spare[:0], 0
	a.mu.Unlock()
	a.spare = lines
	a.missed += lost
	if len(lines) == 0 {
		return
	}
	if a.torn {
		_, _ = a.out.Write([]byte{'\n'}) // fails when the next write does
	}
	n, err := a.out.Write(lines)
	if err == nil {
		a.torn = false
		a.recovered()
		return
	}
	a.torn = a.torn && n == 0 || n > 0 && lines[n-1] != '\n'
	a.missed += bytes.Count(lines[n:], []byte{'\n'})
	if !a.broken {
		a.broken = true
		a.log.Warn("the access log cannot be written; requests are served, their lines are lost", slog.Any("error", err))
	}
}

// recovered says how many lines are missing, once lines are written again.
func (a *Access) recovered() {
	if a.missed > 0 {
		a.log.Warn("the access log is written again", slog.Int("lines_lost", a.missed))
	}
	a.broken, a.missed = false, 0
}
