package client

import (
	"fmt"
	"strconv"
)

// Assertion is one clause of --assert, such as p95<300ms or mult.errors=0.
type Assertion struct {
	Text       string // as written
	Capability string // empty: of the whole run
	Metric     string // p50 p90 p95 p99 p99.9 max mean (milliseconds), count, errors, rate
	Op         string // < <= = >= >
	Value      float64
	Percent    bool // Value is a share of the requests in percent; errors only
}

// Failed checks every assertion against the report and explains each that does not hold in one line, as in
// "p95<300ms: p95 was 412 ms". Empty: all hold.
func Failed(assertions []Assertion, r *Report) []string {
	var failed []string
	for _, a := range assertions {
		if why := a.check(r); why != "" {
			failed = append(failed, a.Text+": "+why)
		}
	}
	return failed
}

// check says why a does not hold; empty when it does.
func (a Assertion) check(r *Report) string {
	of := measured{r.Count, r.Errors, r.Rate, r.Latency}
	if a.Capability != "" {
		c, ok := r.Capabilities[a.Capability]
		if !ok {
			return fmt.Sprintf("no request went to %s", a.Capability)
		}
		of = measured{c.Count, c.Errors, c.Rate, c.Latency}
	}
	got, unit, ok := of.metric(a.Metric, a.Percent)
	if !ok {
		return "there was no answer to measure"
	}
	if compare(got, a.Op, a.Value) {
		return ""
	}
	return fmt.Sprintf("%s was %s%s", a.Metric, strconv.FormatFloat(got, 'f', -1, 64), unit)
}

// measured is what an assertion can be about: a run or one capability of it.
type measured struct {
	count, errors int
	rate          float64
	latency       Latency
}

// metric is the value and its unit; false when there is nothing to measure it by.
func (m measured) metric(name string, percent bool) (v float64, unit string, ok bool) {
	switch name {
	case "count":
		return float64(m.count), "", true
	case "errors":
		if !percent {
			return float64(m.errors), "", true
		}
		if m.count == 0 {
			return 0, "", false
		}
		return round3(100 * float64(m.errors) / float64(m.count)), " %", true
	case "rate":
		return m.rate, "/s", true
	}
	v = map[string]float64{
		"p50": m.latency.P50, "p90": m.latency.P90, "p95": m.latency.P95, "p99": m.latency.P99, "p99.9": m.latency.P999,
		"max": m.latency.Max, "mean": m.latency.Mean,
	}[name]
	return v, " ms", m.latency != Latency{}
}

func compare(got float64, op string, want float64) bool {
	switch op {
	case "<":
		return got < want
	case "<=":
		return got <= want
	case "=":
		return got == want
	case ">=":
		return got >= want
	}
	return got > want
}
