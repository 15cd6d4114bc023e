package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"understudy/bench/stage"
)

// onMachine makes a race say where its figures come from: what else the machine was doing matters most.
func onMachine(race func(context.Context, *stage.Stage) error) func(context.Context, *stage.Stage) error {
	return func(ctx context.Context, s *stage.Stage) error {
		others, err := stage.WatchOthers()
		if err != nil {
			return err
		}
		fmt.Printf("%d cores, %s\n", runtime.NumCPU(), cpuModel())
		if err := errors.Join(race(ctx, s), s.Close()); err != nil { // closed, so that all that was started has been counted
			return err
		}
		share, err := others.Share()
		fmt.Printf("\nWhat the race did not start took %.0f %% of this machine meanwhile; much of that makes every figure worse, and the ratios less sure.\n", 100*share)
		return err
	}
}

func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// cores says where what is raced runs, and where everything around it does. With fewer than four they share: the scheduler does better
// than any fixed split of two cores would.
func cores() (raced, rest string) {
	if runtime.NumCPU() < 4 {
		return "", ""
	}
	return "0,1", fmt.Sprintf("2-%d", runtime.NumCPU()-1)
}
