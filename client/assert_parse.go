package client

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	legalMetrics   = "p50 p90 p95 p99 p99.9 max mean count errors rate"
	legalOperators = "< <= = >= >"
)

// ParseAssertions reads clauses separated by commas: [capability.]metric operator value. Latencies need a unit (300ms, 1.5s); errors
// may be a share (errors<1%). Every problem is reported at once, each with its character and what is legal there.
func ParseAssertions(s string) ([]Assertion, error) {
	var all []Assertion
	var wrong []error
	at := 0
	for clause := range strings.SplitSeq(s, ",") {
		a, offset, err := parseAssertion(clause)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("assert %q, character %d: %w", s, at+offset+1, err))
		}
		all = append(all, a)
		at += len(clause) + 1
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return all, nil
}

// parseAssertion also returns how far into the clause the problem is.
func parseAssertion(clause string) (Assertion, int, error) {
	indent := len(clause) - len(strings.TrimLeft(clause, " "))
	opAt := strings.IndexAny(clause, "<=>!~")
	if opAt < 0 {
		return Assertion{}, indent, fmt.Errorf("%q has no operator; legal is metric operator value, as in p95<300ms, with %s",
			strings.TrimSpace(clause), legalOperators)
	}
	valueAt := opAt + len(clause[opAt:]) - len(strings.TrimLeft(clause[opAt:], "<=>!~"))
	a := Assertion{Text: strings.TrimSpace(clause), Op: clause[opAt:valueAt]}
	if !slices.Contains(strings.Fields(legalOperators), a.Op) {
		return Assertion{}, opAt, fmt.Errorf("%q is no operator; legal are %s", a.Op, legalOperators)
	}
	var ok bool
	if a.Capability, a.Metric, ok = splitMetric(strings.TrimSpace(clause[:opAt])); !ok {
		return Assertion{}, indent, fmt.Errorf("%q is no metric; legal are %s, each also with a capability before it, as in mult.p99",
			strings.TrimSpace(clause[:opAt]), legalMetrics)
	}
	err := a.parseValue(strings.TrimSpace(clause[valueAt:]))
	return a, valueAt, err
}

// splitMetric splits mult.p99.9 into mult and p99.9: at the first dot that has a metric behind it.
func splitMetric(s string) (capability, metric string, ok bool) {
	metrics := strings.Fields(legalMetrics)
	if slices.Contains(metrics, s) {
		return "", s, true
	}
	for i := range s {
		if s[i] == '.' && i > 0 && slices.Contains(metrics, s[i+1:]) {
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}

func (a *Assertion) parseValue(s string) error {
	switch a.Metric {
	case "count", "errors", "rate":
		number := s
		if a.Metric == "errors" {
			number, a.Percent = strings.CutSuffix(s, "%")
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(v >= 0) {
			legal := "a number from 0"
			if a.Metric == "errors" {
				legal += ", or a share such as 1%"
			}
			return fmt.Errorf("%q is no value for %s; legal is %s", s, a.Metric, legal)
		}
		a.Value = v
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || s == "0" {
		return fmt.Errorf("%q is no value for %s; legal is a time with its unit, such as 300ms or 1.5s", s, a.Metric)
	}
	a.Value = float64(d) / float64(time.Millisecond)
	return nil
}
