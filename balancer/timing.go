package balancer

import (
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
	var room [64]byte
	buf := appendMillis(append(room[:0], "queue;dur="...), queue)
	if service >= 0 {
		buf = appendMillis(append(buf, ", service;dur="...), service)
	}
	return string(buf)
}

// appendMillis writes milliseconds with at most three decimals. Below 0 is 0: a clock may be odd.
func appendMillis(buf []byte, d time.Duration) []byte {
	micros := max(0, d+time.Microsecond/2) / time.Microsecond
	buf = strconv.AppendInt(buf, int64(micros/1000), 10)
	rest := micros % 1000
	if rest == 0 {
		return buf
	}
	buf = append(buf, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	for buf[len(buf)-1] == '0' {
		buf = buf[:len(buf)-1]
	}
	return buf
}

// sign puts our own fields on an answer. It comes before those of the worker: ours is first in Server-Timing, what the worker measured stays beside it.
func (x *exchange) sign() {
	x.put(requestIDHeader, x.id)
	if x.arrived.IsZero() {
		return
	}
	x.put(timingHeader, serverTiming(x.queue, x.service))
	if w := x.lease.Worker; w != nil {
		x.put(workerHeader, w.ID)
		x.put(startHeader, string(x.lease.Start))
	}
}
