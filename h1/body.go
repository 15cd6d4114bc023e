package h1

import (
	"bytes"
	"io"
)

const (
	// maxTrailer bounds the fields behind a chunked body, in bytes.
	maxTrailer = 8 << 10
	// maxChunkLine bounds one line with the size of a chunk, in bytes with its CR: that of net/http.
	maxChunkLine = 4<<10 - 2
	// maxOverhead bounds what the lines of chunks may cost beyond 16 bytes each and twice their data, as net/http does: tiny chunks with
	// long extensions make the reader work for nothing.
	maxOverhead = 16 << 10
	maxHex      = 15 // digits of a chunk's size: what fits into an int64
)

// body reads what follows a head. The zero value is one that has ended.
type body struct {
	r        *reader
	kind     delimiter
	left     int64 // of the whole body, or of the present chunk
	begun    bool  // a chunk has been read, so a CRLF stands before the next
	overhead int64
	trailer  Fields
	err      error // io.EOF: it was read to its end
}

// begin prepares to read another body from the same connection. What a trailer was kept in is used again.
func (b *body) begin(kind delimiter, length int64) {
	*b = body{r: b.r, kind: kind, trailer: b.trailer[:0]}
	if kind == fixedLength {
		b.left = length
	}
	if kind == noBody || kind == fixedLength && length == 0 {
		b.err = io.EOF
	}
}

// Read yields io.EOF at the end of the body and not before, and io.ErrUnexpectedEOF when the connection ends first. The last bytes come with
// io.EOF where the end is known by then.
func (b *body) Read(p []byte) (n int, err error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	switch b.kind {
	case fixedLength:
		n, b.err = b.readFixed(p)
	case chunkedCoding:
		n, b.err = b.readChunked(p)
	default:
		n, b.err = b.r.read(p)
	}
	return n, b.err
}

// ended tells whether the body was read to its end.
func (b *body) ended() bool { return b.err == io.EOF }

func (b *body) readFixed(p []byte) (int, error) {
	n, err := b.r.read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if b.left == 0 {
		return n, io.EOF
	}
	return n, unexpected(err)
}

// readChunked fills p from as many chunks as are here, and waits only for the first byte.
func (b *body) readChunked(p []byte) (n int, err error) {
	for {
		if b.left == 0 {
			if n > 0 && !b.nextIsHere() {
				return n, nil
			}
			if err := b.nextChunk(); err != nil {
				return n, err
			}
		}
		if n == len(p) || n > 0 && b.r.buffered() == 0 {
			return n, nil
		}
		m, err := b.r.read(p[n : n+int(min(int64(len(p)-n), b.left))])
		n += m
		b.left -= int64(m)
		if err != nil {
			return n, unexpected(err)
		}
	}
}

// nextIsHere tells whether what follows a chunk has come, so that nextChunk need not wait and hold back what was read. An end with a trailer
// counts as not: that may be long in coming.
func (b *body) nextIsHere() bool {
	const crlf = 2
	rest := b.r.buf[b.r.r:b.r.w]
	if len(rest) > crlf && rest[crlf] == '0' {
		return bytes.HasPrefix(rest, []byte("\r\n0\r\n\r\n"))
	}
	return len(rest) > crlf && bytes.IndexByte(rest[crlf:], '\n') >= 0
}

// nextChunk reads the line with the size of the next chunk. After the last one it reads the trailer and yields io.EOF.
func (b *body) nextChunk() error {
	if b.begun {
		if line, err := b.r.line(1); err != nil {
			return err
		} else if len(line) > 0 {
			return malformed("a chunk that is longer than its size says")
		}
	}
	b.begun = true
	line, err := b.r.line(maxChunkLine)
	if err != nil {
		return err
	}
	size, ok := chunkSize(line)
	if !ok {
		return malformed("a chunk size that is none")
	}
	b.overhead = max(0, b.overhead+int64(len(line)+len("\r\n\r\n"))-16-2*size)
	if b.overhead > maxOverhead {
		return malformed("chunks that are mostly overhead")
	}
	if b.left = size; size > 0 {
		return nil
	}
	return b.readTrailer()
}

// chunkSize reads 1*HEXDIG, and behind it nothing or an extension, which is ignored.
func chunkSize(line []byte) (size int64, ok bool) {
	i := 0
	for ; i < len(line); i++ {
		d, is := hexDigit(line[i])
		if !is {
			break
		}
		size = size<<4 | int64(d)
	}
	if i == 0 || i > maxHex || i < len(line) && line[i] != ';' {
		return 0, false
	}
	for _, c := range line[i:] {
		if c < ' ' && c != '\t' || c == 0x7f {
			return 0, false
		}
	}
	return size, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= lower(c) && lower(c) <= 'f':
		return lower(c) - 'a' + 10, true
	}
	return 0, false
}

// readTrailer reads the fields after the last chunk and the empty line behind them. It yields io.EOF when all is well.
func (b *body) readTrailer() error {
	total := 0
	for {
		line, err := b.r.line(maxTrailer)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return io.EOF
		}
		if total += len(line); total > maxTrailer {
			return malformed("a trailer that is too large")
		}
		if b.trailer, err = parseFields(string(line)+"\r\n", b.trailer, false); err != nil {
			return err
		}
		if name := b.trailer[len(b.trailer)-1].Name; equalFold(name, "Content-Length") || equalFold(name, "Transfer-Encoding") {
			return malformed("a trailer that says how long the body was")
		}
	}
}
