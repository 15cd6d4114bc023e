package client

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// timing is what a Server-Timing header says of where the time went. A part it does not mention is negative.
type timing struct {
	queue, service time.Duration
}

// parseTiming reads "queue;dur=1.2, service;dur=103.4" (W3C Server-Timing; durations in milliseconds). Unknown metrics and
// parameters, and whatever is malformed, are passed over: the header is a courtesy, not a promise.
func parseTiming(header string) timing {
	t := timing{queue: -1, service: -1}
	for header != "" {
		var metric string
		metric, header, _ = strings.Cut(header, ",")
		name, parameters, _ := strings.Cut(metric, ";")
		switch strings.TrimSpace(name) {
		case "queue":
			t.queue = parseDur(parameters)
		case "service":
			t.service = parseDur(parameters)
		}
	}
	return t
}

func parseDur(parameters string) time.Duration {
	for parameters != "" {
		var parameter string
		parameter, parameters, _ = strings.Cut(parameters, ";")
		key, value, _ := strings.Cut(parameter, "=")
		if strings.TrimSpace(key) != "dur" {
			continue
		}
		ms, err := strconv.ParseFloat(strings.Trim(strings.TrimSpace(value), `"`), 64)
		if err != nil || !(ms >= 0) || ms > maxDuration.Seconds()*1000 {
			return -1
		}
		return time.Duration(math.Round(ms * float64(time.Millisecond)))
	}
	return -1
}
