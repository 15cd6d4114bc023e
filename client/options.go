// Package client generates load over HTTP and says honestly what came of it.
//
// In an open loop (Rate, Shape or Trace) requests leave at their intended time whatever has or has not come back, and latency
// counts from that intended time, so that a server that stalls cannot hide the requests it kept from being sent. In a closed loop
// (Concurrency) a number of callers send back to back. Run does either and returns a Report.
package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// What an Options field means when it is left at zero.
const (
	DefaultTarget      = "http://127.0.0.1:8080"
	DefaultN           = 100              // closed loop with neither N nor Duration
	DefaultDuration    = 10 * time.Second // open loop with neither N nor Duration
	DefaultTimeout     = 30 * time.Second
	DefaultGrace       = 5 * time.Second
	DefaultMaxInFlight = 10_000
)

// Options say what load to make. The zero value of a field means its default. An Options is not changed by Run and may be reused.
type Options struct {
	// Target is the base URL; a request for capability c goes to Target/c. http or https. Default DefaultTarget.
	Target string

	// N ends the load after so many requests, Duration after so long, whichever comes first. With neither, a closed loop sends
	// DefaultN requests, an open loop lasts DefaultDuration, and a trace is played to its end.
	N        int
	Duration time.Duration

	// Concurrency is the number of callers of a closed loop, each sending back to back. Default 1. Not with Rate or Trace.
	Concurrency int

	// Rate makes an open loop: the highest rate its Shape reaches, in requests a second.
	Rate  float64
	Shape Shape // default constant

	// Trace makes an open loop too: the path of a CSV file of arrivals, t[,duration_ms][,kind]. It is read twice, once to check it
	// before anything is sent. Speed divides its times and durations; default 1.
	Trace string
	Speed float64

	// Mix chooses capabilities by weight, in an order that Seed fixes. Default mult alone. A trace that has kinds needs no mix.
	Mix  Mix
	Seed uint64

	Method string      // default POST; GET and HEAD carry no body
	Header http.Header // added to every request
	// Bodies replace the generated body of a capability; the key "" is for all that have none of their own.
	Bodies map[string][]byte
	// Unverified turns off the check of what mult and add answer, for pools whose mult or add is something else.
	Unverified bool

	// Timeout bounds one request from its send to the end of its answer.
	Timeout time.Duration
	// Grace is how long the requests in flight are waited for after the run was told to end early.
	Grace time.Duration
	// MaxInFlight bounds the requests an open loop has in flight. One that would exceed it is not sent and counts as an error of
	// cause client-overload. Raising it costs about 20 KiB of memory and a file descriptor each.
	MaxInFlight int

	// TLS says whom to trust at an https target. Default: as the system does. It is not changed.
	TLS *tls.Config

	// Dial replaces the way connections are made. Default: TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// OpenLoop tells whether requests leave on a schedule rather than one after another.
func (o Options) OpenLoop() bool { return o.Rate != 0 || o.Trace != "" }

func (o Options) bodiless() bool { return o.Method == http.MethodGet || o.Method == http.MethodHead }

func (o Options) withDefaults() Options {
	o.Target = orDefault(o.Target, DefaultTarget)
	o.Shape = orDefault(o.Shape, ShapeConstant)
	o.Speed = orDefault(o.Speed, 1)
	o.Method = orDefault(o.Method, http.MethodPost)
	o.Timeout = orDefault(o.Timeout, DefaultTimeout)
	o.Grace = orDefault(o.Grace, DefaultGrace)
	o.MaxInFlight = orDefault(o.MaxInFlight, DefaultMaxInFlight)
	if len(o.Mix) == 0 {
		o.Mix = Mix{{Capability: "mult", Weight: 1}}
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: o.Timeout}).DialContext
	}
	bounded := o.N != 0 || o.Duration != 0
	switch {
	case o.Trace != "":
	case o.Rate != 0 && !bounded:
		o.Duration = DefaultDuration
	case o.Rate == 0:
		o.Concurrency = orDefault(o.Concurrency, 1)
		if !bounded {
			o.N = DefaultN
		}
	}
	return o
}

func orDefault[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
