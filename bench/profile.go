package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"understudy/bench/stage"
)

// profileTable ranks what the samples of a CPU profile were taken in.
func profileTable(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	binary := fs.String("binary", "bin/profiled", "the program that was profiled")
	return func(ctx context.Context, _ *stage.Stage) error {
		if fs.NArg() != 1 {
			return errors.New("give one file with a profile: go run ./bench profile FILE")
		}
		out, err := stage.Run(ctx, stage.Command{Name: "go tool pprof", Args: []string{"go", "tool", "pprof", "-traces", *binary, fs.Arg(0)}})
		if err != nil {
			return err
		}
		samples, err := readTraces(out.Out)
		if err != nil {
			return err
		}
		printShares(os.Stdout, samples)
		return nil
	}
}

// sample is one stack, the innermost function first, and the CPU time it was seen with.
type sample struct {
	took  time.Duration
	stack []string
}

// readTraces reads what `go tool pprof -traces` prints: blocks between dashed lines, a time before the innermost function of each.
func readTraces(text string) (all []sample, err error) {
	_, body, found := strings.Cut(text, "-----------+")
	if !found {
		return nil, fmt.Errorf("no stacks in:\n%.300s", text)
	}
	for block := range strings.SplitSeq(body, "-----------+") {
		var s sample
		for i, line := range strings.Split(strings.TrimLeft(block, "-"), "\n") {
			fields := strings.Fields(line)
			if i == 0 || len(fields) == 0 {
				continue
			}
			if len(s.stack) == 0 {
				if s.took, err = time.ParseDuration(fields[0]); err != nil {
					return nil, fmt.Errorf("%q does not begin with a time: %w", line, err)
				}
				fields = fields[1:]
			}
			s.stack = append(s.stack, strings.Join(fields, " "))
		}
		if len(s.stack) > 0 {
			all = append(all, s)
		}
	}
	return all, nil
}

func printShares(w io.Writer, samples []sample) {
	shares, within := map[string]time.Duration{}, map[string]map[string]time.Duration{}
	var total time.Duration
	for _, s := range samples {
		kind := kindOf(s.stack)
		total += s.took
		shares[kind] += s.took
		if within[kind] == nil {
			within[kind] = map[string]time.Duration{}
		}
		within[kind][asker(s.stack)] += s.took
	}
	share := func(d time.Duration) float64 { return 100 * float64(d) / float64(total) }
	fmt.Fprintf(w, "\nWhere %v of CPU time went, and who asked for most of it\n", total)
	for _, kind := range ranked(shares) {
		fmt.Fprintf(w, "  %-22s %5.1f %%  ", kind, share(shares[kind]))
		inner := ranked(within[kind])
		for _, name := range inner[:min(3, len(inner))] {
			fmt.Fprintf(w, "  %s %.1f", name, share(within[kind][name]))
		}
		fmt.Fprintln(w)
	}
}

// asker is the innermost function of a stack that is not the runtime's or the plumbing above a system call; without one, the innermost.
func asker(stack []string) string {
	for _, function := range stack {
		plumbing := slices.ContainsFunc([]string{"runtime.", "internal/", "syscall.", "net.(*", "sync.", "sync/", "bufio."}, func(prefix string) bool {
			return strings.HasPrefix(function, prefix)
		})
		if !plumbing {
			return strings.TrimSuffix(function, " (inline)")
		}
	}
	return stack[0]
}

func ranked(m map[string]time.Duration) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if m[a] != m[b] {
			return int(m[b] - m[a])
		}
		return strings.Compare(a, b)
	})
	return names
}
