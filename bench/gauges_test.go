package main

import (
	"io"
	"strings"
	"testing"
)

// run4 is readings of a gauge whose quarters stay at these values.
func run4(a, b, c, d float64) (all []float64) {
	for _, v := range []float64{a, b, c, d} {
		for range 5 {
			all = append(all, v)
		}
	}
	return all
}

func TestOnlyGrowthFromTheSecondQuarterToTheLastBeyondNoiseFails(t *testing.T) {
	flat := run4(10, 10, 10, 10)
	for _, c := range []struct {
		name  string
		fds   []float64
		fails bool
	}{
		{"flat", flat, false},
		{"grows while it warms up", run4(10, 500, 500, 500), false},
		{"shrinks", run4(10, 500, 100, 50), false},
		{"within the noise", run4(100, 100, 110, 130), false},
		{"leaks", run4(100, 100, 120, 131), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &soak{gauges: gauges{readings: [][]float64{c.fds, flat, flat, flat}}}
			err := k.verdict(io.Discard)
			if (err != nil) != c.fails {
				t.Fatal(err)
			}
			if c.fails && !strings.Contains(err.Error(), "fds grew from 100.0 to 131.0") {
				t.Error(err)
			}
		})
	}
}

func TestARunThatEndedAtOnceSaysNothing(t *testing.T) {
	if _, _, err := quarters(make([]float64, 11)); err == nil {
		t.Error("eleven readings are called enough")
	}
}

// A hiccup that opens connections for a while is no leak; a quiet moment with more than before is one.
func TestTheQuietestMomentsAreCompared(t *testing.T) {
	readings := run4(10, 10, 1000, 1000)
	readings[16] = 11
	second, last, err := quarters(readings)
	if err != nil || second != 10 || last != 11 {
		t.Errorf("%v, %v, %v", second, last, err)
	}
}
