package client

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestARequestLooksAsAskedFor(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusFound) // must not be followed
	}))
	defer server.Close()
	for _, c := range []struct {
		name    string
		options Options
		want    string
	}{
		{"by default", Options{}, "POST /mult application/json understudy-client 127.0.0.1 {}"},
		{"below a path", Options{Target: "/a%2Fb/c/"}, "POST /a%2Fb/c/mult application/json understudy-client 127.0.0.1 {}"},
		{"GET", Options{Method: "GET"}, "GET /mult  understudy-client 127.0.0.1 "},
		{"own headers", Options{Header: http.Header{"Host": {"x.org"}, "Content-Type": {"text/plain"}, "User-Agent": {"me"}}},
			"POST /mult text/plain me x.org {}"},
	} {
		c.options.Target = server.URL + c.options.Target
		s := mustSender(t, c.options)
		x := task{capability: "mult", body: []byte("{}")}
		if c.options.Method == "GET" {
			x.body = nil
		}
		a, err := s.send(t.Context(), x, callerWith(10))
		s.close()
		if err != nil || a.status != http.StatusFound {
			t.Errorf("%s: %v, %v", c.name, a, err)
			continue
		}
		host, _, _ := strings.Cut(got.Host, ":")
		seen := strings.Join([]string{got.Method, got.URL.EscapedPath(), got.Header.Get("Content-Type"), got.UserAgent(), host, string(body)}, " ")
		if seen != c.want || got.Header.Get("Accept-Encoding") != "" {
			t.Errorf("%s: %q, want %q", c.name, seen, c.want)
		}
	}
}

func TestTheWholeAnswerIsReadAndTheConnectionUsedAgain(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Understudy-Worker", "w7")
		w.Header().Set("X-Understudy-Start", "cold")
		w.Header().Add("Server-Timing", "queue;dur=1")
		w.Header().Add("Server-Timing", "service;dur=2")
		io.WriteString(w, strings.Repeat("0123456789", 100_000))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	s := mustSender(t, Options{Target: server.URL})
	defer s.close()
	c := callerWith(15)
	for range 5 {
		a, err := s.send(t.Context(), task{capability: "x"}, c)
		if err != nil || string(a.body) != "012345678901234" || a.status != 200 || a.worker != "w7" || a.start != "cold" ||
			a.timing != "queue;dur=1,service;dur=2" {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for five requests in a row", n)
	}
}

func TestEveryCallerKeepsItsConnection(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	report, err := Run(t.Context(), Options{Target: server.URL, N: 2000, Concurrency: 16, Mix: Mix{{"x", 1}}}, nil)
	if n := connections.Load(); err != nil || report.Errors != 0 || n > 40 {
		t.Errorf("%d connections for 16 callers, %v", n, err)
	}
}

// raw is a server that answers every request with the same bytes and then closes the connection.
func raw(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, answer)
			}
			c.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
	})
	return "http://" + listener.Addr().String()
}

func TestWhatGoesWrongOnTheWireHasItsCause(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, c := range []struct {
		name, target string
		want         Cause
	}{
		{"closed without a word", raw(t, ""), Reset},
		{"half a head", raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"), Reset},
		{"half a body", raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"), Reset},
		{"half a chunk", raw(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n12345"), Reset},
		{"half a body beyond what is kept", raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"+strings.Repeat("x", 3000)), Reset},
		{"gibberish", raw(t, "hello, who is there?\r\n\r\n"), Protocol},
		{"a bad chunk", raw(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Protocol},
		{"an error of its own", plain.URL, Status},
	} {
		report, err := Run(t.Context(), Options{Target: c.target, N: 2}, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if report.ErrorsByCause[c.want] != 2 || report.ErrorSamples[c.want] == "" {
			t.Errorf("%s: %v %v, want %s", c.name, report.ErrorsByCause, report.ErrorSamples, c.want)
		}
	}
}

func TestTheSameLoadGoesThroughRealConnections(t *testing.T) {
	var busiest atomic.Int32
	server := httptest.NewServer(arithmeticWorker(&busiest))
	defer server.Close()
	var c collector
	o := Options{Target: server.URL, Rate: 500, N: 100, Shape: ShapeStep, Mix: Mix{{"mult", 1}, {"add", 1}}}
	report, err := Run(t.Context(), o, &c)
	if err != nil {
		t.Fatal(err)
	}
	if report.Count != 100 || report.Errors != 0 || len(report.Workers) != 3 || report.Starts.Warm != 100 || len(c.results) != 100 {
		t.Errorf("%+v", report)
	}
	if early := slices.IndexFunc(c.results, func(r Result) bool { return r.Actual < r.Intended }); early >= 0 {
		t.Errorf("a request left early: %+v", c.results[early])
	}
}

// BenchmarkSchedule shows how late the client is with its own schedule at 1000 requests a second.
func BenchmarkSchedule(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer server.Close()
	for b.Loop() {
		report, err := Run(b.Context(), Options{Target: server.URL, Rate: 1000, Duration: 3 * time.Second, Mix: Mix{{"x", 1}}}, nil)
		if err != nil || report.Errors > 0 {
			b.Fatal(report, err)
		}
		b.ReportMetric(report.ScheduleError.P50, "late-p50-ms")
		b.ReportMetric(report.ScheduleError.P99, "late-p99-ms")
	}
}

// BenchmarkClosedLoop shows the requests a second that one client and one server make together on this machine.
func BenchmarkClosedLoop(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer server.Close()
	for _, callers := range []int{1, 50} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			b.ReportAllocs()
			report, err := Run(b.Context(), Options{Target: server.URL, N: max(b.N, callers), Concurrency: callers, Mix: Mix{{"x", 1}}}, nil)
			if err != nil || report.Errors > 0 {
				b.Fatal(report, err)
			}
			b.ReportMetric(report.Rate, "req/s")
		})
	}
}
