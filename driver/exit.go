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

// Exit asks d why a worker ended: its exit code and last lines, as far as d can look at workers and keeps what they print.
// ErrNotFound when the worker is gone; nil when it still runs.
func Exit(ctx context.Context, d Driver, id ID) (*ExitError, error) {
	inst, err := find(ctx, d, id)
	if err != nil || inst.Running {
		return nil, err
	}
	logger, ok := d.(Logger)
	if !ok {
		return NewExitError(inst.ExitCode, nil), nil
	}
	logs, err := logger.Logs(ctx, id, exitLines, false)
	if err != nil {
		return NewExitError(inst.ExitCode, nil), nil // the code alone is worth having
	}
	defer logs.Close()
	return NewExitError(inst.ExitCode, lines(logs)), nil
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

// lines reads r to its end; a line too long for memory ends the reading, what was read before it counts.
func lines(r io.Reader) []string {
	var out []string
	s := bufio.NewScanner(r)
	for s.Scan() {
		out = append(out, s.Text())
	}
	return out
}
