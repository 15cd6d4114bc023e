package client

import (
	"strings"
	"testing"
	"time"
)

func TestServerTimingIsReadLeniently(t *testing.T) {
	const ms = time.Millisecond
	for header, want := range map[string]timing{
		"":                                   {-1, -1},
		"queue;dur=1.2, service;dur=103.4":   {1200 * time.Microsecond, 103400 * time.Microsecond},
		"service;dur=5":                      {-1, 5 * ms},
		"queue;dur=0,service;dur=0":          {0, 0},
		` service ; desc="x" ; dur="7" ,cdn`: {-1, 7 * ms},
		"queue,service;dur=":                 {-1, -1},
		"queue;dur=-1, service;dur=NaN":      {-1, -1},
		"queue;dur=1e300, other;dur=3":       {-1, -1},
	} {
		if got := parseTiming(header); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestAnAnswerBecomesAResult(t *testing.T) {
	sum := &arithmetic{6, 7, '*'}
	for _, c := range []struct {
		name   string
		sum    *arithmetic
		answer answer
		cause  Cause
		detail string
	}{
		{"right", sum, answer{status: 200, body: []byte(`{"res":42,"duration":103,"id":"w"}`)}, OK, ""},
		{"right, as a float", sum, answer{status: 200, body: []byte(`{"res":42.0}`)}, OK, ""},
		{"right, with more behind", sum, answer{status: 200, body: []byte("{\"res\":42}\n")}, OK, ""},
		{"right, spaced out", sum, answer{status: 200, body: []byte(`{ "res": 42 }`)}, OK, ""},
		{"right at first", sum, answer{status: 200, body: []byte(`{"res":42,"res":43}`)}, WrongResult, "6*7 is 42"},
		{"right up to a point", sum, answer{status: 200, body: []byte(`{"res":42,oops}`)}, WrongResult, "6*7 is 42"},
		{"one digit more", sum, answer{status: 200, body: []byte(`{"res":421}`)}, WrongResult, "6*7 is 42"},
		{"wrong", sum, answer{status: 200, body: []byte(`{"res":41}`)}, WrongResult, `6*7 is 42, the answer was "{\"res\":41}"`},
		{"nearly", &arithmetic{6, 7, '+'}, answer{status: 200, body: []byte(`{"res":13.5}`)}, WrongResult, "6+7 is 13"},
		{"no result", sum, answer{status: 200, body: []byte(`{}`)}, WrongResult, "6*7 is 42"},
		{"a null", sum, answer{status: 200, body: []byte(`{"res":null}`)}, WrongResult, "6*7 is 42"},
		{"empty", sum, answer{status: 204}, WrongResult, "no JSON object"},
		{"not JSON", sum, answer{status: 200, body: []byte("42")}, WrongResult, "no JSON object"},
		{"nothing to check", nil, answer{status: 201, body: []byte("whatever")}, OK, ""},
		{"no success", sum, answer{status: 503, body: []byte(`{"title":"Full","detail":"the queue is full","code":"queue-full"}`)},
			Status, "503 queue-full: the queue is full"},
		{"no success, in short", nil, answer{status: 404, body: []byte(`{"title":"Not here"}`)}, Status, "404 Not here"},
		{"no success, in plain", nil, answer{status: 403, body: []byte("Already working\n")}, Status, "403 Already working"},
		{"elsewhere", nil, answer{status: 302}, Status, "302"},
		{"nothing but noise", nil, answer{status: 500, body: []byte("\x1b[2J" + strings.Repeat("x", 500))}, Status, "500  [2Jxxx"},
	} {
		var r Result
		r.answered(task{sum: c.sum}, c.answer)
		if r.Cause != c.cause || !strings.HasPrefix(r.Detail, c.detail) && !strings.Contains(r.Detail, c.detail) || r.Status != c.answer.status {
			t.Errorf("%s: %+v, want %q %q", c.name, r, c.cause, c.detail)
		}
		if strings.ContainsRune(r.Detail, '\x1b') || len(r.Detail) > detailLength+3 {
			t.Errorf("%s: the detail %q may not be shown", c.name, r.Detail)
		}
	}
}

func TestHeadersOfTheBalancerAreKept(t *testing.T) {
	var r Result
	r.answered(task{}, answer{status: 200, worker: "w\x1b7", start: "spare", timing: "queue;dur=1, service;dur=2"})
	if r.Worker != "w 7" || r.Start != "spare" || r.Queue != time.Millisecond || r.Service != 2*time.Millisecond {
		t.Errorf("%+v", r)
	}
	r = Result{}
	r.answered(task{}, answer{status: 200, worker: strings.Repeat("w", 1000), start: "lukewarm"})
	if len(r.Worker) > workerLength+3 || r.Start != "" || r.Queue >= 0 || r.Service >= 0 {
		t.Errorf("%+v", r)
	}
}
