package client

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TraceInfo is what CheckTrace found.
type TraceInfo struct {
	Rows     int
	Duration time.Duration // time of the last row, at speed 1
	Kinds    []string      // as capabilities, in order of appearance; empty when the trace has no kind column
}

// arrival is one row of a trace.
type arrival struct {
	at         time.Duration
	ms         float64 // unknownMS when the trace has no durations
	capability string  // empty when the trace has no kinds
}

// trace streams arrivals from CSV with a header that names its columns: t (seconds from the start, not falling), optionally
// duration_ms and kind, in any order; other columns are ignored. Memory does not grow with the length.
type trace struct {
	name                string
	rows                *csv.Reader
	t, duration, kind   int // column numbers; -1 when there is none
	last                time.Duration
	capabilities        map[string]string // kind -> capability, at most maxKinds
	capabilitiesInOrder []string
}

func newTrace(name string, r io.Reader) (*trace, error) {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	rows.FieldsPerRecord = -1 // counted here, so that the message is ours
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("trace %s is empty: its first line must name the columns, t[,duration_ms][,kind]", name)
	}
	tr := &trace{name: name, rows: rows, capabilities: map[string]string{}}
	if err != nil {
		return nil, tr.syntax(err)
	}
	columns := make([]string, len(header))
	for i, h := range header {
		columns[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))
	}
	tr.t, tr.duration, tr.kind = slices.Index(columns, "t"), slices.Index(columns, "duration_ms"), slices.Index(columns, "kind")
	if tr.t < 0 {
		return nil, fmt.Errorf("trace %s, line 1: there is no column t; the first line must name the columns, t[,duration_ms][,kind]", name)
	}
	rows.FieldsPerRecord = len(header)
	return tr, nil
}

// next is the next arrival, or io.EOF. Every other error names the line.
func (tr *trace) next() (arrival, error) {
	row, err := tr.rows.Read()
	if errors.Is(err, io.EOF) {
		return arrival{}, io.EOF
	}
	if err != nil {
		return arrival{}, tr.syntax(err)
	}
	a := arrival{ms: unknownMS}
	if a.at, err = tr.time(row[tr.t]); err != nil {
		return arrival{}, tr.wrong("t", row[tr.t], err)
	}
	if tr.duration >= 0 {
		if a.ms, err = number(row[tr.duration], maxTimeout.Seconds()*1000); err != nil {
			return arrival{}, tr.wrong("duration_ms", row[tr.duration], err)
		}
	}
	if tr.kind >= 0 {
		if a.capability, err = tr.capability(row[tr.kind]); err != nil {
			return arrival{}, tr.wrong("kind", row[tr.kind], err)
		}
	}
	tr.last = a.at
	return a, nil
}

func (tr *trace) time(s string) (time.Duration, error) {
	v, err := number(s, maxDuration.Seconds())
	if err != nil {
		return 0, err
	}
	at := time.Duration(math.Round(v * 1e9))
	if at < tr.last {
		return 0, fmt.Errorf("it is before the row above, %v; sort the rows by t", tr.last)
	}
	return at, nil
}

func (tr *trace) capability(kind string) (string, error) {
	if c, ok := tr.capabilities[kind]; ok {
		return c, nil
	}
	c, err := segment(kind)
	if err != nil {
		return "", err
	}
	if len(tr.capabilities) == maxKinds {
		return "", fmt.Errorf("it is one more than the %d different kinds a trace may have", maxKinds)
	}
	tr.capabilities[kind] = c
	if !slices.Contains(tr.capabilitiesInOrder, c) {
		tr.capabilitiesInOrder = append(tr.capabilitiesInOrder, c)
	}
	return c, nil
}

func (tr *trace) wrong(column, value string, why error) error {
	line, _ := tr.rows.FieldPos(0)
	return fmt.Errorf("trace %s, line %d: %s is %q: %w", tr.name, line, column, value, why)
}

func (tr *trace) syntax(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fmt.Errorf("trace %s, line %d: %w", tr.name, p.StartLine, p.Err)
	}
	return fmt.Errorf("trace %s cannot be read: %w", tr.name, err)
}

func number(s string, most float64) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > most {
		return 0, fmt.Errorf("legal is a number from 0 to %.0f", most)
	}
	return v, nil
}

// CheckTrace reads a whole trace and returns what is in it, or the first error, which names the line.
func CheckTrace(path string) (TraceInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return TraceInfo{}, fmt.Errorf("trace %s cannot be opened: %w", path, errors.Unwrap(err))
	}
	defer f.Close()
	return checkTrace(path, f)
}

func checkTrace(name string, r io.Reader) (TraceInfo, error) {
	tr, err := newTrace(name, r)
	if err != nil {
		return TraceInfo{}, err
	}
	var info TraceInfo
	for {
		_, err := tr.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return TraceInfo{}, err
		}
		info.Rows++
	}
	if info.Rows == 0 {
		return TraceInfo{}, fmt.Errorf("trace %s has no rows below its header: there is nothing to send", name)
	}
	info.Duration, info.Kinds = tr.last, tr.capabilitiesInOrder
	return info, nil
}
