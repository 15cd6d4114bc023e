package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// httpSender sends to https:// targets, through net/http's transport: what a TLS connection holds unread cannot be seen from outside, so
// somebody must always be reading it. Its client is left out: no redirects are followed, no cookies kept, no proxy asked.
type httpSender struct {
	transport *http.Transport
	base      url.URL // its path has no slash at the end
	method    string
	host      string
	header    http.Header // never changed once made: all requests share it
	timeout   time.Duration
}

// parseBase is where capabilities are: without a slash at the end.
func parseBase(target string) (*url.URL, error) {
	base, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	base.Path, base.RawPath = strings.TrimSuffix(base.Path, "/"), strings.TrimSuffix(base.RawPath, "/")
	return base, nil
}

func newHTTPSender(o Options, base *url.URL) *httpSender {
	idle := o.Concurrency
	if o.OpenLoop() {
		idle = o.MaxInFlight
	}
	s := &httpSender{base: *base, method: o.Method, host: o.Header.Get("Host"), header: requestHeader(o), timeout: o.Timeout}
	s.transport = &http.Transport{
		DialContext:         o.Dial,
		TLSClientConfig:     o.TLS.Clone(),
		MaxIdleConnsPerHost: idle,
		IdleConnTimeout:     time.Minute,
		TLSHandshakeTimeout: o.Timeout,
		DisableCompression:  true, // unpacking answers is no part of what is measured
	}
	return s
}

func (s *httpSender) send(ctx context.Context, t task, c *caller) (answer, error) {
	sending, cancel := context.WithDeadline(ctx, c.by)
	defer cancel()
	a, err := s.roundTrip(sending, t, c.buf)
	if err != nil && ctx.Err() == nil && sending.Err() != nil {
		err = lateError{s.timeout}
	}
	return a, err
}

func (s *httpSender) roundTrip(ctx context.Context, t task, buf []byte) (answer, error) {
	response, err := s.transport.RoundTrip(s.request(t).WithContext(ctx))
	if err != nil {
		return answer{}, err
	}
	n, err := drain(response.Body, buf)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return answer{}, err
	}
	return answer{
		status: response.StatusCode,
		worker: response.Header.Get("X-Understudy-Worker"),
		start:  response.Header.Get("X-Understudy-Start"),
		timing: strings.Join(response.Header.Values("Server-Timing"), ","),
		body:   buf[:n],
	}, nil
}

func (s *httpSender) request(t task) *http.Request {
	u := s.base
	u.Path += "/" + t.capability // a capability is one clean segment
	if u.RawPath != "" {
		u.RawPath += "/" + t.capability
	}
	r := &http.Request{
		Method: s.method, URL: &u, Host: s.host, Header: s.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if len(t.body) > 0 {
		r.ContentLength = int64(len(t.body))
		// With GetBody the transport can use another connection when an idle one turns out to be closed before anything was written.
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(t.body)), nil }
		r.Body = io.NopCloser(bytes.NewReader(t.body))
	}
	return r
}

func (s *httpSender) close() { s.transport.CloseIdleConnections() }
