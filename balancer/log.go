package balancer

import (
	"context"
	"log/slog"
	"time"
)

// book counts the exchange and writes its line. One that no pool took is not counted: its name is the client's word.
func (x *exchange) book() {
	total := time.Since(x.arrived)
	if x.arrived.IsZero() {
		total = 0
	}
	if x.capability != "" {
		x.b.recorder.Request(x.home, x.capability, x.status, x.queue, x.service, total)
	}
	if !x.b.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.Int("status", x.status), slog.String("method", x.r.Method), slog.String("target", x.r.RequestURI),
		slog.String("client", x.peer.name(x.r)), slog.String("id", x.id), slog.Duration("took", time.Since(x.began)),
	}
	if x.capability != "" {
		attrs = append(attrs, slog.String("capability", x.capability), slog.String("pool", x.home), slog.Duration("queue", x.queue))
	}
	if w := x.lease.Worker; w != nil {
		attrs = append(attrs, slog.String("worker", w.ID), slog.Duration("service", x.service), slog.Int("bounces", x.bounces))
	}
	if x.cause != nil {
		attrs = append(attrs, slog.String("cause", x.cause.Error()))
	}
	x.b.log.LogAttrs(context.Background(), slog.LevelDebug, "request", attrs...)
}
