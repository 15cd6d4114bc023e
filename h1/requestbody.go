package h1

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// requestBody is what the handler reads. One goroutine at a time may Read; Close may come from another.
type requestBody struct {
	c      *serverConn
	in     body
	closed atomic.Bool

	mu      sync.Mutex // around what both the reader and the writer of a request do about 100 Continue
	expects bool       // the client waits for it
	names   http.Header
}

func (b *requestBody) begin(h *requestHead) {
	b.closed.Store(false)
	b.expects, b.names = h.expects, nil
	switch {
	case h.chunked:
		b.in.begin(chunkedCoding, -1)
	case h.length > 0:
		b.in.begin(fixedLength, h.length)
	default:
		b.in.begin(noBody, 0)
		b.expects = false
	}
}

// announced is the map that the trailer will be in.
func (b *requestBody) announced(names string) http.Header {
	for name := range strings.SplitSeq(names, ",") {
		if name != "" {
			if b.names == nil {
				b.names = http.Header{}
			}
			b.names[http.CanonicalHeaderKey(name)] = nil
		}
	}
	return b.names
}

func (b *requestBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if err := b.proceed(); err != nil {
		return 0, err
	}
	n, err := b.in.Read(p)
	if err == io.EOF {
		b.takeTrailer()
	}
	return n, err
}

func (b *requestBody) Close() error {
	b.closed.Store(true)
	return nil
}

// proceed tells the client to send, when it waits to be told and has no answer yet.
func (b *requestBody) proceed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.expects {
		return nil
	}
	b.expects = false
	_, err := io.WriteString(b.c.net, "HTTP/1.1 100 Continue\r\n\r\n")
	return err
}

// answered is called before the head of the answer goes out. It reports whether the client still waits to be told to send: then nobody knows
// whether it will, and the connection cannot be used again.
func (b *requestBody) answered() (waits bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	waits, b.expects = b.expects, false
	return waits
}

// takeTrailer hands over what was announced; the rest is dropped, so that nothing behind a body can pass for a header.
func (b *requestBody) takeTrailer() {
	for _, f := range b.in.trailer {
		name := http.CanonicalHeaderKey(f.Name)
		if _, ok := b.names[name]; ok {
			b.names[name] = append(b.names[name], f.Value)
		}
	}
}

// unread tells whether some of the body is, or may still come, on the connection. What is here already is dropped.
func (b *requestBody) unread() bool {
	in := &b.in
	if in.kind == fixedLength && in.err == nil && in.left <= int64(in.r.buffered()) {
		in.r.r += int(in.left)
		in.left, in.err = 0, io.EOF
	}
	return !in.ended()
}
