package client

import (
	"cmp"
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
)

// CSVColumns are the columns of WriteCSV, in order. New ones are added at the end.
//
// scope is one of total, from_send, queue, service, schedule_error (one row each, in this order), then capability, worker, start,
// status and cause, one row for each name, sorted by name, then slice, one row for each of Series in order, named by its beginning in
// seconds. A cell that does not apply is empty. Times are in milliseconds, but for duration_s.
func CSVColumns() []string {
	return []string{
		"scope", "name", "count", "errors", "rate", "duration_s",
		"p50_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms", "max_ms", "mean_ms",
	}
}

// WriteCSV writes the report as CSV with a header; see CSVColumns.
func (r *Report) WriteCSV(w io.Writer) error {
	total := []string{"total", "", strconv.Itoa(r.Count), strconv.Itoa(r.Errors), decimal(r.Rate), decimal(r.DurationS)}
	rows := [][]string{
		CSVColumns(),
		append(total, cells(r.Latency)...),
		append([]string{"from_send", "", "", "", "", ""}, cells(r.FromSend)...),
		append([]string{"queue", "", "", "", "", ""}, cells(r.Queue)...),
		append([]string{"service", "", "", "", "", ""}, cells(r.Service)...),
		{"schedule_error", "", "", "", "", "", decimal(r.ScheduleError.P50), "", "", decimal(r.ScheduleError.P99), "", "", ""},
	}
	for name, c := range sorted(r.Capabilities) {
		row := []string{"capability", name, strconv.Itoa(c.Count), strconv.Itoa(c.Errors), "", ""}
		rows = append(rows, append(row, cells(c.Latency)...))
	}
	for id, n := range sorted(r.Workers) {
		rows = append(rows, countRow("worker", id, n.Count))
	}
	for start, n := range sorted(map[string]int{"cold": r.Starts.Cold, "spare": r.Starts.Spare, "warm": r.Starts.Warm}) {
		rows = append(rows, countRow("start", start, n))
	}
	for status, n := range sorted(r.Statuses) {
		rows = append(rows, countRow("status", strconv.Itoa(status), n))
	}
	for cause, n := range sorted(r.ErrorsByCause) {
		rows = append(rows, countRow("cause", string(cause), n))
	}
	for _, s := range r.Series.Slices {
		rows = append(rows, sliceRow(s, r.Series.SliceS))
	}
	return csv.NewWriter(w).WriteAll(rows)
}

func sliceRow(s Slice, lasts float64) []string {
	row := []string{"slice", decimal(s.At), strconv.Itoa(s.Count), strconv.Itoa(s.Errors), decimal(s.Rate), decimal(lasts)}
	if s.Measured == 0 {
		return append(row, "", "", "", "", "", "", "")
	}
	return append(row, decimal(s.P50), "", decimal(s.P95), decimal(s.P99), "", decimal(s.Max), "")
}

func countRow(scope, name string, n int) []string {
	row := make([]string, len(CSVColumns()))
	row[0], row[1], row[2] = scope, name, strconv.Itoa(n)
	return row
}

func cells(l Latency) []string {
	return []string{
		decimal(l.P50), decimal(l.P90), decimal(l.P95), decimal(l.P99), decimal(l.P999), decimal(l.Max), decimal(l.Mean),
	}
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// sorted ranges over m in the order of its keys, so that the same report always reads the same.
func sorted[K cmp.Ordered, V any](m map[K]V) func(yield func(K, V) bool) {
	return func(yield func(K, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
