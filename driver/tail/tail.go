// Package tail keeps the last lines a worker printed, for drivers whose workers' output nobody else keeps.
package tail

import (
	"bytes"
	"context"
	"io"
	"sync"
)

// maxLine is where a line without an end is cut, in bytes.
const maxLine = 16 << 10

// Buffer is an io.Writer that keeps the last lines written to it and hands them to any number of readers, also while more
// are written. Make one with New. All methods may be called concurrently.
type Buffer struct {
	keep int

	mu      sync.Mutex
	lines   []string      // guarded by mu: at most keep, oldest first, each with its line end
	first   int           // guarded by mu: how many lines came before lines[0]
	partial []byte        // guarded by mu: a line still without its end
	closed  bool          // guarded by mu
	changed chan struct{} // guarded by mu: closed and replaced whenever the above change
}

// New returns a Buffer that keeps the last keep lines (at least 1).
func New(keep int) *Buffer {
	return &Buffer{keep: max(1, keep), changed: make(chan struct{})}
}

// Write never fails; what is written after Close is dropped.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return len(p), nil
	}
	b.partial = append(b.partial, p...)
	for {
		end := bytes.IndexByte(b.partial, '\n') + 1
		if end == 0 && len(b.partial) >= maxLine {
			end = maxLine
		}
		if end == 0 {
			break
		}
		b.add(b.partial[:end])
		b.partial = b.partial[end:]
	}
	b.wake()
	return len(p), nil
}

// Close says that nothing more comes: a last line without an end is kept, and readers that follow come to their end.
func (b *Buffer) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	if len(b.partial) > 0 {
		b.add(b.partial)
		b.partial = nil
	}
	b.closed = true
	b.wake()
	return nil
}

// add keeps one more line, with a line end. Called with mu held.
func (b *Buffer) add(line []byte) {
	s := string(line)
	if s[len(s)-1] != '\n' {
		s += "\n"
	}
	b.lines = append(b.lines, s)
	if extra := len(b.lines) - b.keep; extra > 0 {
		b.lines = append(b.lines[:0], b.lines[extra:]...)
		b.first += extra
	}
}

// wake lets every reader that waits look again. Called with mu held.
func (b *Buffer) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// Read returns the last tail lines (all that are kept when tail < 0) and, with follow, what is written after that until Close.
// The reader ends early when ctx does or when it is closed itself. A reader slower than the writer misses lines, never parts of one.
func (b *Buffer) Read(ctx context.Context, tail int, follow bool) io.ReadCloser {
	b.mu.Lock()
	defer b.mu.Unlock()
	if tail < 0 || tail > len(b.lines) {
		tail = len(b.lines)
	}
	last := b.first + len(b.lines)
	r := &reader{buffer: b, next: last - tail, end: last}
	if follow {
		r.end = -1
	}
	r.ctx, r.stop = context.WithCancel(ctx)
	return r
}

// reader walks over the lines of a Buffer by their number.
type reader struct {
	buffer *Buffer
	ctx    context.Context // the reader's own life, as Read was given it
	stop   context.CancelFunc
	next   int // number of the next line
	end    int // number of the line to end before; -1: follow
	rest   string
}

func (r *reader) Read(p []byte) (int, error) {
	for r.rest == "" {
		line, changed, ok := r.line()
		switch {
		case ok:
			r.rest = line
		case changed == nil:
			return 0, io.EOF
		default:
			select {
			case <-changed:
			case <-r.ctx.Done():
				return 0, io.EOF
			}
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// line returns the next line; or, without one, what to wait on, nil when no more can come.
func (r *reader) line() (line string, changed <-chan struct{}, ok bool) {
	b := r.buffer
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.ctx.Err() != nil {
		return "", nil, false
	}
	r.next = max(r.next, b.first) // those before are gone
	if r.end >= 0 && r.next >= r.end {
		return "", nil, false
	}
	if i := r.next - b.first; i < len(b.lines) {
		r.next++
		return b.lines[i], nil, true
	}
	if b.closed {
		return "", nil, false
	}
	return "", b.changed, false
}

// Close ends the reader; a Read that waits returns.
func (r *reader) Close() error {
	r.stop()
	return nil
}
