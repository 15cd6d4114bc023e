package h1

import (
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// MaxResponseHead is how large the head of an answer may be, in bytes.
const MaxResponseHead = 64 << 10

// Conn is the client's side of one connection. One goroutine at a time may use it, with two exceptions: while one reads, another may Write, and
// anybody may Abort and Close at any time.
//
// A request is one or more Writes; then ReadResponse, again while the answer is an interim one; then Read until io.EOF. Reusable tells
// whether another request may follow.
type Conn struct {
	net     net.Conn
	probe   probe
	in      reader
	body    body
	resp    Response
	sent    atomic.Int64
	broken  bool // a read failed, or the answer is one that nothing can follow
	idle    time.Time
	scratch []byte
}

// Response is the head of an answer. It belongs to the Conn and holds until its next ReadResponse.
type Response struct {
	Status int
	Minor  int    // of the version: HTTP/1.Minor
	Fields Fields // all of them, in order, those that concern only this connection too
	Length int64  // of the body; below 0: known at its end
	Body   bool   // there may be one: by status, method and length
}

// NewConn takes over a connection on which nothing was sent yet.
func NewConn(c net.Conn) *Conn {
	conn := &Conn{net: c, probe: newProbe(c)}
	conn.in.src = c
	conn.in.buf = make([]byte, bufferSize)
	conn.body.r = &conn.in
	return conn
}

// NetConn is the connection below, for its deadlines and addresses.
func (c *Conn) NetConn() net.Conn { return c.net }

// Scratch is an empty buffer that stays with the connection, to build requests in; give it back grown with KeepScratch.
func (c *Conn) Scratch() []byte { return c.scratch[:0] }

// KeepScratch keeps a buffer for the next request, unless it has grown beyond what is worth keeping.
func (c *Conn) KeepScratch(b []byte) {
	if cap(b) <= 2*bufferSize {
		c.scratch = b
	}
}

// Write sends bytes of a request.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.net.Write(b)
	c.sent.Add(int64(n))
	return n, err
}

// Sent is how many bytes were written on the connection so far, Received how many came: what they were before a request tells whether its
// peer can have seen it, and has begun to answer. Received belongs to the goroutine that reads.
func (c *Conn) Sent() int64     { return c.sent.Load() }
func (c *Conn) Received() int64 { return c.in.total }

// AppendRequestLine writes the first two lines of a request. Target is put there byte for byte: it must be free of spaces and control
// characters, and method and host valid.
func AppendRequestLine(b []byte, method, target, host string) []byte {
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, target...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	return append(b, "\r\n"...)
}

// ReadResponse reads the next head; method is that of the request it answers. An interim answer (1xx but 101) has no body: call it again.
// io.EOF means that the connection ended before the first byte.
func (c *Conn) ReadResponse(method string) (*Response, error) {
	c.broken = true // until all is well
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
	c.broken = f.close || r.Status == 101
	c.receive(r, f, method)
	return r, nil
}

// receive decides what body follows (RFC 9112, section 6.3).
func (c *Conn) receive(r *Response, f framing, method string) {
	r.Length = f.length
	kind := untilClose
	switch {
	case method == "HEAD", r.Status < 200, r.Status == 204, r.Status == 304:
		kind = noBody
	case f.chunked:
		kind = chunkedCoding
	case f.length >= 0:
		kind = fixedLength
	default:
		c.broken = true
	}
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

// Read reads the body of the answer: io.EOF at its end, io.ErrUnexpectedEOF when the connection ended before.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	if err != nil && !c.body.ended() {
		c.broken = true
	}
	return n, err
}

// Trailer is the fields behind the body. It is complete once Read has returned io.EOF, and holds until the next ReadResponse.
func (c *Conn) Trailer() Fields { return c.body.trailer }

// Reusable tells whether another request may follow: the answer was read to its end, its sender keeps the connection, and nothing came behind it.
func (c *Conn) Reusable() bool { return !c.broken && c.body.ended() && c.in.buffered() == 0 }

// Quiet tells whether the connection is open and nothing has come on it that nobody asked for. Where that cannot be seen it is assumed.
func (c *Conn) Quiet() bool { return c.in.buffered() == 0 && c.probe.state() == quiet }

// Hijack hands the connection over after an answer with status 101: what was read too much, and the rest.
func (c *Conn) Hijack() (net.Conn, []byte) {
	early := c.in.buf[c.in.r:c.in.w]
	c.in.r = c.in.w
	return c.net, early
}

// Abort ends whatever is being read or written, now and from now on.
func (c *Conn) Abort() { _ = c.net.SetDeadline(time.Unix(1, 0)) } // fails only when it is closed, which ends it too

// Close closes the connection.
func (c *Conn) Close() error { return c.net.Close() }
