package tracing

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"understudy/balancer"
	"understudy/fleet"
	"understudy/fleet/clocktest"
)

const (
	theirTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	theirSpan  = "00f067aa0ba902b7"
)

// served is one request's spans.
func served(t *Tracing, parent, state string, v balancer.Visit) (given, givenState string) {
	at := time.Unix(1_000_000, 0)
	s := t.Request(at, parent, state)
	s.Queue(at.Add(time.Millisecond), at.Add(3*time.Millisecond))
	given, givenState = s.Ask(at.Add(3*time.Millisecond), "w1", "127.0.0.1:20000")
	s.Asked(at.Add(50*time.Millisecond), v.Status, nil)
	s.End(at.Add(51*time.Millisecond), v)
	return given, givenState
}

func TestASpanForTheRequestAndBelowItQueueAndWorker(t *testing.T) {
	c := newCollector(t)
	tracing, said := made(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url, "OTEL_EXPORTER_OTLP_HEADERS=x-key=se%20cret",
		"OTEL_RESOURCE_ATTRIBUTES=deployment.environment=test", "OTEL_SERVICE_NAME=front")
	given, state := served(tracing, "00-"+theirTrace+"-"+theirSpan+"-01", "a=1", balancer.Visit{
		Method: "POST", Target: "/mult", Client: "192.0.2.1", Agent: "curl", Capability: "mult", Pool: "general", Worker: "w1", Start: "warm", ID: "R", Status: 200,
	})
	tracing.Close()
	if said.Len() > 0 {
		t.Errorf("said %s", said)
	}
	request, queue, worker := c.span(t, "POST /mult"), c.span(t, "queue"), c.span(t, "worker")
	trace, span, parent := ids(request)
	if trace != theirTrace || parent != theirSpan || request.Kind != otlp.Span_SPAN_KIND_SERVER || request.TraceState != "a=1" {
		t.Errorf("the client's trace does not go on: %v", request)
	}
	for _, child := range []*otlp.Span{queue, worker} {
		if tr, _, p := ids(child); tr != theirTrace || p != span {
			t.Errorf("%s is not below the request", child.Name)
		}
	}
	if _, id, _ := ids(worker); given != "00-"+theirTrace+"-"+id+"-01" || state != "a=1" || worker.Kind != otlp.Span_SPAN_KIND_CLIENT {
		t.Errorf("the worker was given %q, %q; its span is %v", given, state, worker)
	}
	if d := queue.EndTimeUnixNano - queue.StartTimeUnixNano; d != 2e6 {
		t.Errorf("the queue took %d ns", d)
	}
	if d := request.EndTimeUnixNano - request.StartTimeUnixNano; d != 51e6 {
		t.Errorf("the request took %d ns", d)
	}
	for key, want := range map[string]string{
		"http.request.method": "POST", "http.response.status_code": "200", "url.path": "/mult", "understudy.pool": "general", "understudy.worker": "w1",
		"understudy.start": "warm", "client.address": "192.0.2.1", "understudy.request_id": "R", "user_agent.original": "curl",
	} {
		if got := attributeOf(request, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if c.path != "/v1/traces" || c.headers.Get("x-key") != "se cret" {
		t.Errorf("sent to %s with %v", c.path, c.headers)
	}
	if c.resource["service.name"] != "front" || c.resource["deployment.environment"] != "test" || c.resource["service.version"] != "1.2.3" || c.resource["service.instance.id"] != "blue" {
		t.Errorf("the resource is %v", c.resource)
	}
}

func TestSpansAreAsLongAsTheyWereWhoeverSetsTheClock(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		c := newCollector(t)
		tracing, _ := made(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url)
		var clock clocktest.Clock
		began := clock.Now()
		s := tracing.Request(began, "", "")
		clock.Set(by)
		later := clock.Now()
		truly := uint64(later.Sub(began))
		s.Queue(later, later.Add(time.Millisecond))
		s.Ask(later.Add(time.Millisecond), "w1", "127.0.0.1:20000")
		s.Asked(later.Add(3*time.Millisecond), 200, nil)
		s.End(later.Add(4*time.Millisecond), balancer.Visit{Method: "POST", Capability: "mult", Status: 200})
		tracing.Close()
		for name, want := range map[string]uint64{"POST /mult": truly + 4e6, "queue": 1e6, "worker": 2e6} {
			if span := c.span(t, name); span.EndTimeUnixNano-span.StartTimeUnixNano != want {
				t.Errorf("set by %v: %s lasted %d ns instead of %d", by, name, span.EndTimeUnixNano-span.StartTimeUnixNano, want)
			}
		}
		whole, queue := c.span(t, "POST /mult"), c.span(t, "queue")
		if queue.StartTimeUnixNano-whole.StartTimeUnixNano != truly {
			t.Errorf("set by %v: the queue begins %d ns after the request instead of %d", by, queue.StartTimeUnixNano-whole.StartTimeUnixNano, truly)
		}
	}
}

func TestFailuresAreMarkedAndNamesAreBounded(t *testing.T) {
	c := newCollector(t)
	tracing, _ := made(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+c.url+"/mine")
	served(tracing, "no parent at all", "", balancer.Visit{Method: "BREW-7c1", Status: 502, Cause: errors.New("the worker broke")})
	tracing.Start("general", "w1", time.Unix(5, 0), 412*time.Millisecond, fleet.Phases{Create: 120 * time.Millisecond, Start: 180 * time.Millisecond, Ready: 112 * time.Millisecond}, nil)
	tracing.Start("broken", "w2", time.Unix(5, 0), time.Second, fleet.Phases{Ready: time.Second}, errors.New("exit 3"))
	tracing.Close()
	s := c.span(t, "HTTP")
	if s.Status.GetCode() != otlp.Status_STATUS_CODE_ERROR || s.Status.Message != "the worker broke" || attributeOf(s, "http.request.method") != "_OTHER" || len(s.ParentSpanId) > 0 {
		t.Errorf("got %v", s)
	}
	start := c.span(t, "start general")
	_, id, _ := ids(start)
	at := start.StartTimeUnixNano
	for _, part := range []struct {
		name string
		ms   uint64
	}{{"create", 120}, {"start", 180}} {
		child := c.span(t, part.name)
		if _, _, p := ids(child); p != id || child.StartTimeUnixNano != at || child.EndTimeUnixNano != at+part.ms*1e6 {
			t.Errorf("%s is %v", part.name, child)
		}
		at = child.EndTimeUnixNano
	}
	if failed := c.span(t, "start broken"); failed.Status.GetMessage() != "exit 3" {
		t.Errorf("a failed start is %v", failed)
	}
	if c.path != "/mine" {
		t.Errorf("sent to %s", c.path)
	}
}

func TestWhatIsNotSampledIsNotSentAndStillGoesOn(t *testing.T) {
	c := newCollector(t)
	tracing, _ := made(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url, "OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0")
	given, _ := served(tracing, "", "", balancer.Visit{Status: 200})
	unsampled, _ := served(tracing, "00-"+theirTrace+"-"+theirSpan+"-00", "", balancer.Visit{Status: 200})
	if !strings.HasSuffix(given, "-00") || !strings.HasPrefix(unsampled, "00-"+theirTrace) || !strings.HasSuffix(unsampled, "-00") {
		t.Errorf("the worker was given %q and %q", given, unsampled)
	}
	tracing.Close()
	if len(c.spans) > 0 {
		t.Errorf("%d spans came", len(c.spans))
	}
}

func TestNobodyWaitsForACollectorThatIsAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	tracing, said := made(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+l.Addr().String())
	for range 10_000 { // more than the queue holds
		served(tracing, "", "", balancer.Visit{Status: 200})
	}
	tracing.Close()
	if n := strings.Count(said.String(), "\n"); n != 1 || !strings.Contains(said.String(), "traces cannot be sent") || !strings.Contains(said.String(), l.Addr().String()) {
		t.Errorf("said %d lines: %s", n, said)
	}
}

func TestNobodyWaitsForACollectorThatHangs(t *testing.T) {
	gate := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-gate }))
	defer server.Close()
	defer close(gate)
	tracing, said := made(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+server.URL, "OTEL_EXPORTER_OTLP_TIMEOUT=100")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10_000 {
			served(tracing, "", "", balancer.Visit{Status: 200})
		}
		tracing.Close()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("requests wait for the collector")
	}
	if n := strings.Count(said.String(), "\n"); n != 1 {
		t.Errorf("said %d lines: %s", n, said)
	}
}
