package h1

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	flushAt  = 16 << 10 // so much is collected before it is written
	keepMost = 32 << 10 // a larger buffer is not kept for the next answer
)

// response is the answer to the request in service. One goroutine at a time may use it.
type response struct {
	c      *serverConn
	header http.Header // for handlers that set it

	status  int // 0: nothing was decided
	kind    delimiter
	open    bool  // the length is not known, and may become so at the end: the head has not been made
	left    int64 // of a body of known length
	closing bool  // nothing follows on this connection
	out     []byte
	err     error
}

var (
	_ http.ResponseWriter = (*response)(nil)
	_ FieldWriter         = (*response)(nil)
)

func (w *response) begin() {
	clear(w.header)
	out := w.out[:0]
	if cap(out) > keepMost {
		out = nil
	}
	*w = response{c: w.c, header: w.header, out: out}
}

func (w *response) RequestFields() Fields { return w.c.head.fields }

func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader decides the status. Interim ones (1xx) go out at once.
func (w *response) WriteHeader(status int) {
	switch {
	case w.status != 0:
		return
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.interim(status)
		return
	}
	length := int64(-1)
	if text := w.header.Get("Content-Length"); text != "" {
		if n, ok := parseLength(text); ok {
			length = n
		}
	}
	w.status, w.open = status, length < 0 && w.mayHaveBody(status)
	if !w.open {
		w.startHead(status)
		w.appendMap()
		w.endHead(length)
	}
}

// interim writes an answer before the answer.
func (w *response) interim(status int) {
	if w.c.head.minor == 0 {
		return
	}
	w.out = appendStatus(w.out, status)
	w.appendMap()
	w.out = append(w.out, "\r\n"...)
	w.push()
}

func (w *response) WriteFields(status int, fields Fields, length int64) {
	if w.status != 0 {
		return
	}
	w.startHead(status)
	date := false
	for i := range fields {
		f := &fields[i]
		w.appendField(f.Name, f.Value)
		date = date || equalFold(f.Name, "Date")
	}
	if !date {
		w.out = AppendField(w.out, "Date", w.c.server.now())
	}
	w.endHead(length)
}

func (w *response) startHead(status int) {
	w.status = status
	w.closing = w.closing || w.c.head.close || w.c.server.ending.Load() || w.c.body.answered()
	w.out = appendStatus(w.out, status)
}

// appendField writes a field, but for those that are the server's to write.
func (w *response) appendField(name, value string) {
	switch {
	case equalFold(name, "Content-Length"), equalFold(name, "Transfer-Encoding"), equalFold(name, "Keep-Alive"):
	case equalFold(name, "Connection"):
		closes, _ := connectionOptions(value)
		w.closing = w.closing || closes
	default:
		w.out = AppendField(w.out, name, value)
	}
}

// appendMap writes the fields a handler has set. A nil value keeps the server from adding its own.
func (w *response) appendMap() {
	for name, values := range w.header {
		if strings.HasPrefix(name, http.TrailerPrefix) || !IsToken(name) {
			continue
		}
		for _, v := range values {
			if IsValue(v) {
				w.appendField(name, v)
			}
		}
	}
	if _, ok := w.header["Date"]; !ok && w.status != 0 {
		w.out = AppendField(w.out, "Date", w.c.server.now())
	}
}

// endHead decides how the body ends (RFC 9112, section 6.3) and closes the head.
func (w *response) endHead(length int64) {
	w.open = false
	switch {
	case !w.mayHaveBody(w.status):
		w.kind = noBody
		if length >= 0 && w.status == http.StatusNotModified {
			w.appendLength(length)
		}
	case w.c.head.method == http.MethodHead:
		w.kind = noBody
		if length >= 0 {
			w.appendLength(length)
		}
	case length >= 0:
		w.kind, w.left = fixedLength, length
		w.appendLength(length)
	case w.c.head.minor == 1:
		w.kind = chunkedCoding
		w.out = append(w.out, "Transfer-Encoding: chunked\r\n"...)
	default:
		w.kind, w.closing = untilClose, true
	}
	if w.closing {
		w.out = append(w.out, "Connection: close\r\n"...)
	}
	w.out = append(w.out, "\r\n"...)
}

func (w *response) appendLength(n int64) {
	w.out = append(w.out, "Content-Length: "...)
	w.out = strconv.AppendInt(w.out, n, 10)
	w.out = append(w.out, "\r\n"...)
}

func (w *response) mayHaveBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

func appendStatus(b []byte, status int) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	return append(b, "\r\n"...)
}

// abort makes sure that the client does not take what it has got for a whole answer: where the end of the connection would mean the end of the
// body, the connection is reset.
func (w *response) abort() {
	if linger, ok := w.c.net.(interface{ SetLinger(int) error }); ok && (w.kind == untilClose || w.status == 0) {
		_ = linger.SetLinger(0)
	}
}

// Hijack hands the connection over, with what was read of it. On error it stays the server's.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c := w.c
	if c.hijacked.Load() {
		return nil, nil, http.ErrHijacked
	}
	if w.push(); w.err != nil {
		return nil, nil, w.err
	}
	c.hijacked.Store(true)
	c.serving.Store(0) // a client that has sent all it had to say is no client that has left
	c.server.remove(c)
	early := c.in.buf[c.in.r:c.in.w]
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), c.net), max(len(early), 16))
	_, _ = r.Peek(len(early)) // so that it counts as buffered
	_ = c.net.SetDeadline(time.Time{})
	return c.net, bufio.NewReadWriter(r, bufio.NewWriter(c.net)), nil
}

func (w *response) SetReadDeadline(by time.Time) error {
	w.c.setRead(by)
	return nil
}

func (w *response) SetWriteDeadline(by time.Time) error { return w.c.setWrite(by) }
