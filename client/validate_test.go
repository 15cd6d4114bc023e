package client

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestLegalOptionsPass(t *testing.T) {
	for name, o := range map[string]Options{
		"nothing":       {},
		"closed loop":   {N: 1000, Concurrency: 10, Target: "http://localhost:8080/prefix/"},
		"open loop":     {Rate: 0.5, Duration: time.Minute, Shape: ShapeStep},
		"trace":         {Trace: "x.csv", Speed: 10, Mix: Mix{{"mult", 1}}},
		"own requests":  {Method: "PUT", Bodies: map[string][]byte{"pdf": nil}, Header: http.Header{"X-A": {"b\tc"}}},
		"https by name": {Target: "https://example.com"},
		"ipv6":          {Target: "http://[::1]:8080"},
	} {
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := o.withDefaults().Validate(); err != nil {
			t.Errorf("%s, with defaults: %v", name, err)
		}
	}
}

func TestIllegalOptionsAreNamedWithTheirValueAndWhatIsLegal(t *testing.T) {
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{N: -5}, "n is -5: legal is 1 to 1000000000 requests"},
		{Options{Duration: -time.Second}, "duration is -1s: legal is"},
		{Options{Duration: 1000 * time.Hour}, "duration is 1000h0m0s"},
		{Options{Concurrency: -1}, "concurrency is -1: legal is 1 to 10000 callers"},
		{Options{Rate: -1}, "rate is -1: legal is more than 0"},
		{Options{Rate: math.NaN()}, "rate is NaN"},
		{Options{Rate: math.Inf(1)}, "rate is +Inf"},
		{Options{Trace: "x", Speed: -1}, "speed is -1"},
		{Options{Speed: 2}, "speed is 2 without a trace"},
		{Options{Timeout: -1}, "timeout is -1ns"},
		{Options{Grace: 2 * time.Hour}, "grace is 2h0m0s"},
		{Options{MaxInFlight: -1}, "max in flight is -1"},
		{Options{Rate: 1, Shape: "zigzag"}, `shape is "zigzag": legal is constant, step, ramp, sine, spike, burst`},
		{Options{Shape: ShapeStep}, `shape is "step" without a rate`},
		{Options{Rate: 1, Concurrency: 2}, "concurrency is 2 and rate is 1"},
		{Options{Trace: "x", Rate: 1}, "trace is x and rate is 1"},
		{Options{Trace: "x", Concurrency: 1}, "trace is x and concurrency is 1"},
		{Options{Target: "localhost:8080"}, `target is "localhost:8080": legal is http://host:port`},
		{Options{Target: "http://"}, "names no host"},
		{Options{Target: "http://h\x7f"}, "is no URL"},
		{Options{Target: "http://h/?x=1"}, "without user, query or fragment"},
		{Options{Method: "GET IT"}, `method is "GET IT"`},
		{Options{Header: http.Header{"a b": {"c"}}}, `header is "a b"`},
		{Options{Header: http.Header{"Content-Length": {"5"}}}, "header Content-Length is given: leave it out"},
		{Options{Header: http.Header{"transfer-encoding": {"chunked"}}}, "header transfer-encoding is given: leave it out"},
		{Options{Header: http.Header{"Host": {"a b"}}}, `header Host is "a b": legal is one name`},
		{Options{Header: http.Header{"Host": {"a", "b"}}}, `header Host is "a, b"`},
		{Options{Header: http.Header{"Host": {""}}}, `header Host is ""`},
		{Options{Header: http.Header{"A": {"b\r\nc"}}}, `header A is "b\r\nc"`},
		{Options{Bodies: map[string][]byte{"..": nil}}, `capability of a body is ".."`},
		{Options{Method: "GET", Bodies: map[string][]byte{"": nil}}, "method is GET and a body is given"},
		{Options{Mix: Mix{{"a/b", 1}}}, `mix is "a/b"`},
		{Options{Mix: Mix{{"mult", 0}}}, `weight of mult is "0"`},
		{Options{Mix: make(Mix, 101)}, "101 capabilities"},
	} {
		err := c.options.Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.options, err, c.want)
		}
	}
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	err := Options{N: -1, Rate: -2, Timeout: -3, Target: "ftp://x"}.Validate()
	for _, want := range []string{"n is -1", "rate is -2", "timeout is -3ns", `target is "ftp://x"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != 4 {
		t.Errorf("%d problems, want 4: %v", lines, err)
	}
}

func TestARunAlwaysHasAnEnd(t *testing.T) {
	for name, c := range map[string]struct {
		in       Options
		n        int
		duration time.Duration
	}{
		"closed loop":             {Options{}, DefaultN, 0},
		"closed loop, for a time": {Options{Duration: time.Minute}, 0, time.Minute},
		"open loop":               {Options{Rate: 1}, 0, DefaultDuration},
		"open loop, so many":      {Options{Rate: 1, N: 7}, 7, 0},
		"trace":                   {Options{Trace: "x"}, 0, 0},
	} {
		got := c.in.withDefaults()
		if got.N != c.n || got.Duration != c.duration {
			t.Errorf("%s: n %d, duration %v", name, got.N, got.Duration)
		}
	}
}

func TestAnOpenLoopSendsWhatItsBoundsAllow(t *testing.T) {
	for _, c := range []struct {
		name    string
		options Options
		want    int
	}{
		{"by time", Options{Rate: 10, Duration: 3 * time.Second}, 30},
		{"by number", Options{Rate: 10, N: 7}, 7},
		{"number before time", Options{Rate: 10, N: 7, Duration: 3 * time.Second}, 7},
		{"time before number", Options{Rate: 10, N: 70, Duration: 3 * time.Second}, 30},
		{"a shape by number", Options{Rate: 10, N: 70, Shape: ShapeStep}, 70},
		{"a shape by time", Options{Rate: 100, Duration: 100 * time.Second, Shape: ShapeStep}, 4_400},
	} {
		if got := drainSource(t, c.options); got != c.want {
			t.Errorf("%s: %d requests, want %d", c.name, got, c.want)
		}
	}
}
