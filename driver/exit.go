package driver

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strings"
)

// exitLines is how many last lines an ExitError carries.
const exitLines = 20

// NewExitError makes an ExitError of what a worker left behind: its exit code and its last lines, oldest first. It keeps the
// last 20 lines and finds the hint in them.
func NewExitError(code int, lines []string) *ExitError {
	kept := slices.Clone(lines[max(0, len(lines)-exitLines):])
	return &ExitError{Code: code, Logs: kept, Hint: hint(kept)}
}

// hint names the configuration key that most likely cures what the lines complain of.
func hint(lines []string) string {
	for _, line := range slices.Backward(lines) {
		line = strings.ToLower(line)
		switch {
		case strings.Contains(line, "read-only file system"):
			return "it wants to write where it may not: name the folder under the pool's security key tmpfs, or set read_only: false"
		case strings.Contains(line, "permission denied"), strings.Contains(line, "operation not permitted"):
			return "it may lack a right: set the user it expects under the pool's security key user, or the capability under cap_add"
		}
	}
	return ""
}

// memoryHint is for a worker that the engine says ran out of memory.
const memoryHint = "give it more with the pool's key resources.memory, or fewer tasks at a time with concurrency"

// Exit asks d why a worker ended: its exit code and last lines, as far as d can look at workers and keeps what they print.
// ErrNotFound when the worker is gone; nil when it still runs.
func Exit(ctx context.Context, d Driver, id ID) (*ExitError, error) {
	inst, err := find(ctx, d, id)
	if err != nil || inst.Running {
		return nil, err
	}
	e := NewExitError(inst.ExitCode, LastLines(ctx, d, id))
	e.OOM, e.Removing = inst.OOM, inst.Removing
	if e.OOM {
		e.Hint = memoryHint
	}
	return e, nil
}

// LastLines are the last 20 lines a worker printed, running or not, oldest first; none when d keeps none or cannot tell. What is
// longer than 1 KiB is cut there.
func LastLines(ctx context.Context, d Driver, id ID) []string {
	logger, ok := d.(Logger)
	if !ok {
		return nil
	}
	logs, err := logger.Logs(ctx, id, exitLines, false)
	if err != nil {
		return nil // what else is known is worth having
	}
	defer logs.Close()
	return lines(logs)
}

func find(ctx context.Context, d Driver, id ID) (Instance, error) {
	if inspector, ok := d.(Inspector); ok {
		return inspector.Inspect(ctx, id)
	}
	all, err := d.List(ctx)
	if err != nil {
		return Instance{}, err
	}
	i := slices.IndexFunc(all, func(inst Instance) bool { return inst.ID == id })
	if i < 0 {
		return Instance{}, ErrNotFound
	}
	return all[i], nil
}

const (
	longestLine = 1 << 10
	mostLogs    = 4 << 20 // of what is read for the last lines: an engine may count a line of any length as one
)

// lines reads r to its end, and yields the last lines, each cut where it is too long to be shown.
func lines(r io.Reader) (out []string) {
	in := bufio.NewReaderSize(io.LimitReader(r, mostLogs), longestLine)
	for {
		line, more, err := in.ReadLine()
		if err != nil {
			return out
		}
		text := string(line)
		if more {
			text += "…"
		}
		for more && err == nil {
			_, more, err = in.ReadLine()
		}
		out = append(out, text)
		if len(out) > exitLines {
			out = out[1:]
		}
	}
}
