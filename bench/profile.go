package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
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
		out, _, err := stage.Run(ctx, stage.Command{Name: "go tool pprof", Args: []string{"go", "tool", "pprof", "-traces", *binary, fs.Arg(0)}})
		if err != nil {
			return err
		}
		samples, err := readTraces(string(out))
		if err != nil {
			return err
		}
		printShares(samples)
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

func printShares(samples []sample) {
	shares, leaves := map[string]time.Duration{}, map[string]map[string]time.Duration{}
	var total time.Duration
	for _, s := range samples {
		kind := kindOf(s.stack)
		total += s.took
		shares[kind] += s.took
		if leaves[kind] == nil {
			leaves[kind] = map[string]time.Duration{}
		}
		leaves[kind][s.stack[0]] += s.took
	}
	t := table{title: fmt.Sprintf("Where %v of CPU time went", total), columns: []string{"", "share", "most of it in"}}
	for _, kind := range ranked(shares) {
		inner := ranked(leaves[kind])
		t.add(kind, fmt.Sprintf("%.1f %%", 100*float64(shares[kind])/float64(total)), strings.Join(inner[:min(3, len(inner))], ", "))
	}
	t.print(os.Stdout)
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
