package h1

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a connection that yields prepared pieces, one for each Read at most, and then end.
type script struct {
	pieces []string
	end    error // io.EOF when nil
	joined bool  // the last piece comes together with the end
	refuse error // to write
	sent   strings.Builder
}

func (s *script) Read(p []byte) (int, error) {
	end := s.end
	if end == nil {
		end = io.EOF
	}
	for len(s.pieces) > 0 && s.pieces[0] == "" {
		s.pieces = s.pieces[1:]
	}
	if len(s.pieces) == 0 {
		return 0, end
	}
	n := copy(p, s.pieces[0])
	s.pieces[0] = s.pieces[0][n:]
	if s.joined && len(s.pieces) == 1 && s.pieces[0] == "" {
		return n, end
	}
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	if s.refuse != nil {
		return 0, s.refuse
	}
	return s.sent.Write(p)
}

func (s *script) Close() error                     { return nil }
func (s *script) LocalAddr() net.Addr              { return nil }
func (s *script) RemoteAddr() net.Addr             { return nil }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// bytewise cuts s into pieces of one byte.
func bytewise(s string) []string {
	pieces := make([]string, len(s))
	for i := range len(s) {
		pieces[i] = s[i : i+1]
	}
	return pieces
}

// reading is all there is to say of an answer that was read.
type reading struct {
	status, minor int
	fields        Fields
	length        int64
	hasBody       bool
	body          string
	trailer       Fields
	err           error
	reusable      bool
	rest          string // what came behind
}

func (o reading) String() string {
	return fmt.Sprintf("%d 1.%d %q length %d %v body %q trailer %q rest %q: %v", o.status, o.minor, o.fields, o.length, o.hasBody, o.body, o.trailer, o.rest, o.err)
}

func (o reading) same(as reading) bool {
	return o.status == as.status && o.minor == as.minor && slices.Equal(o.fields, as.fields) && o.length == as.length && o.hasBody == as.hasBody &&
		o.body == as.body && slices.Equal(o.trailer, as.trailer) && o.rest == as.rest && fmt.Sprint(o.err) == fmt.Sprint(as.err)
}

// receive reads one answer off s.
func receive(s *script, method string, size int) reading {
	c := NewConn(s)
	r, err := c.ReadResponse(method)
	if err != nil {
		return reading{err: err, reusable: c.Reusable()}
	}
	o := reading{status: r.Status, minor: r.Minor, fields: r.Fields, length: r.Length, hasBody: r.Body}
	var body strings.Builder
	p := make([]byte, size)
	for o.err == nil {
		var n int
		n, o.err = c.Read(p)
		body.Write(p[:n])
	}
	if o.err == io.EOF {
		o.err = nil
		o.trailer = c.Trailer()
		o.rest = string(c.in.buf[c.in.r:c.in.w]) + strings.Join(s.pieces, "")
	}
	o.body, o.reusable = body.String(), c.Reusable()
	return o
}

// everyWay reads an answer whole, byte by byte, with its end in the same Read, cut in two at every place, and with small and large
// buffers: what comes out must not depend on it.
func everyWay(t *testing.T, text, method string) reading {
	t.Helper()
	whole := receive(&script{pieces: []string{text}}, method, 32<<10)
	try := func(how string, s *script, size int) {
		t.Helper()
		o := receive(s, method, size)
		if !o.same(whole) {
			t.Fatalf("%s\n%v\nwhole\n%v", how, o, whole)
		}
		if whole.rest == "" && o.reusable != whole.reusable {
			t.Fatalf("%s: reusable %v, whole %v", how, o.reusable, whole.reusable)
		}
	}
	try("byte by byte", &script{pieces: bytewise(text)}, 32<<10)
	try("byte by byte, into a byte", &script{pieces: bytewise(text)}, 1)
	try("whole, into a byte", &script{pieces: []string{text}}, 1)
	try("together with the end", &script{pieces: []string{text}, joined: true}, 32<<10)
	for i := 1; i < len(text) && len(text) < 1000; i++ {
		try(fmt.Sprint("cut at ", i), &script{pieces: []string{text[:i], text[i:]}}, 32<<10)
		try(fmt.Sprint("cut at ", i, " into 3 bytes"), &script{pieces: []string{text[:i], text[i:]}}, 3)
	}
	return whole
}
