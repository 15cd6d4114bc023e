package tracing

import (
	"context"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"understudy/balancer"
)

// Request implements balancer.Tracer.
func (t *Tracing) Request(at time.Time, parent, state string) balancer.Span {
	ctx := context.Background()
	if parent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": parent, "tracestate": state})
	}
	ctx, span := t.tracer.Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(at))
	return &request{t: t, ctx: ctx, began: at, span: span}
}

// request is one request's span and the child that is open.
type request struct {
	t     *Tracing
	ctx   context.Context
	began time.Time
	span  trace.Span
	child trace.Span
}

// on is a moment as a span has it: on the clock as it was when the request began, should it have been set since.
func (r *request) on(at time.Time) trace.SpanEventOption {
	return trace.WithTimestamp(r.began.Add(at.Sub(r.began)))
}

func (r *request) Queue(from, to time.Time) {
	_, span := r.t.tracer.Start(r.ctx, "queue", r.on(from))
	span.End(r.on(to))
}

func (r *request) Ask(at time.Time, worker, address string) (parent, state string) {
	ctx, span := r.t.tracer.Start(r.ctx, "worker", trace.WithSpanKind(trace.SpanKindClient), r.on(at),
		trace.WithAttributes(attribute.String("understudy.worker", worker), attribute.String("server.address", address)))
	r.child = span
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"], carrier["tracestate"]
}

func (r *request) Asked(at time.Time, status int, err error) {
	if status > 0 {
		r.child.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if err != nil {
		r.child.SetStatus(codes.Error, err.Error())
	} else if status >= http.StatusInternalServerError {
		r.child.SetStatus(codes.Error, "")
	}
	r.child.End(r.on(at))
}

func (r *request) End(at time.Time, v balancer.Visit) {
	method := known(v.Method)
	name := method
	if method == otherMethod {
		name = "HTTP"
		r.span.SetAttributes(attribute.String("http.request.method_original", v.Method))
	}
	if v.Capability != "" {
		name += " /" + v.Capability
	}
	r.span.SetName(name)
	r.span.SetAttributes(attribute.String("http.request.method", method), attribute.Int("http.response.status_code", v.Status))
	for key, value := range map[string]string{
		"url.path": v.Target, "client.address": v.Client, "user_agent.original": v.Agent, "understudy.capability": v.Capability,
		"understudy.pool": v.Pool, "understudy.worker": v.Worker, "understudy.start": v.Start, "understudy.request_id": v.ID,
	} {
		if value != "" {
			r.span.SetAttributes(attribute.String(key, value))
		}
	}
	if v.Status >= http.StatusInternalServerError {
		text := ""
		if v.Cause != nil {
			text = v.Cause.Error()
		}
		r.span.SetStatus(codes.Error, text)
	}
	r.span.End(r.on(at))
}

const otherMethod = "_OTHER"

// known bounds the names of spans: a client may call its method anything.
func known(method string) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}, method) {
		return method
	}
	return otherMethod
}
