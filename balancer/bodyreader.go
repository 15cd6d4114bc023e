package balancer

import (
	"errors"
	"io"
	"time"
)

// errAbandoned ends the reading of an attempt that is over.
var errAbandoned = errors.New("this attempt is over")

// bodyReader is one attempt's way through a body, from its beginning. Close may be called while Read waits, and ends it.
type bodyReader struct {
	b      *body
	off    int64
	closed bool // guarded by b.mu
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
	b.startPump()
	b.moved = time.Now()
	b.changed.Broadcast()
	return b.reader
}

// Read yields io.EOF with the last bytes or behind them. Another error is a *problem, or errAbandoned.
func (r *bodyReader) Read(p []byte) (int, error) {
	b := r.b
	b.mu.Lock()
	defer b.mu.Unlock()
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
			if r.over() {
				return n, io.EOF
			}
			return n, nil
		case r.over():
			return 0, io.EOF
		case b.err != nil:
			return 0, b.err
		}
		b.hungry = true
		b.changed.Wait()
		b.hungry = false
	}
}

// drained tells whether the body has ended and all of it has been read.
func (r *bodyReader) drained() bool {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	return r.over()
}

// over is drained with mu held. A body whose length is known is over with its last byte: its source tells that only when it is asked again.
func (r *bodyReader) over() bool {
	b := r.b
	return r.off == b.start+int64(len(b.buf)) && (b.err == io.EOF || b.err == nil && r.off == b.known)
}

// Close ends the reader; a Read that waits returns. It may be called more than once.
func (r *bodyReader) Close() {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	r.closed = true
	r.b.changed.Broadcast()
}
