package client

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// ProgressStyle says how NewProgress shows a run. The caller decides what w is: nothing is looked up.
type ProgressStyle struct {
	Terminal bool // w is a terminal: a bar that is redrawn. Otherwise one plain line every five seconds
	Colour   bool // ANSI colours are welcome. Only on a terminal
}

// NewProgress is an Observer that shows a run to people on w, and leaves a terminal with the cursor at the beginning of an empty line.
func NewProgress(w io.Writer, style ProgressStyle) Observer {
	if style.Terminal {
		return &progressBar{w: w, colour: style.Colour}
	}
	return &progressLines{w: w}
}

// Verbose adds a line for every result to what next shows: response time, status, worker and start. next may be nil.
func Verbose(w io.Writer, next Observer) ResultObserver { return &verbose{w: w, next: next} }

const plainEvery = 5 * time.Second

// progressLines prints one line every plainEvery, for logs.
type progressLines struct {
	w    io.Writer
	last time.Duration
}

func (p *progressLines) Progress(now Progress) {
	// Ticks come a little early or late; half of one is the most that may be missing.
	if !now.Final && now.Elapsed-p.last < plainEvery-tick/2 {
		return
	}
	p.last = now.Elapsed
	done := ""
	if now.N > 0 {
		done = fmt.Sprintf(" of %d", now.N)
	}
	fmt.Fprintf(p.w, "%v: %d%s done, %s\n", now.Elapsed.Round(time.Second), now.Done, done, vitals(now, plainErrors(now)))
}

// progressBar redraws one line.
type progressBar struct {
	w      io.Writer
	colour bool
	bar    *progressbar.ProgressBar // nil until the first snapshot
}

const barMax = 1000 // the bar counts in thousandths of the run

func (p *progressBar) Progress(now Progress) {
	if p.bar == nil {
		p.bar = progressbar.NewOptions(barMax,
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetWidth(24), progressbar.OptionSetPredictTime(false),
			progressbar.OptionUseANSICodes(true), progressbar.OptionEnableColorCodes(p.colour),
			progressbar.OptionShowDescriptionAtLineEnd(), progressbar.OptionClearOnFinish())
	}
	if now.Final {
		_ = p.bar.Clear() // the report comes next; a terminal that is gone is no reason to fail the run
		return
	}
	errors := plainErrors(now)
	if p.colour && now.Errors > 0 {
		errors = "[red]" + errors + "[reset]"
	}
	// At most one short of the end: a full bar is final for the library, and the run is not over until it says so.
	_ = p.bar.Set(min(int(now.Share()*barMax), barMax-1))
	p.bar.Describe(fmt.Sprintf("%v left, %s", now.Left().Round(time.Second), vitals(now, errors)))
}

// vitals is what both ways of showing a run have in common.
func vitals(p Progress, errors string) string {
	return fmt.Sprintf("%s/s, %d in flight, p50 %s ms, p95 %s ms, %s, %s", short(p.Rate), p.InFlight,
		short(milliseconds(p.P50)), short(milliseconds(p.P95)), errors, plural(p.Workers, "worker"))
}

func plainErrors(p Progress) string { return plural(p.Errors, "error") }

// verbose prints every result.
type verbose struct {
	w    io.Writer
	next Observer
	n    int
}

func (v *verbose) Progress(p Progress) {
	if v.next != nil {
		v.next.Progress(p)
	}
}

func (v *verbose) Result(r Result) {
	v.n++
	line := fmt.Sprintf("%5d  %s  %s ms", v.n, r.Capability, short(milliseconds(r.Latency)))
	if r.Status != 0 {
		line += fmt.Sprintf("  %d", r.Status)
	}
	if r.Worker != "" {
		line += "  " + r.Worker
	}
	if r.Start != "" {
		line += "  " + r.Start
	}
	if r.Cause != OK {
		line += fmt.Sprintf("  %s: %s", r.Cause, r.Detail)
	}
	fmt.Fprintln(v.w, line)
}
