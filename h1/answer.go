package h1

import "strings"

// MaxResponseHead is how large the head of an answer may be, in bytes.
const MaxResponseHead = 64 << 10

// Response is the head of an answer. It belongs to the Conn and holds until its next ReadResponse.
type Response struct {
	Status int
	Minor  int    // of the version: HTTP/1.Minor
	Fields Fields // all of them, in order, those that concern only this connection too
	Length int64  // of the body; below 0: known at its end
	Body   bool   // there may be one: by status, method and length
}

// ReadResponse reads the next head; method is that of the request it answers. An interim answer (1xx but 101) has no body: call it again.
// io.EOF means that the connection ended before the first byte, ErrUnread that the answer before has not been read to its end.
func (c *Conn) ReadResponse(method string) (*Response, error) {
	c.broken = true // until all is well
	if !c.body.ended() {
		return nil, ErrUnread
	}
	text, err := c.in.head(MaxResponseHead)
	if err != nil {
		return nil, err
	}
	r := &c.resp
	line, rest, err := cutLine(text, true)
	if err != nil {
		return nil, err
	}
	if r.Minor, r.Status, err = statusLine(line); err != nil {
		return nil, err
	}
	if r.Fields, err = parseFields(withoutEnd(rest), r.Fields[:0], true); err != nil {
		return nil, err
	}
	f, err := frame(r.Fields, r.Minor)
	if err != nil {
		return nil, err
	}
	c.receive(r, f, method)
	return r, nil
}

// receive decides what body follows (RFC 9112, section 6.3), and whether another request may.
func (c *Conn) receive(r *Response, f framing, method string) {
	interim := r.Status < 200 // the answer proper is still to come; and 101 ends HTTP on the connection
	kind := untilClose
	switch {
	case method == "HEAD", interim, r.Status == 204, r.Status == 304:
		kind = noBody
	case f.chunked:
		kind = chunkedCoding
	case f.length >= 0:
		kind = fixedLength
	}
	bodiless := interim || r.Status == 204 // whatever the request; a length is wrong there, and its sender may believe in it
	c.broken = f.close || interim || kind == untilClose || bodiless && (f.chunked || f.length > 0)
	c.answered = c.handed.Load()
	r.Length = f.length
	r.Body = kind != noBody && !(kind == fixedLength && f.length == 0)
	c.body.begin(kind, f.length)
}

// statusLine reads HTTP/1.x SP 3DIGIT, and SP and a phrase behind it that nobody needs.
func statusLine(line string) (minor, status int, err error) {
	const shape = "HTTP/1.x 200"
	if !strings.HasPrefix(line, "HTTP/1.") {
		return 0, 0, malformed("no status line")
	}
	if len(line) < len(shape) || line[8] != ' ' || len(line) > len(shape) && line[len(shape)] != ' ' || !IsValue(line) {
		return 0, 0, malformed("a status line that is none")
	}
	if minor = int(line[7] - '0'); minor != 0 && minor != 1 {
		return 0, 0, ErrVersion
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return 0, 0, malformed("a status that is no number")
		}
		status = status*10 + int(c-'0')
	}
	if status < 100 {
		return 0, 0, malformed("a status below 100")
	}
	return minor, status, nil
}

// withoutEnd cuts the empty line off that ends a head.
func withoutEnd(lines string) string {
	if s, ok := strings.CutSuffix(lines, "\r\n"); ok {
		return s
	}
	return strings.TrimSuffix(lines, "\n")
}
