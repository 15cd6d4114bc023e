package tracing

import (
	"bytes"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector receives spans as a real one does.
type collector struct {
	url string

	mu       sync.Mutex
	spans    map[string]*otlp.Span // by name
	resource map[string]string
	headers  http.Header
	path     string
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{spans: map[string]*otlp.Span{}, resource: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var got v1.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &got)
		}
		if err != nil {
			t.Error(err)
		}
		c.take(r, &got)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *collector) take(r *http.Request, got *v1.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers, c.path = r.Header, r.URL.Path
	for _, rs := range got.ResourceSpans {
		for _, kv := range rs.Resource.Attributes {
			c.resource[kv.Key] = kv.Value.GetStringValue()
		}
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				c.spans[s.Name] = s
			}
		}
	}
}

// span yields a span that must have come.
func (c *collector) span(t *testing.T, name string) *otlp.Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.spans[name]
	if s == nil {
		t.Fatalf("no span %q came, but %d others", name, len(c.spans))
	}
	return s
}

// attribute yields one as text; empty: there is none.
func attributeOf(s *otlp.Span, key string) string {
	for _, kv := range s.Attributes {
		if kv.Key == key {
			return strings.Trim(strings.TrimPrefix(strings.TrimPrefix(kv.Value.String(), "string_value:"), "int_value:"), `"`)
		}
	}
	return ""
}

func ids(s *otlp.Span) (trace, span, parent string) {
	return hex.EncodeToString(s.TraceId), hex.EncodeToString(s.SpanId), hex.EncodeToString(s.ParentSpanId)
}

// made is tracing as this environment asks for it; what it logs is in the buffer once it is closed.
func made(t *testing.T, env ...string) (*Tracing, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	tracing, err := New(env, "1.2.3", "blue", slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil || tracing == nil {
		t.Fatalf("got %v, %v", tracing, err)
	}
	return tracing, &said
}
