// Package tracing sends what requests and starts went through to an OpenTelemetry collector, over OTLP/HTTP. It is the only package that knows
// the SDK. The standard OTEL_* variables configure it, and without them nothing of it runs.
package tracing

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"understudy/logs"
)

const (
	scope = "understudy"
	// lastWords is how long the end waits for a collector to take what is left.
	lastWords = 2 * time.Second
)

// Tracing makes the spans of requests and of starts. Its methods may be called concurrently.
type Tracing struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// New reads the environment. It yields nil where that does not ask for traces, or an error of one sentence where it makes no sense. No
// collector needs to answer: while none does, spans are dropped, and log is told once and then each minute. Close ends it.
func New(env []string, version, instance string, log *slog.Logger) (*Tracing, error) {
	s, err := read(env)
	if err != nil || !s.on {
		return nil, err
	}
	client, err := otlptracehttp.New(context.Background(), // connects to nobody yet
		otlptracehttp.WithEndpointURL(s.endpoint), otlptracehttp.WithHeaders(s.headers), otlptracehttp.WithTimeout(s.timeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{})) // the next batch is the next try
	if err != nil {
		return nil, err
	}
	began := time.Now()
	quiet := &exporter{SpanExporter: client, endpoint: s.endpoint,
		troubles: logs.NewRepeats(log, func() time.Duration { return time.Since(began) })}
	about := append([]attribute.KeyValue{
		attribute.String("service.name", s.service), attribute.String("service.version", version), attribute.String("service.instance.id", instance),
	}, s.attributes...)
	t := &Tracing{provider: sdk.NewTracerProvider(
		sdk.WithBatcher(quiet), // drops spans rather than wait: at most 2048 are kept
		sdk.WithSampler(s.sampler), sdk.WithResource(resource.NewSchemaless(about...)),
	)}
	t.tracer = t.provider.Tracer(scope, trace.WithInstrumentationVersion(version))
	return t, nil
}

// Close sends what is left, for at most two seconds. The nil Tracing has nothing.
func (t *Tracing) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the exporter has said what was wrong
}

// exporter says what goes wrong in our log, instead of in a log of the SDK's own.
type exporter struct {
	sdk.SpanExporter
	endpoint string
	troubles *logs.Repeats
}

// ExportSpans implements sdk.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.troubles.Add("traces", "", "traces cannot be sent; requests are served, their spans are dropped", err, slog.String("to", e.endpoint))
		return nil
	}
	e.troubles.Over("traces")
	return nil
}
