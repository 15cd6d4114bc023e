package balancer

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"understudy/h1"
)

// appendFraming ends the head of a request with how long its body is.
func (x *exchange) appendFraming(b []byte) []byte {
	switch {
	case x.body == nil:
		if x.said.hasLength {
			b = append(b, "Content-Length: 0\r\n"...)
		}
	case x.body.known >= 0:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, x.body.known, 10)
		b = append(b, "\r\n"...)
	default:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
		if names := x.body.names; len(names) > 0 {
			b = h1.AppendField(b, "Trailer", strings.Join(names, ", "))
		}
	}
	return append(b, "\r\n"...)
}

// upload sends a body that comes piece by piece, in a goroutine of its own: whoever waits for the answer must see one that comes early.
type upload struct {
	conn  *h1.Conn
	from  *bodyReader
	ended chan struct{}
	err   error // why it was not sent as a whole; to be looked at once ended is closed
}

func (a *attempt) startUpload() error {
	x := a.x
	from := x.body.newReader()
	if from == nil {
		return errAbandoned // retries ask first whether the body is whole, so this does not happen
	}
	u := &upload{conn: a.wire.conn, from: from, ended: make(chan struct{})}
	a.wire.upload = u
	go u.run(&x.b.buffers)
	return nil
}

// stop ends the upload. The connection is of no use then.
func (u *upload) stop() {
	u.from.Close()
	u.conn.Abort()
	<-u.ended
}

// uploadSettles is for how long a write whose bytes the worker has answered may take to come back.
const uploadSettles = 20 * time.Millisecond

// complete tells whether everything has been sent. It is asked once the worker's answer is there as a whole: where nothing of the body is left to be
// handed over, the last write is waited for. It just has not come back yet, unless the worker has answered without reading.
func (u *upload) complete() bool {
	select {
	case <-u.ended:
		return u.err == nil
	default:
	}
	if !u.from.drained() {
		return false
	}
	timer := time.NewTimer(uploadSettles)
	defer timer.Stop()
	select {
	case <-u.ended:
		return u.err == nil
	case <-timer.C:
		return false
	}
}

func (u *upload) run(buffers interface {
	Get() any
	Put(any)
}) {
	defer close(u.ended)
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	u.err = u.send(*buf)
}

const (
	chunkHead = len("8000\r\n") // the longest there can be in front of a piece of relayBuffer bytes
	chunkTail = len("\r\n")
)

// send passes the body on as it comes.
func (u *upload) send(buf []byte) error {
	chunked := u.from.b.known < 0
	for {
		n, err := u.from.Read(buf[chunkHead : len(buf)-chunkTail])
		if err != nil && err != io.EOF {
			return err
		}
		piece := buf[chunkHead : chunkHead+n]
		if chunked {
			piece = chunk(buf, n)
			if err == io.EOF {
				piece = u.from.b.appendEnd(piece)
			}
		}
		if len(piece) > 0 {
			if _, err := u.conn.Write(piece); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// chunk puts what a chunk needs around n bytes that stand at chunkHead.
func chunk(buf []byte, n int) []byte {
	if n == 0 {
		return buf[:0] // an empty one would be the last
	}
	var size [chunkHead]byte
	head := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
	from := chunkHead - len(head)
	copy(buf[from:], head)
	return append(buf[from:chunkHead+n], "\r\n"...)
}

// appendEnd is the last chunk and the trailer. The source has ended, so nobody writes to its trailer any more.
func (b *body) appendEnd(to []byte) []byte {
	to = append(to, "0\r\n"...)
	for _, name := range b.names {
		for _, value := range b.trailer[http.CanonicalHeaderKey(name)] {
			if h1.IsValue(value) {
				to = h1.AppendField(to, name, value)
			}
		}
	}
	return append(to, "\r\n"...)
}

// trails tells whether a field may stand behind a body: those that say where a message ends, where it goes, or who sent it come too late there
// (RFC 9110, section 6.5.1).
func trails(name string) bool {
	if name == "" || kindOf(name) != plainField || begins(name, "content-") {
		return false
	}
	for _, never := range []string{"authorization", "cookie", "set-cookie", "cache-control", "max-forwards", "pragma", "range", "www-authenticate"} {
		if begins(name, never) && len(name) == len(never) {
			return false
		}
	}
	return true
}
