package main

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"understudy/bench/stage"
)

// shot is what came of so many requests to one contender.
type shot struct {
	perSecond float64
	cpu       time.Duration // of the proxy for one request
}

// burst is a load: so many requests, whatever time they take.
type burst struct {
	requests, connections int
	body                  string // file to POST; empty: GET
}

// fire sends the burst and reads the contender's CPU time before and after. Every request must be answered with 2xx.
func (c *contender) fire(ctx context.Context, b burst) (shot, error) {
	before, err := c.cpu()
	if err != nil {
		return shot{}, err
	}
	_, rest := cores()
	out, err := stage.Run(ctx, stage.Command{Name: "h2load against " + c.name, Args: b.h2load(c.url), Cores: rest})
	if err != nil {
		return shot{}, err
	}
	after, err := c.cpu()
	if err != nil {
		return shot{}, err
	}
	perSecond, err := readH2load(out.Out, b.requests)
	if err != nil {
		return shot{}, fmt.Errorf("%s: %w", c.name, err)
	}
	return shot{perSecond, (after - before) / time.Duration(b.requests)}, nil
}

func (c *contender) cpu() (time.Duration, error) {
	if c.process == nil {
		return 0, nil
	}
	return stage.CPU(c.process.PID)
}

func (b burst) h2load(url string) []string {
	args := []string{"h2load", "--h1", "-t", "1", "-n", strconv.Itoa(b.requests), "-c", strconv.Itoa(b.connections)}
	if b.body != "" {
		args = append(args, "-d", b.body, "-H", "content-type: application/json")
	}
	return append(args, url)
}

// readH2load finds the throughput in h2load's report, provided that all went well.
func readH2load(out string, requests int) (perSecond float64, err error) {
	if good, err := number(out, `status codes: (\d+) 2xx`); err != nil || int(good) != requests {
		return 0, fmt.Errorf("not all of %d requests were answered with 2xx:\n%s", requests, out)
	}
	return number(out, `finished in [^,]*, ([\d.]+) req/s`)
}

// number is the first group of pattern in text.
func number(text, pattern string) (float64, error) {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q does not occur in:\n%s", pattern, text)
	}
	return strconv.ParseFloat(m[1], 64)
}

// best is the least CPU and the highest throughput of all shots: a disturbance only ever makes either worse.
func best(shots []shot) shot {
	b := shot{cpu: math.MaxInt64}
	for _, s := range shots {
		b.perSecond, b.cpu = max(b.perSecond, s.perSecond), min(b.cpu, s.cpu)
	}
	return b
}
