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

// httpSender sends through net/http's transport, without its client: no redirects are followed, no cookies kept, no proxy asked.
type httpSender struct {
	transport *http.Transport
	base      url.URL // its path has no slash at the end
	method    string
	host      string
	header    http.Header // never changed once made: all requests share it
}

func newHTTPSender(o Options) (*httpSender, error) {
	base, err := url.Parse(o.Target)
	if err != nil {
		return nil, err
	}
	base.Path, base.RawPath = strings.TrimSuffix(base.Path, "/"), strings.TrimSuffix(base.RawPath, "/")
	idle := o.Concurrency
	if o.OpenLoop() {
		idle = o.MaxInFlight
	}
	s := &httpSender{base: *base, method: o.Method, host: o.Header.Get("Host"), header: requestHeader(o)}
	s.transport = &http.Transport{
		DialContext:         o.Dial,
		MaxIdleConnsPerHost: idle,
		IdleConnTimeout:     time.Minute,
		TLSHandshakeTimeout: o.Timeout,
		DisableCompression:  true, // unpacking answers is no part of what is measured
	}
	return s, nil
}

func requestHeader(o Options) http.Header {
	h := o.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Del("Host") // net/http takes it from the request, not from its header
	if h.Get("Content-Type") == "" && !o.bodiless() {
		h.Set("Content-Type", "application/json")
	}
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", "understudy-client")
	}
	return h
}

func (s *httpSender) send(ctx context.Context, t task, buf []byte) (answer, error) {
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

// drain reads body to its end, so that the connection can be used again, and keeps what fits into buf.
func drain(body io.Reader, buf []byte) (int, error) {
	n := 0
	for n < len(buf) {
		m, err := body.Read(buf[n:])
		n += m
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	_, err := io.Copy(io.Discard, body)
	return n, err
}
