package balancer

import (
	"context"
	"log/slog"
	"time"

	"understudy/logs"
)

// book counts the exchange and writes its lines. One that no pool took is not counted: its name is the client's word.
func (x *exchange) book() {
	total := time.Since(x.arrived)
	if x.arrived.IsZero() {
		total = 0
	}
	if x.capability != "" {
		x.b.recorder.Request(x.home, x.capability, x.status, x.queue, x.service, total)
	}
	if x.b.access.On() {
		x.visit()
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

// visit writes the line of the access log.
func (x *exchange) visit() {
	v := logs.Visit{
		At: x.began, Client: x.peer.host, Method: x.r.Method, Target: x.r.RequestURI, Proto: x.r.Proto, Status: x.status, Bytes: x.sent,
		Capability: x.capability, Pool: x.home, Queue: -1, Service: x.service, Took: time.Since(x.began), ID: x.id,
	}
	if x.peer.proxy {
		v.Client = x.peer.client.String()
	}
	v.Referer, _ = x.in.Get("Referer")
	v.Agent, _ = x.in.Get("User-Agent")
	if !x.arrived.IsZero() {
		v.Queue = x.queue
	}
	if w := x.lease.Worker; w != nil {
		v.Worker, v.Start = w.ID, string(x.lease.Start)
	}
	if x.cause != nil {
		v.Cause = x.cause.Error()
	}
	x.b.access.Write(&v)
}
