package main

import (
	"strings"
	"testing"
	"time"
)

const h2loadSaid = `starting benchmark...
finished in 1.69s, 17756.31 req/s, 3.05MB/s
requests: 30000 total, 30000 started, 30000 done, 30000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 30000 2xx, 0 3xx, 0 4xx, 0 5xx
`

func TestTheThroughputIsReadFromAReportWithoutFailures(t *testing.T) {
	got, err := readH2load(h2loadSaid, 30_000)
	if err != nil || got != 17756.31 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestAShotThatWasNotAnsweredInFullCountsForNothing(t *testing.T) {
	for name, said := range map[string]string{
		"some refused": strings.Replace(h2loadSaid, "codes: 30000 2xx, 0 3xx, 0 4xx, 0 5xx", "codes: 29999 2xx, 0 3xx, 0 4xx, 1 5xx", 1),
		"nothing said": "",
	} {
		if got, err := readH2load(said, 30_000); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestTheBestShotIsTheLeastCPUAndTheHighestThroughput(t *testing.T) {
	got := best([]shot{{100, 3 * time.Microsecond}, {300, time.Microsecond}, {200, 2 * time.Microsecond}})
	if want := (shot{300, time.Microsecond}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
