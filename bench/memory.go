package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"understudy/bench/stage"
)

// memoryRace replays a short and a long trace at the same rate: what the client holds must not grow with the number of rows.
func memoryRace(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	binary := fs.String("understudy", "bin/understudy", "the binary")
	short := fs.Int("short", 10_000, "rows of the short trace")
	long := fs.Int("long", 1_000_000, "rows of the long trace")
	rate := fs.Float64("rate", 5000, "requests per second, within what this machine can do without falling behind")
	return func(ctx context.Context, s *stage.Stage) error {
		if err := stage.Need("taskset"); err != nil {
			return err
		}
		address, err := startBackend(ctx, s, "backend")
		if err != nil {
			return err
		}
		t := table{
			title:   fmt.Sprintf("Replay of a trace at %.0f requests/s", *rate),
			columns: []string{"rows", "largest RSS MiB", "÷ short", "took s", "client's own lateness p99 ms"},
		}
		var peaks []int64
		for _, rows := range []int{*short, *long} {
			// Ten rows a second, because a trace lasts a week at most, played as much faster as it takes.
			path := filepath.Join(s.Dir, fmt.Sprintf("%d.csv", rows))
			if err := writeTrace(path, rows); err != nil {
				return err
			}
			began := time.Now()
			r, o, err := runOurs(ctx, *binary, "", "--target", "http://"+address, "--trace", path, "--speed", fmt.Sprint(*rate/10))
			if err != nil {
				return err
			}
			if r.Count != rows {
				return fmt.Errorf("%d rows were replayed as %d requests", rows, r.Count)
			}
			peaks = append(peaks, o.Peak)
			t.add(fmt.Sprint(rows), fmt.Sprintf("%.1f", float64(o.Peak)/(1<<20)), ratio(float64(o.Peak), float64(peaks[0])),
				fmt.Sprintf("%.0f", time.Since(began).Seconds()), ms(r.ScheduleError.P99))
			if !r.KeptUp {
				fmt.Println("  the client fell behind, so that more was in flight than planned: choose a lower -rate")
			}
		}
		t.print(os.Stdout)
		return nil
	}
}

// writeTrace makes a trace with ten rows for each second, of ten kinds.
func writeTrace(path string, rows int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "t,duration_ms,kind")
	for n := range rows {
		fmt.Fprintf(w, "%d.%d,%d,kind-%d\n", n/10, n%10, n%100, n%10)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
