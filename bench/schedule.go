package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"understudy/bench/stage"
)

// scheduleRace measures how late the client sends, against a server that answers at once.
func scheduleRace(fs *flag.FlagSet) func(context.Context, *stage.Stage) error {
	binary := fs.String("understudy", "bin/understudy", "the binary")
	lasts := fs.Duration("lasts", 10*time.Second, "of the load")
	rounds := fs.Int("rounds", 3, "the best counts")
	const perSecond = 1000
	return func(ctx context.Context, s *stage.Stage) error {
		if err := stage.Need("taskset"); err != nil {
			return err
		}
		address, err := startBackend(ctx, s, "backend")
		if err != nil {
			return err
		}
		t := table{title: fmt.Sprintf("Actual minus intended send at %d requests/s for %v", perSecond, *lasts), columns: []string{"round", "requests", "p50 ms", "p99 ms"}}
		least := 0.0
		for round := range *rounds {
			r, _, err := runOurs(ctx, *binary, "", "--target", "http://"+address, "--mix", "x=1", "--method", "GET",
				"--rate", fmt.Sprint(perSecond), "--duration", lasts.String())
			if err != nil {
				return err
			}
			late := r.ScheduleError
			t.add(fmt.Sprint(round+1), fmt.Sprint(r.Count), fmt.Sprintf("%.3f", late.P50), fmt.Sprintf("%.3f", late.P99))
			if round == 0 || late.P99 < least {
				least = late.P99
			}
		}
		t.print(os.Stdout)
		goal(os.Stdout, "p99", least, 2, true, " ms")
		return nil
	}
}
