package h1

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Conn is the client's side of one connection. One goroutine at a time may use it, with two exceptions: while one reads, another may Write, and
// anybody may Abort and Close at any time.
//
// A request is one or more Writes; then ReadResponse, again while the answer is an interim one; then Read until io.EOF. Reusable tells
// whether another request may follow.
type Conn struct {
	net      net.Conn
	probe    probe
	in       reader
	body     body
	resp     Response
	sent     atomic.Int64
	handed   atomic.Int64 // sent, and what a Write is about to send
	answered int64        // of handed, what was when the last answer began: more is a request that has none
	broken   bool         // a read failed, or the answer is one that nothing can follow
	aborted  atomic.Bool
	cut      atomic.Bool // a Write failed
	idle     time.Time
	by       time.Time // the deadline that Limit left
	scratch  []byte
}

// NewConn takes over a connection on which nothing was sent yet.
func NewConn(c net.Conn) *Conn {
	conn := &Conn{net: c, probe: newProbe(c)}
	conn.in.src = c
	conn.in.buf = make([]byte, bufferSize)
	conn.body = body{r: &conn.in, err: io.EOF} // no answer yet, so nothing of one is left to read
	return conn
}

// NetConn is the connection below, for its addresses. Its deadlines are set through the Conn, or an Abort would not last.
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
	c.handed.Add(int64(len(b)))
	n, err := c.net.Write(b)
	c.sent.Add(int64(n))
	if err != nil {
		c.cut.Store(true)
	}
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

// Reusable tells whether another request may follow: whatever was asked was written and answered, the answer was read to its end, its sender keeps the
// connection, nothing came behind it, and nobody aborted it. A connection that was not used yet is reusable too. A Write that began after the
// answer did (the rest of a request that was answered early) makes it false: nobody knows what the other side took that for.
// One that was under way does not: the answer to a request's last bytes can be here before the Write of them is back.
func (c *Conn) Reusable() bool {
	return !c.broken && c.body.ended() && c.in.buffered() == 0 && c.sent.Load() == c.answered && !c.cut.Load() && !c.aborted.Load()
}

// Quiet tells whether the connection is open and nothing has come on it that nobody asked for. Where that cannot be seen it is assumed.
func (c *Conn) Quiet() bool { return c.in.buffered() == 0 && c.probe.state() == quiet }

// Hijack hands the connection over after an answer with status 101: what was read too much, and the rest.
func (c *Conn) Hijack() (net.Conn, []byte) {
	early := c.in.buf[c.in.r:c.in.w]
	c.in.r = c.in.w
	return c.net, early
}

// Buffered is how many bytes have come that nobody has read: a body of known length can be read without a wait while there are some.
func (c *Conn) Buffered() int { return c.in.buffered() }

// Limit is SetDeadline for whoever sets one for each request: a deadline that is there already and a moment earlier is left where it is, because
// moving it costs more than it is worth. It belongs to the goroutine that reads. Before other deadlines are set, and after, the limit is taken
// away by the zero time.
func (c *Conn) Limit(by time.Time) {
	if move(&c.by, by) || by.IsZero() {
		_ = c.SetDeadline(by) // fails only when it is closed, which the next use tells
	}
}

// SetDeadline, SetReadDeadline and SetWriteDeadline set when reading and writing end with an error (see net.Conn), unless it was aborted.
func (c *Conn) SetDeadline(t time.Time) error      { return c.unlessAborted(c.net.SetDeadline(t)) }
func (c *Conn) SetReadDeadline(t time.Time) error  { return c.unlessAborted(c.net.SetReadDeadline(t)) }
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.unlessAborted(c.net.SetWriteDeadline(t)) }

// unlessAborted takes a deadline back that was set while somebody aborted, whoever came first.
func (c *Conn) unlessAborted(err error) error {
	if c.aborted.Load() {
		return c.net.SetDeadline(longAgo())
	}
	return err
}

// Abort ends whatever is being read or written, now and from now on: with an error that is os.ErrDeadlineExceeded. Aborted tells it from a
// deadline that ran out.
func (c *Conn) Abort() {
	c.aborted.Store(true)
	_ = c.net.SetDeadline(longAgo()) // fails only when it is closed, which ends it too
}

// Aborted tells whether Abort was called.
func (c *Conn) Aborted() bool { return c.aborted.Load() }

func longAgo() time.Time { return time.Unix(1, 0) }

// Close closes the connection.
func (c *Conn) Close() error { return c.net.Close() }
