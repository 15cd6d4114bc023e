package client

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// ProgressStyle says how NewProgress shows a run. The caller decides what w is: nothing is looked up.
type ProgressStyle struct {
	Terminal bool // w is a terminal: a bar that is redrawn. Otherwise one plain line every five seconds
	Colour   bool // ANSI colours are welcome. Only on a terminal

	// Width is asked for the columns of the terminal at each line, because a line that wraps cannot be redrawn. Nil: 80.
	Width func() int
}

// NewProgress is an Observer that shows a run to people on w, and leaves a terminal with the cursor at the beginning of an empty line.
func NewProgress(w io.Writer, style ProgressStyle) Observer {
	if style.Terminal {
		if style.Width == nil {
			style.Width = func() int { return 80 }
		}
		return &progressBar{w: w, style: style}
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
	fmt.Fprintf(p.w, "%v: %d%s done, %s\n", now.Elapsed.Round(time.Second), now.Done, done, strings.Join(vitals(now), ", "))
}

// progressBar redraws one line.
type progressBar struct {
	w     io.Writer
	style ProgressStyle
	bar   *progressbar.ProgressBar // nil until the first snapshot
}

const barMax = 1000 // the bar counts in thousandths of the run

func (p *progressBar) Progress(now Progress) {
	if p.bar == nil {
		p.bar = progressbar.NewOptions(barMax,
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetWidth(24), progressbar.OptionSetPredictTime(false),
			progressbar.OptionUseANSICodes(true), progressbar.OptionEnableColorCodes(p.style.Colour),
			progressbar.OptionShowDescriptionAtLineEnd(), progressbar.OptionClearOnFinish())
	}
	if now.Final {
		_ = p.bar.Clear() // the report comes next; a terminal that is gone is no reason to fail the run
		return
	}
	// At most one short of the end: a full bar is final for the library, and the run is not over until it says so.
	_ = p.bar.Set(min(int(now.Share()*barMax), barMax-1))
	words := append([]string{fmt.Sprintf("%v left", now.Left().Round(time.Second))}, vitals(now)...)
	line := fitting(words, p.style.Width()-barAtLeast)
	if p.style.Colour && now.Errors > 0 {
		line = strings.Replace(line, plural(now.Errors, "error"), "[red]"+plural(now.Errors, "error")+"[reset]", 1)
	}
	p.bar.Describe(line)
}

// barAtLeast is what the bar takes when there is no room for its blocks: "  30% ||  " and the space at the end.
const barAtLeast = 11

// fitting joins as many words as there are columns for, the first ones first.
func fitting(words []string, columns int) string {
	line := words[0]
	for _, w := range words[1:] {
		if len(line)+len(", ")+len(w) > columns {
			break
		}
		line += ", " + w
	}
	return line
}

// vitals is what both ways of showing a run have in common, the most important first.
func vitals(p Progress) []string {
	return []string{
		short(p.Rate) + "/s", fmt.Sprintf("p50 %s p95 %s ms", short(milliseconds(p.P50)), short(milliseconds(p.P95))),
		plural(p.Errors, "error"), fmt.Sprintf("%d in flight", p.InFlight), plural(p.Workers, "worker"),
	}
}

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
	line := fmt.Sprintf("%5d  %s  %5s ms", v.n, r.Capability, short(milliseconds(r.Latency)))
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
