package client

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a report with something of everything.
func sample() *Report {
	r := newRecorder()
	for i := range 1000 {
		x := Result{
			Capability: "mult", Intended: time.Duration(i) * 10 * time.Millisecond, Status: 200, Start: "warm",
			Worker: fmt.Sprintf("w%d", i%3), Latency: time.Duration(100+i%50) * time.Millisecond,
			Queue: time.Duration(i%5) * time.Millisecond, Service: 98 * time.Millisecond,
		}
		x.Actual = x.Intended + time.Duration(i%2)*500*time.Microsecond
		switch {
		case i == 10:
			x.Start = "cold"
		case i%100 == 50:
			x.Start = "spare"
		case i%250 == 1:
			x.Status, x.Cause, x.Detail, x.Start = 503, Status, "503 queue-full: the queue is full", ""
		case i == 700:
			x = Result{Capability: "mult", Intended: x.Intended, Actual: x.Actual, Latency: time.Millisecond, Cause: Connect,
				Detail: "dial tcp 127.0.0.1:8080: connect: connection refused", Queue: -1, Service: -1}
		}
		if i%3 == 0 {
			x.Capability = "add"
		}
		r.record(x)
	}
	o := Options{Target: "http://127.0.0.1:8080", Rate: 100}
	report := r.report(o, plan{words: "open loop, step to 100/s over 10s"}, false)
	report.Check([]Assertion{{Text: "p95<300ms", Metric: "p95", Op: "<", Value: 300}, {Text: "errors=0", Metric: "errors", Op: "="}})
	return report
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has changed; if that is meant, run the test with -update\n%s", name, got)
	}
}

func TestTheReportReadsAsItAlwaysDid(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"report.json": sample().WriteJSON,
		"report.csv":  sample().WriteCSV,
		"report.txt":  func(w io.Writer) error { return sample().WriteText(w, false) },
	} {
		var got bytes.Buffer
		if err := write(&got); err != nil {
			t.Fatal(err)
		}
		golden(t, name, got.Bytes())
	}
}

func TestTheJSONHasWhatTheContractNames(t *testing.T) {
	for name, r := range map[string]*Report{"full": sample(), "empty": newRecorder().report(Options{}, plan{}, false)} {
		var text bytes.Buffer
		if err := r.WriteJSON(&text); err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(text.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		latency := []string{"p50", "p90", "p95", "p99", "p99_9", "max", "mean"}
		for key, fields := range map[string][]string{
			"count": nil, "errors": nil, "duration_s": nil, "rate": nil, "latency_ms": latency, "queue_ms": latency, "service_ms": latency,
			"schedule_error_ms": {"p50", "p99"}, "capabilities": {}, "workers": {}, "starts": {"warm", "spare", "cold"}, "statuses": {},
			"errors_by_cause": {"connect", "timeout", "reset", "protocol", "status", "wrong-result", "client-overload", "interrupted"},
		} {
			v, ok := got[key]
			if fields != nil {
				var object map[string]any
				if object, ok = v.(map[string]any); ok {
					for _, f := range fields {
						if _, there := object[f].(float64); !there {
							t.Errorf("%s: %s.%s is missing or no number", name, key, f)
						}
					}
				}
			}
			if !ok {
				t.Errorf("%s: %s is missing or null", name, key)
			}
		}
	}
}

func TestEveryRowOfTheCSVHasEveryColumn(t *testing.T) {
	var text bytes.Buffer
	if err := sample().WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&text).ReadAll() // refuses rows of unequal length
	if err != nil || len(rows) < 20 || len(rows[0]) != len(CSVColumns()) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestTheTextSaysWhatWentWrong(t *testing.T) {
	overloaded, late := sample(), sample()
	overloaded.KeptUp, overloaded.ErrorsByCause[Overload] = false, 1
	late.KeptUp, late.ScheduleError.P99 = false, 123
	interrupted := sample()
	interrupted.Interrupted = true
	crowd := sample()
	for i := range 100 {
		crowd.Workers[fmt.Sprintf("crowd%d", i)] = WorkerReport{Count: 1}
	}
	for _, c := range []struct {
		report *Report
		want   string
	}{
		{overloaded, "The client did not send 1 request because too many were in flight"},
		{late, "could not keep up: one request in a hundred left more than 123 ms late"},
		{interrupted, "interrupted before its end"},
		{crowd, "and 63 more"},
		{newRecorder().report(Options{Target: "http://x"}, plan{words: "closed loop"}, true), "0 requests to http://x"},
	} {
		var text strings.Builder
		if err := c.report.WriteText(&text, false); err != nil || !strings.Contains(text.String(), c.want) {
			t.Errorf("%v: %q is missing in\n%s", err, c.want, &text)
		}
		if strings.Contains(text.String(), "\x1b") || strings.Contains(text.String(), "NaN") {
			t.Errorf("colour nobody asked for, or no number:\n%s", &text)
		}
	}
	var colourful strings.Builder
	if err := sample().WriteText(&colourful, true); err != nil || !strings.Contains(colourful.String(), red+"5 errors") {
		t.Errorf("%v: no colour in\n%s", err, &colourful)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestAReportThatCannotBeWrittenIsAnError(t *testing.T) {
	r := sample()
	for name, err := range map[string]error{"text": r.WriteText(full{}, false), "json": r.WriteJSON(full{}), "csv": r.WriteCSV(full{}), "html": r.WriteHTML(full{})} {
		if err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
