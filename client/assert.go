package client

import (
	"fmt"
	"strconv"
	"strings"
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

// Outcome is an assertion and what the report says to it.
type Outcome struct {
	Text string `json:"text"` // the clause as written
	OK   bool   `json:"ok"`   // it holds
	Got  string `json:"got"`  // in words, as in "p95 was 412 ms"
}

// Check compares assertions with the report, and keeps what came of it in r.Assertions for whoever writes the report.
func (r *Report) Check(assertions []Assertion) []Outcome {
	r.Assertions, r.limits = make([]Outcome, len(assertions)), nil
	for i, a := range assertions {
		ok, got := a.check(r)
		if a.limitsLatency() {
			r.limits = append(r.limits, a.Value)
		}
		r.Assertions[i] = Outcome{Text: a.Text, OK: ok, Got: got}
	}
	return r.Assertions
}

// limitsLatency tells whether a says how slow the whole run may be at most: a line in a picture of it.
func (a Assertion) limitsLatency() bool {
	return a.Capability == "" && (a.Op == "<" || a.Op == "<=") && strings.HasPrefix(a.Metric, "p")
}

// Failed checks every assertion against the report and explains each that does not hold in one line, as in
// "p95<300ms: p95 was 412 ms". Empty: all hold.
func Failed(assertions []Assertion, r *Report) []string {
	var failed []string
	for _, a := range assertions {
		if ok, got := a.check(r); !ok {
			failed = append(failed, a.Text+": "+got)
		}
	}
	return failed
}

// check tells whether a holds, and what was measured in words.
func (a Assertion) check(r *Report) (ok bool, got string) {
	of := measured{r.Count, r.Errors, r.Rate, r.Latency}
	if a.Capability != "" {
		c, ok := r.Capabilities[a.Capability]
		if !ok {
			return false, fmt.Sprintf("no request went to %s", a.Capability)
		}
		of = measured{c.Count, c.Errors, c.Rate, c.Latency}
	}
	v, unit, ok := of.metric(a.Metric, a.Percent)
	if !ok {
		return false, "there was no answer to measure"
	}
	return compare(v, a.Op, a.Value), fmt.Sprintf("%s was %s%s", a.Metric, strconv.FormatFloat(v, 'f', -1, 64), unit)
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
