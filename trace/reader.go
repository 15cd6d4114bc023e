// Package trace reads arrivals from CSV: what a load client replays and a simulation plays.
package trace

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

// What a trace may hold. The bounds keep a typing mistake from becoming a load nobody meant.
const (
	MaxKinds      = 100 // different kinds of one trace; whoever reads it keeps something for each
	MaxKindLength = 64
	latest        = 7 * 24 * time.Hour
	longest       = time.Hour
)

// Unknown stands for a duration that the trace does not give.
const Unknown = -1

// Arrival is one row.
type Arrival struct {
	At         time.Duration // from the start of the trace, never before the row above
	Millis     float64       // how long it takes on an idle worker, in ms; Unknown when the trace has no durations
	Capability string        // its kind as one path segment; empty when the trace has no kinds
}

// Info is what Check found.
type Info struct {
	Rows     int
	Duration time.Duration // time of the last row
	Kinds    []string      // as capabilities, in order of appearance; empty when the trace has no kind column
}

// Reader streams arrivals from CSV with a header that names its columns: t (seconds from the start, not falling), optionally
// duration_ms and kind, in any order; other columns are ignored. Memory does not grow with the length. Not safe for concurrent use.
type Reader struct {
	name                string
	file                io.Closer // nil: the caller's
	rows                *csv.Reader
	t, duration, kind   int // column numbers; -1 when there is none
	last                time.Duration
	capabilities        map[string]string // kind -> capability, at most MaxKinds
	capabilitiesInOrder []string
}

// Open reads the header of a trace in a file. Every error names the file and, where there is one, the line. Close it after use.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("trace %s cannot be opened: %w", path, errors.Unwrap(err))
	}
	r, err := NewReader(path, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r.file = f
	return r, nil
}

// Close closes the file that Open opened.
func (tr *Reader) Close() error {
	if tr.file == nil {
		return nil
	}
	return tr.file.Close()
}

// NewReader reads the header of a trace. The name is for errors.
func NewReader(name string, r io.Reader) (*Reader, error) {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	rows.FieldsPerRecord = -1 // counted here, so that the message is ours
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("trace %s is empty: its first line must name the columns, t[,duration_ms][,kind]", name)
	}
	tr := &Reader{name: name, rows: rows, capabilities: map[string]string{}}
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

// Next is the next arrival, or io.EOF. Every other error names the line.
func (tr *Reader) Next() (Arrival, error) {
	row, err := tr.rows.Read()
	if errors.Is(err, io.EOF) {
		return Arrival{}, io.EOF
	}
	if err != nil {
		return Arrival{}, tr.syntax(err)
	}
	a := Arrival{Millis: Unknown}
	if a.At, err = tr.time(row[tr.t]); err != nil {
		return Arrival{}, tr.wrong("t", row[tr.t], err)
	}
	if tr.duration >= 0 {
		if a.Millis, err = number(row[tr.duration], longest.Seconds()*1000); err != nil {
			return Arrival{}, tr.wrong("duration_ms", row[tr.duration], err)
		}
	}
	if tr.kind >= 0 {
		if a.Capability, err = tr.capability(row[tr.kind]); err != nil {
			return Arrival{}, tr.wrong("kind", row[tr.kind], err)
		}
	}
	tr.last = a.At
	return a, nil
}

func (tr *Reader) time(s string) (time.Duration, error) {
	v, err := number(s, latest.Seconds())
	if err != nil {
		return 0, err
	}
	at := time.Duration(math.Round(v * 1e9))
	if at < tr.last {
		return 0, fmt.Errorf("it is before the row above, %v; sort the rows by t", tr.last)
	}
	return at, nil
}

func (tr *Reader) capability(kind string) (string, error) {
	if c, ok := tr.capabilities[kind]; ok {
		return c, nil
	}
	c, err := Segment(kind)
	if err != nil {
		return "", err
	}
	if len(tr.capabilities) == MaxKinds {
		return "", fmt.Errorf("it is one more than the %d different kinds a trace may have", MaxKinds)
	}
	tr.capabilities[kind] = c
	if !slices.Contains(tr.capabilitiesInOrder, c) {
		tr.capabilitiesInOrder = append(tr.capabilitiesInOrder, c)
	}
	return c, nil
}

func (tr *Reader) wrong(column, value string, why error) error {
	line, _ := tr.rows.FieldPos(0)
	return fmt.Errorf("trace %s, line %d: %s is %q: %w", tr.name, line, column, value, why)
}

func (tr *Reader) syntax(err error) error {
	var p *csv.ParseError
	if errors.Is(err, csv.ErrFieldCount) && errors.As(err, &p) {
		return fmt.Errorf("trace %s, line %d: it has more or fewer cells than the %d columns that the first line names", tr.name, p.StartLine, tr.rows.FieldsPerRecord)
	}
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

// Check reads a whole trace and returns what is in it, or the first error, which names the line.
func Check(path string) (Info, error) {
	tr, err := Open(path)
	if err != nil {
		return Info{}, err
	}
	defer tr.Close()
	return tr.Check(nil)
}

// Check reads what is left of the trace and returns what is in it, or the first error. What accept says against a capability, when it
// is not nil, is an error too: it is asked once for each.
func (tr *Reader) Check(accept func(capability string) error) (Info, error) {
	var info Info
	for {
		a, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Info{}, err
		}
		info.Rows++
		if fresh := tr.capabilitiesInOrder[len(info.Kinds):]; len(fresh) > 0 {
			info.Kinds = append(info.Kinds, fresh...)
			if accept == nil {
				continue
			}
			if err := accept(a.Capability); err != nil {
				return Info{}, tr.wrong("kind", a.Capability, err)
			}
		}
	}
	if info.Rows == 0 {
		return Info{}, fmt.Errorf("trace %s has no rows below its header: there is nothing to play", tr.name)
	}
	info.Duration = tr.last
	return info, nil
}
