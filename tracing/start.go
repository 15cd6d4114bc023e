package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"understudy/fleet"
)

// Start implements scaler.Tracer: one span for the start, one below it for each part it got through.
func (t *Tracing) Start(pool, worker string, began time.Time, took time.Duration, phases fleet.Phases, err error) {
	ctx, span := t.tracer.Start(context.Background(), "start "+pool, trace.WithTimestamp(began),
		trace.WithAttributes(attribute.String("understudy.pool", pool), attribute.String("understudy.worker", worker)))
	at := began
	for _, part := range []struct {
		name string
		took time.Duration
	}{{"create", phases.Create}, {"start", phases.Start}, {"ready", phases.Ready}} {
		if part.took <= 0 {
			continue
		}
		_, child := t.tracer.Start(ctx, part.name, trace.WithTimestamp(at))
		at = at.Add(part.took)
		child.End(trace.WithTimestamp(at))
	}
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End(trace.WithTimestamp(began.Add(took)))
}
