package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"understudy/bench/stage"
)

// gauge is something that must not grow.
type gauge struct {
	name  string
	slack float64 // what it may grow beyond a tenth: the noise of it
	read  func(context.Context, *soak) (float64, error)
}

// gauges are readings of every gauge at intervals.
type gauges struct {
	readings [][]float64 // of each gauge
}

func watched() []gauge {
	return []gauge{
		{"fds", 20, func(_ context.Context, k *soak) (float64, error) {
			n, err := stage.FDs(k.process.PID)
			return float64(n), err
		}},
		{"goroutines", 40, func(ctx context.Context, k *soak) (float64, error) {
			status, text, err := stage.Get(ctx, "http://"+k.admin+"/metrics")
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("/metrics answered %d", status)
			}
			if err != nil {
				return 0, err
			}
			return number(text, `(?m)^go_goroutines (\d+)`)
		}},
		{"RSS MiB", 8, func(_ context.Context, k *soak) (float64, error) {
			rss, err := stage.RSS(k.process.PID)
			return float64(rss) / (1 << 20), err
		}},
		{"docker-proxies", 3, func(_ context.Context, k *soak) (float64, error) {
			n, err := stage.CountArgs("docker-proxy", k.ownPort)
			return float64(n), err
		}},
	}
}

// ownPort tells whether an argument is one of the ports for our workers.
func (k *soak) ownPort(arg string) bool {
	port, err := strconv.Atoi(arg)
	return err == nil && port >= k.from && port <= k.to
}

// watch reads every gauge forty times over the run and prints what it sees.
func (k *soak) watch(ctx context.Context) error {
	all := watched()
	k.readings = make([][]float64, len(all))
	names := []string{}
	for _, g := range all {
		names = append(names, fmt.Sprintf("%16s", g.name))
	}
	fmt.Printf("\n  %10s%s\n", "elapsed", strings.Join(names, ""))
	began := time.Now()
	ticker := time.NewTicker(k.lasts / 40)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return k.process.Alive()
		case <-ticker.C:
		}
		line := fmt.Sprintf("  %10v", time.Since(began).Round(time.Second))
		for i, g := range all {
			v, err := g.read(ctx, k)
			if ctx.Err() != nil {
				return k.process.Alive()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", g.name, err)
			}
			k.readings[i] = append(k.readings[i], v)
			line += fmt.Sprintf("%16.1f", v)
		}
		fmt.Println(line)
	}
}

// verdict compares the last quarter with the second: the first is still filling what is filled once. It takes the lowest readings, because
// what leaks is there at quiet moments too, while one hiccup of the machine opens connections that stay for seconds.
func (k *soak) verdict(w io.Writer) error {
	t := table{title: "Lowest readings of the quarters", columns: []string{"", "second", "last", "allowed"}}
	var errs []error
	for i, g := range watched() {
		second, last, err := quarters(k.readings[i])
		if err != nil {
			return err
		}
		allowed := second*1.1 + g.slack
		t.add(g.name, fmt.Sprintf("%.1f", second), fmt.Sprintf("%.1f", last), fmt.Sprintf("%.1f", allowed))
		if last > allowed {
			errs = append(errs, fmt.Errorf("%s grew from %.1f to %.1f", g.name, second, last))
		}
	}
	t.print(w)
	return errors.Join(errs...)
}

// quarters is the lowest of the second and of the last quarter of readings.
func quarters(readings []float64) (second, last float64, err error) {
	n := len(readings) / 4
	if n < 3 {
		return 0, 0, fmt.Errorf("only %d readings: the run ended too early to say anything", len(readings))
	}
	return slices.Min(readings[n : 2*n]), slices.Min(readings[len(readings)-n:]), nil
}
