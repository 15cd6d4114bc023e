package h1

import (
	"bytes"
	"fmt"
	"io"
)

// bufferSize holds most heads, and an answer of ordinary size together with its head.
const bufferSize = 4 << 10

// reader is the buffer in front of a connection. It reads ahead whatever is there, so nobody else may read from src while it is in use.
type reader struct {
	src  io.Reader
	buf  []byte
	r, w int // unread is buf[r:w]

	total int64 // bytes that came
}

func (b *reader) buffered() int { return b.w - b.r }

// fill reads once. There must be room: compact or grow first.
func (b *reader) fill() error {
	n, err := b.src.Read(b.buf[b.w:])
	b.w += n
	b.total += int64(n)
	if n > 0 {
		return nil // an error beside data comes again
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// head takes everything up to the empty line that ends a head, and that line, off the connection. Longer than limit is ErrTooLarge; io.EOF
// means that not one byte came.
func (b *reader) head(limit int) (string, error) {
	if b.r == b.w {
		b.r, b.w = 0, 0
	}
	seen := 0 // of buf[r:w], what has been searched
	for {
		if n := endOfHead(b.buf[b.r:b.w], seen); n > limit {
			return "", ErrTooLarge
		} else if n > 0 {
			text := string(b.buf[b.r : b.r+n])
			b.r += n
			b.shrink()
			return text, nil
		}
		seen = b.w - b.r
		if seen > limit {
			return "", ErrTooLarge
		}
		b.makeRoom()
		if err := b.fill(); err == io.EOF && b.w > b.r {
			return "", fmt.Errorf("in the middle of a head: %w", io.ErrUnexpectedEOF)
		} else if err != nil {
			return "", err
		}
	}
}

// endOfHead finds the length of a head with the empty line behind it; 0: it is not complete. from bytes have been searched before.
func endOfHead(b []byte, from int) int {
	for i := max(from-2, 0); ; i++ {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return 0
		}
		i += j
		switch rest := b[i+1:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 2
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 3
		}
	}
}

// makeRoom makes space behind what is unread: by moving it to the front, else by a larger buffer.
func (b *reader) makeRoom() {
	switch {
	case b.w < len(b.buf):
		return
	case b.r > 0:
		b.w = copy(b.buf, b.buf[b.r:b.w])
		b.r = 0
	default:
		larger := make([]byte, max(bufferSize, 2*len(b.buf)))
		copy(larger, b.buf[:b.w])
		b.buf = larger
	}
}

// shrink lets go of a buffer that one large head made grow.
func (b *reader) shrink() {
	if len(b.buf) > bufferSize && b.buffered() <= bufferSize {
		small := make([]byte, bufferSize)
		b.w = copy(small, b.buf[b.r:b.w])
		b.r, b.buf = 0, small
	}
}

// line takes one line off, without its CRLF. One of more than limit bytes with its CR, or that ends with LF alone, is an error.
func (b *reader) line(limit int) ([]byte, error) {
	for seen := 0; ; {
		if i := bytes.IndexByte(b.buf[b.r+seen:b.w], '\n'); i >= 0 && seen+i <= limit {
			line := b.buf[b.r : b.r+seen+i]
			b.r += seen + i + 1
			if len(line) == 0 || line[len(line)-1] != '\r' {
				return nil, malformed("a line that ends with LF alone")
			}
			return line[:len(line)-1], nil
		}
		seen = b.buffered()
		if seen > limit { // whether its end is here or not
			return nil, malformed("a line that is too long")
		}
		if b.r == b.w {
			b.r, b.w = 0, 0
		}
		b.makeRoom()
		if err := b.fill(); err != nil {
			return nil, unexpected(err)
		}
	}
}

// read takes at most len(p) bytes: what is buffered, else from the connection, past the buffer when p is as large.
func (b *reader) read(p []byte) (int, error) {
	if b.r == b.w {
		if len(p) >= len(b.buf) {
			n, err := b.src.Read(p)
			b.total += int64(n)
			return n, err
		}
		b.r, b.w = 0, 0
		if err := b.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.buf[b.r:b.w])
	b.r += n
	b.shrink()
	return n, nil
}

// unexpected is the end of a connection where there should have been more.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
