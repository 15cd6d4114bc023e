package balancer

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// The headers of every answer that a worker took part in.
const (
	workerHeader = "X-Understudy-Worker"
	startHeader  = "X-Understudy-Start"
	timingHeader = "Server-Timing"
)

// serverTiming is queue;dur=1.2, service;dur=103.4 in milliseconds. service below 0: no worker answered.
func serverTiming(queue, service time.Duration) string {
	buf := make([]byte, 0, 48)
	buf = appendMillis(append(buf, "queue;dur="...), queue)
	if service >= 0 {
		buf = appendMillis(append(buf, ", service;dur="...), service)
	}
	return string(buf)
}

// appendMillis writes milliseconds with at most three decimals.
func appendMillis(buf []byte, d time.Duration) []byte {
	return strconv.AppendFloat(buf, math.Round(float64(d)/float64(time.Microsecond))/1000, 'f', -1, 64)
}

// sign puts our own headers on an answer. Ours comes first in Server-Timing; what the worker measured stays beside it.
func (x *exchange) sign(h http.Header) {
	h[requestIDHeader] = []string{x.id}
	if x.arrived.IsZero() {
		return
	}
	h[timingHeader] = append([]string{serverTiming(x.queue, x.service)}, h[timingHeader]...)
	if w := x.lease.Worker; w != nil {
		h[workerHeader] = []string{w.ID}
		h[startHeader] = []string{string(x.lease.Start)}
	}
}
