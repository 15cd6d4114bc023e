package client

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report for people. colour allows ANSI colours.
func (r *Report) WriteText(w io.Writer, colour bool) error {
	p := &page{colour: colour}
	p.headline(r)
	p.latencies(r)
	p.rates(r)
	p.spread(r)
	p.statuses(r)
	p.errors(r)
	p.lateness(r)
	p.assertions(r)
	_, err := io.WriteString(w, p.String())
	return err
}

const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
	reset = "\x1b[0m"
)

// page is a report in the making. Every line begins with a word in a column of its own.
type page struct {
	strings.Builder
	colour bool
}

const labelWidth = 11

func (p *page) line(label, format string, args ...any) {
	fmt.Fprintf(p, "%-*s %s\n", labelWidth, label, fmt.Sprintf(format, args...))
}

func (p *page) paint(colour, s string) string {
	if !p.colour {
		return s
	}
	return colour + s + reset
}

func (p *page) headline(r *Report) {
	errors := p.paint(green, "no errors")
	if r.Errors > 0 {
		errors = p.paint(red, plural(r.Errors, "error")+" ("+percent(r.Errors, r.Count)+")")
	}
	fmt.Fprintf(p, "%s to %s in %s s, %s answers/s, %s\n%s\n",
		plural(r.Count, "request"), r.Target, short(r.DurationS), short(r.Rate), errors, r.Load)
	if r.Interrupted {
		fmt.Fprintln(p, "interrupted before its end")
	}
	fmt.Fprintln(p)
}

func (p *page) latencies(r *Report) {
	p.line("ms", "%8s%8s%8s%8s%8s%8s%8s", "p50", "p90", "p95", "p99", "p99.9", "max", "mean")
	for _, l := range r.latencies() {
		p.latency(l.Name, l.V, "")
	}
	if len(r.Capabilities) < 2 {
		return
	}
	for name, c := range sorted(r.Capabilities) {
		note := "  " + plural(c.Count, "request")
		if c.Errors > 0 {
			note += ", " + p.paint(red, plural(c.Errors, "error"))
		}
		p.latency(name, c.Latency, note)
	}
}

// latencies are the distributions worth showing.
func (r *Report) latencies() []named[Latency] {
	all := []named[Latency]{{"latency", r.Latency}}
	if r.FromSend != r.Latency {
		all = append(all, named[Latency]{"from send", r.FromSend})
	}
	if r.Service != (Latency{}) {
		all = append(all, named[Latency]{"queue", r.Queue}, named[Latency]{"service", r.Service})
	}
	return all
}

func (p *page) latency(label string, l Latency, note string) {
	p.line(label, "%8s%8s%8s%8s%8s%8s%8s%s",
		short(l.P50), short(l.P90), short(l.P95), short(l.P99), short(l.P999), short(l.Max), short(l.Mean), note)
}

// rates sets what was asked for beside what became of it; callers that send back to back ask for no rate.
func (p *page) rates(r *Report) {
	fmt.Fprintln(p)
	if !r.OpenLoop || r.Count == 0 { // callers that send back to back ask for no rate
		return
	}
	p.line("rate", "intended %s/s, sent %s/s, answered %s/s", short(r.IntendedRate), short(r.SentRate), short(r.Rate))
}

const workersShown = 40

func (p *page) spread(r *Report) {
	if r.Spread.Workers > 0 {
		p.line("workers", "%d, %s answers each, standard deviation %s", r.Spread.Workers, short(r.Spread.Mean), short(r.Spread.StdDev))
		p.workers(r)
	}
	if s := r.Starts; s != (Starts{}) {
		p.line("starts", "warm %d, spare %d, cold %d", s.Warm, s.Spare, s.Cold)
	}
}

// workers lists them four to a line.
func (p *page) workers(r *Report) {
	width, n := 0, 0
	for id := range r.Workers {
		width = max(width, len(id))
	}
	var row []string
	for id, w := range sorted(r.Workers) {
		if n == workersShown {
			break
		}
		n++
		row = append(row, fmt.Sprintf("%-*s %6d", width, id, w.Count))
		if len(row) == 4 {
			p.line("", "%s", strings.Join(row, "   "))
			row = nil
		}
	}
	if len(row) > 0 {
		p.line("", "%s", strings.Join(row, "   "))
	}
	if more := len(r.Workers) - n; more > 0 {
		p.line("", "and %d more", more)
	}
}

func (p *page) statuses(r *Report) {
	var parts []string
	for status, n := range sorted(r.Statuses) {
		parts = append(parts, fmt.Sprintf("%d: %d", status, n))
	}
	if len(parts) > 0 {
		p.line("statuses", "%s", strings.Join(parts, ", "))
	}
}

func (p *page) errors(r *Report) {
	for cause, n := range sorted(r.ErrorsByCause) {
		if n > 0 {
			p.line("error", "%s %d, the first: %s", p.paint(red, string(cause)), n, r.ErrorSamples[cause])
		}
	}
}

func (p *page) lateness(r *Report) {
	if r.ScheduleError != (Lateness{}) {
		p.line("own delay", "p50 %s ms, p99 %s ms after the intended send", short(r.ScheduleError.P50), short(r.ScheduleError.P99))
	}
	if !r.KeptUp {
		fmt.Fprintf(p, "%s\n", p.paint(red, keptUpSentence(r)))
	}
}

func (p *page) assertions(r *Report) {
	for _, o := range r.Assertions {
		verdict := p.paint(green, "holds")
		if !o.OK {
			verdict = p.paint(red, "FAILED")
		}
		p.line("assertion", "%s %s: %s", verdict, o.Text, o.Got)
	}
}

// keptUpSentence says how the client itself distorted the load.
func keptUpSentence(r *Report) string {
	if n := r.ErrorsByCause[Overload]; n > 0 {
		return fmt.Sprintf("The client did not send %s because too many were in flight: the load was lower than asked for.", plural(n, "request"))
	}
	return fmt.Sprintf("The client could not keep up: one request in a hundred left more than %s ms late; ask for less, or give it more CPU.",
		short(r.ScheduleError.P99))
}

// short has three digits or so: 0.12, 1.23, 12.3, 123.
func short(v float64) string {
	switch {
	case v >= 100 || v == 0:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
