package h1

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Write collects; what fills the buffer is written. A body where none may be is swallowed for HEAD, and else http.ErrBodyNotAllowed.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.err != nil {
		return 0, w.err
	}
	switch {
	case w.open:
		if len(w.out)+len(p) <= bufferSize {
			w.out = append(w.out, p...)
			return len(p), nil
		}
		w.close(-1)
	case w.kind == noBody && w.c.head.method == http.MethodHead:
		return len(p), nil
	case w.kind == noBody:
		return 0, http.ErrBodyNotAllowed
	case w.kind == fixedLength && int64(len(p)) > w.left:
		return 0, http.ErrContentLength
	}
	w.appendBody(p)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// close makes the head of an answer whose body has been collected so far, once its length is known (or will not be: below 0).
func (w *response) close(length int64) {
	held := bytes.Clone(w.out)
	w.out = w.out[:0]
	w.startHead(w.status)
	w.appendMap()
	w.endHead(length)
	w.appendBody(held)
}

func (w *response) appendBody(p []byte) {
	if len(p) == 0 {
		return
	}
	switch w.kind {
	case noBody:
		return
	case chunkedCoding:
		w.out = strconv.AppendInt(w.out, int64(len(p)), 16)
		w.out = append(w.out, "\r\n"...)
		w.out = append(w.out, p...)
		w.out = append(w.out, "\r\n"...)
	case fixedLength:
		w.left -= int64(len(p))
		fallthrough
	default:
		if len(w.out) == 0 && len(p) >= flushAt {
			w.send(p) // nothing to put in front of it: no need to copy it
			return
		}
		w.out = append(w.out, p...)
	}
	if len(w.out) >= flushAt {
		w.push()
	}
}

// push writes what was collected.
func (w *response) push() {
	if len(w.out) > 0 {
		w.send(w.out)
		w.out = w.out[:0]
	}
}

func (w *response) send(p []byte) {
	if w.err == nil {
		_, w.err = w.c.net.Write(p)
	}
}

// FlushError writes what was collected. The length of a body that is not known by then stays so.
func (w *response) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.open {
		w.close(-1)
	}
	w.push()
	return w.err
}

// finish completes the answer.
func (w *response) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.open && len(w.out) == 0 && w.c.head.method == http.MethodHead {
		w.close(-1) // who writes nothing for HEAD has not said how much there would be
	} else if w.open {
		w.close(int64(len(w.out)))
	}
	if w.kind == fixedLength && w.left > 0 {
		w.push()
		return io.ErrShortWrite // the client sees that the end is missing
	}
	if w.kind == chunkedCoding {
		w.out = append(w.out, "0\r\n"...)
		w.appendTrailer()
		w.out = append(w.out, "\r\n"...)
	}
	w.push()
	return w.err
}

func (w *response) appendTrailer() {
	for name, values := range w.header {
		name, ok := strings.CutPrefix(name, http.TrailerPrefix)
		if !ok || !IsToken(name) {
			continue
		}
		for _, v := range values {
			if IsValue(v) {
				w.out = AppendField(w.out, name, v)
			}
		}
	}
}
