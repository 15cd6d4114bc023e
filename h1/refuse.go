package h1

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// refuse answers what is no request.
func (c *serverConn) refuse(err error) {
	status, detail := http.StatusBadRequest, "This is not a request that HTTP allows."
	var r *refusal
	switch {
	case errors.As(err, &r):
		status, detail = r.status, r.detail
	case errors.Is(err, ErrTooLarge):
		status, detail = http.StatusRequestHeaderFieldsTooLarge, "The head of the request is too large, or has too many fields."
	case errors.Is(err, ErrCoding):
		status, detail = http.StatusNotImplemented, "The only transfer coding is chunked, once."
	case errors.Is(err, ErrVersion):
		status, detail = http.StatusHTTPVersionNotSupported, "This listener speaks HTTP/1.0 and HTTP/1.1."
	case errors.Is(err, os.ErrDeadlineExceeded):
		status, detail = http.StatusRequestTimeout, "The head of the request took too long."
	case !errors.Is(err, ErrMalformed):
		return // the connection ended
	}
	fields, body := Fields{{"Content-Type", "text/plain; charset=utf-8"}}, detail+"\n"
	if c.server.Refusal != nil {
		fields, body = c.server.Refusal(status, detail)
	}
	c.head.method, c.head.minor, c.head.expects = http.MethodGet, 1, false
	c.resp.begin()
	c.resp.closing = true
	c.resp.WriteFields(status, fields, int64(len(body)))
	_, _ = io.WriteString(&c.resp, body)
	_ = c.setWrite(time.Now().Add(lingerTime))
	if c.resp.finish() == nil { // a client that is gone cannot be told
		c.linger()
	}
}

// linger lets the client read its answer although it still sends: closing with something unread would take the answer away from it.
func (c *serverConn) linger() {
	half, ok := c.net.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.setRead(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, c.net, lingerBytes) // its end, or our patience's
}
