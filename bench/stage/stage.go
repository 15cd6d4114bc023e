// Package stage is where the races are run: it starts processes, tells what they cost, and takes everything down again, also after a failure.
package stage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Stage owns a directory and the processes that were started on it. It is not for concurrent use.
type Stage struct {
	Dir     string // made for this stage, removed by Close
	running []*Process
}

// New makes an empty stage. Close it.
func New() (*Stage, error) {
	dir, err := os.MkdirTemp("", "understudy-bench-")
	if err != nil {
		return nil, err
	}
	// Servers that give up root must still be able to look into it.
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Stage{Dir: dir}, nil
}

// Close ends every process that still runs, the last one first, and removes the directory.
func (s *Stage) Close() error {
	var errs []error
	for _, p := range slices.Backward(s.running) {
		errs = append(errs, p.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.Dir))...)
}

// File writes a file of that name on the stage and returns its path.
func (s *Stage) File(name, text string) (string, error) {
	path := filepath.Join(s.Dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// Address is a free address on loopback. Nothing holds it, so whoever is given it should listen soon.
func Address() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Until asks done again and again until it says yes, fails, or ctx ends; what says in the error what was waited for.
func Until(ctx context.Context, what string, done func() (bool, error)) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}
