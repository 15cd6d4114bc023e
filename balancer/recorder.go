package balancer

import "time"

// Recorder is told what happened to requests. Its methods may be called concurrently and must not block. Words come from fixed lists, never
// from a client, but for home and capability, which come from the configuration.
type Recorder interface {
	// Request counts one finished request of a known capability. home is the pool it counts in. service is the time until the worker's
	// response head; below 0: it never reached a worker. total runs from the end of a small request's body to the last byte of the answer.
	// code 499: the client left first, which says nothing about latency.
	Request(home, capability string, code int, queue, service, total time.Duration)
	// Retry counts one more attempt: busy, connect, reset, lacks.
	Retry(pool, reason string)
	// Shed counts a request refused with 503 (queue-full, queue-timeout, no-worker, draining, worker-busy) or 429 (too-many-requests).
	Shed(pool, code string)
	// Refused counts a connection that was closed before its first request: connections, proxy_header, client, tls.
	Refused(step string)
	// Lost counts a request that a worker had taken and did not answer: scale_down when we were removing that worker, else worker_failed.
	Lost(pool, cause string)
	// Ejected counts a worker that is left out because requests broke on it.
	Ejected(pool string)
}

// Noop counts nothing.
type Noop struct{}

func (Noop) Request(string, string, int, time.Duration, time.Duration, time.Duration) {}
func (Noop) Retry(string, string)                                                     {}
func (Noop) Shed(string, string)                                                      {}
func (Noop) Refused(string)                                                           {}
func (Noop) Lost(string, string)                                                      {}
func (Noop) Ejected(string)                                                           {}

// What a retry, a loss is counted under.
const (
	retryBusy    = "busy"
	retryLacks   = "lacks"
	retryConnect = "connect"
	retryReset   = "reset"

	refusedFull   = "connections"
	refusedHeader = "proxy_header"
	refusedClient = "client"
	refusedTLS    = "tls"

	lostScaleDown    = "scale_down"
	lostWorkerFailed = "worker_failed"
)
