package worker

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// longest is the most a single task may take, whoever asks.
const longest = 10 * time.Minute

// Range is how long tasks take: each one a length drawn evenly from Min to Max, both included. Written "50ms..150ms", or "80ms" when
// both ends are the same; from 0s to 10m. It is a pflag.Value.
type Range struct {
	Min, Max time.Duration
}

// Set reads s in place of what the range was. On an error the range stays as it was.
func (r *Range) Set(s string) error {
	low, high, two := strings.Cut(s, "..")
	if !two {
		high = low
	}
	var read Range
	var err error
	if read.Min, err = time.ParseDuration(strings.TrimSpace(low)); err != nil {
		return rangeError()
	}
	if read.Max, err = time.ParseDuration(strings.TrimSpace(high)); err != nil {
		return rangeError()
	}
	if err := read.validate(); err != nil {
		return err
	}
	*r = read
	return nil
}

// String is what Set reads.
func (r *Range) String() string {
	if r.Min == r.Max {
		return r.Min.String()
	}
	return r.Min.String() + ".." + r.Max.String()
}

// Type is what the help of a flag calls such a value.
func (r *Range) Type() string { return "range" }

func (r *Range) validate() error {
	if r.Min < 0 || r.Min > r.Max || r.Max > longest {
		return rangeError()
	}
	return nil
}

func rangeError() error {
	return fmt.Errorf("it must be two durations such as 50ms..150ms, the first not longer than the second, from 0s to %s", longest)
}

func (r *Range) pick() time.Duration {
	return r.Min + rand.N(r.Max-r.Min+1)
}
