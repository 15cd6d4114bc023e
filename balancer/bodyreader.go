package balancer

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// errAbandoned ends the reading of an attempt that is over.
var errAbandoned = errors.New("this attempt is over")

// bodyReader is one attempt's way through a body, from its beginning. Close may be called while Read waits, and ends it.
type bodyReader struct {
	b       *body
	off     int64
	closed  bool        // guarded by b.mu
	alone   bool        // guarded by b.mu; nobody takes the bytes any more, so it must not wait for more
	trailer http.Header // of the request it belongs to, filled in at the end
}

// newReader begins the body again. The reader before it is over. It yields nil when there is no body, or its beginning is gone.
func (b *body) newReader() *bodyReader {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.start > 0 {
		return nil
	}
	if b.reader != nil {
		b.reader.closed = true
	}
	b.reader = &bodyReader{b: b}
	if len(b.names) > 0 && b.known < 0 {
		b.reader.trailer = make(http.Header, len(b.names))
		for _, name := range b.names { // the values come with the end
			b.reader.trailer[name] = nil
		}
	}
	b.moved = time.Now()
	b.changed.Broadcast()
	return b.reader
}

func (r *bodyReader) Read(p []byte) (int, error) {
	b := r.b
	b.mu.Lock()
	defer b.mu.Unlock()
	b.startPump()
	for {
		end := b.start + int64(len(b.buf))
		switch {
		case r.closed || r.off < b.start:
			return 0, errAbandoned
		case r.off < end:
			n := copy(p, b.buf[r.off-b.start:])
			r.off += int64(n)
			b.moved = time.Now()
			b.changed.Broadcast()
			if r.off == end && b.err == io.EOF {
				r.end()
				return n, io.EOF
			}
			return n, nil
		case b.err != nil:
			if b.err == io.EOF {
				r.end()
			}
			return 0, b.err
		case r.alone:
			return 0, errAbandoned
		}
		b.hungry = true
		b.changed.Wait()
		b.hungry = false
	}
}

// end fills in the trailer. The source has ended, so nobody writes to its trailer any more.
func (r *bodyReader) end() {
	for name := range r.trailer {
		r.trailer[name] = r.b.trailer[name]
	}
}

// desert tells the reader that the connection its bytes go to has closed. What is there can still be read, so that the sender runs into the
// closed connection, which says more about what was sent than a body that broke off.
func (r *bodyReader) desert() {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	r.alone = true
	r.b.changed.Broadcast()
}

// Close ends the reader; a Read that waits returns. It may be called more than once.
func (r *bodyReader) Close() error {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	r.closed = true
	r.b.changed.Broadcast()
	return nil
}
