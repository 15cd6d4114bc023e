package h1

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestAnAnswerThatIsWellFormed(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, c := range []struct {
		name, method, text string
		status             int
		body, rest         string
		reusable           bool
	}{
		{"nothing in it", "GET", ok + "Content-Length: 0\r\n\r\n", 200, "", "", true},
		{"a length", "GET", ok + "Content-Length: 5\r\n\r\nhello", 200, "hello", "", true},
		{"a length with zeros in front", "GET", ok + "Content-Length: 0005\r\n\r\nhello", 200, "hello", "", true},
		{"twice the same length", "GET", ok + "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello", 200, "hello", "", true},
		{"white space around a value", "GET", ok + "Content-Length: \t 5 \t\r\n\r\nhello", 200, "hello", "", true},
		{"bytes behind the body", "GET", ok + "Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n", 200, "hello", ok, false},
		{"chunks", "GET", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 200, "hello", "", true},
		{"chunks, letter case aside", "GET", ok + "TRANSFER-encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", 200, "0123456789", "", true},
		{"chunks and bytes behind", "GET", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nx", 200, "", "x", false},
		{"until the end", "GET", ok + "\r\nhello", 200, "hello", "", false},
		{"until the end, nothing", "GET", ok + "\r\n", 200, "", "", false},
		{"told to close", "GET", ok + "Connection: close\r\nContent-Length: 1\r\n\r\nx", 200, "x", "", false},
		{"told to close among others", "GET", ok + "Connection: keep-alive\r\nConnection: x, CLOSE ,y\r\nContent-Length: 1\r\n\r\nx", 200, "x", "", false},
		{"close in a longer word", "GET", ok + "Connection: closed\r\nContent-Length: 1\r\n\r\nx", 200, "x", "", true},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", "", false},
		{"HTTP/1.0 kept", "GET", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", 200, "x", "", true},
		{"HTTP/1.0 kept and closed", "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 1\r\n\r\nx", 200, "x", "", false},
		{"HEAD", "HEAD", ok + "Content-Length: 5\r\n\r\n", 200, "", "", true},
		{"HEAD of chunks", "HEAD", ok + "Transfer-Encoding: chunked\r\n\r\n", 200, "", "", true},
		{"HEAD with a body", "HEAD", ok + "Content-Length: 5\r\n\r\nhello", 200, "", "hello", false},
		{"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", "", true},
		{"204 that says it is empty", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, "", "", true},
		{"204 that announces a body", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", "", false},
		{"204 that announces chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, "", "", false},
		{"304 of something large", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", "", true},
		{"interim", "POST", "HTTP/1.1 100 Continue\r\n\r\n", 100, "", "", false},
		{"switched", "GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nframes", 101, "", "frames", false},
		{"no phrase", "GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, "", "", true},
		{"an empty phrase", "GET", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, "", "", true},
		{"a phrase beyond ASCII", "GET", "HTTP/1.1 200 schön\r\nContent-Length: 0\r\n\r\n", 200, "", "", true},
		{"a status nobody knows", "GET", "HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n", 999, "", "", true},
		{"lines that end with LF alone", "GET", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 200, "hello", "", true},
		{"both ends of lines", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\n\r\nhello", 200, "hello", "", true},
		{"and the other way round", "GET", "HTTP/1.1 200 OK\nContent-Length: 5\r\n\nhello", 200, "hello", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := everyWay(t, c.text, c.method)
			if o.err != nil || o.status != c.status || o.body != c.body || o.rest != c.rest || o.reusable != c.reusable {
				t.Errorf("%v reusable %v", o, o.reusable)
			}
		})
	}
}

func TestAnAnswerThatIsNone(t *testing.T) {
	const ok, sized = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"nothing", "", io.EOF},
		{"half a status line", "HTTP/1.1 20", io.ErrUnexpectedEOF},
		{"a head without its end", sized, io.ErrUnexpectedEOF},
		{"a head without the last byte", sized + "\r", io.ErrUnexpectedEOF},
		{"an empty line in front", "\r\n" + sized + "\r\n", ErrMalformed},
		{"gibberish", "hello\r\n\r\n", ErrMalformed},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", ErrMalformed},
		{"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", ErrVersion},
		{"HTTP/1.10", "HTTP/1.10 200 OK\r\n\r\n", ErrMalformed},
		{"http/1.1", "http/1.1 200 OK\r\n\r\n", ErrMalformed},
		{"two spaces", "HTTP/1.1  200 OK\r\n\r\n", ErrMalformed},
		{"a tab", "HTTP/1.1\t200 OK\r\n\r\n", ErrMalformed},
		{"no status", "HTTP/1.1 \r\n\r\n", ErrMalformed},
		{"two digits", "HTTP/1.1 20\r\n\r\n", ErrMalformed},
		{"two digits and a space", "HTTP/1.1 20 OK\r\n\r\n", ErrMalformed},
		{"four digits", "HTTP/1.1 2000 OK\r\n\r\n", ErrMalformed},
		{"099", "HTTP/1.1 099 OK\r\n\r\n", ErrMalformed},
		{"a sign", "HTTP/1.1 +20 OK\r\n\r\n", ErrMalformed},
		{"letters", "HTTP/1.1 2x0 OK\r\n\r\n", ErrMalformed},
		{"CR in the phrase", "HTTP/1.1 200 O\rK\r\n\r\n", ErrMalformed},
		{"NUL in the phrase", "HTTP/1.1 200 \x00\r\n\r\n", ErrMalformed},
		{"a line that continues another", sized + "A: b\r\n c\r\n\r\n", ErrMalformed},
		{"a line that continues another with a colon", sized + "A: b\r\n\tc: d\r\n\r\n", ErrMalformed},
		{"a line that continues the first", ok + " Content-Length: 0\r\n\r\n", ErrMalformed},
		{"a line of white space", sized + " \r\n\r\n", ErrMalformed},
		{"no colon", sized + "abc\r\n\r\n", ErrMalformed},
		{"no name", sized + ": abc\r\n\r\n", ErrMalformed},
		{"a space behind the name", ok + "Content-Length : 0\r\n\r\n", ErrMalformed},
		{"a name beyond ASCII", sized + "Né: b\r\n\r\n", ErrMalformed},
		{"a name with a parenthesis", sized + "a(b): c\r\n\r\n", ErrMalformed},
		{"CR in a value", sized + "A: b\rc\r\n\r\n", ErrMalformed},
		{"CR at the end of a value", sized + "A: b\r\r\n\r\n", ErrMalformed},
		{"CR in front of a value", sized + "A: \rb\r\n\r\n", ErrMalformed},
		{"NUL in a value", sized + "A: b\x00c\r\n\r\n", ErrMalformed},
		{"DEL in a value", sized + "A: b\x7fc\r\n\r\n", ErrMalformed},
		{"two different lengths", ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", ErrMalformed},
		{"a length and chunks", ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrMalformed},
		{"chunks and a length", ok + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", ErrMalformed},
		{"chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := everyWay(t, c.text, "GET")
			if !errors.Is(o.err, c.want) || o.reusable {
				t.Errorf("%v, want %v; reusable %v", o, c.want, o.reusable)
			}
		})
	}
}

func TestALengthThatIsNone(t *testing.T) {
	for _, v := range []string{"+5", "-1", "0x5", "5,5", "5, 5", "5 5", "", " ", "5;", "5.0", "1e3", "٥", "18446744073709551616", "9223372036854775808",
		"99999999999999999999", "00000000000000000005"} {
		if o := everyWay(t, "HTTP/1.1 200 OK\r\nContent-Length: "+v+"\r\n\r\nhello", "GET"); !errors.Is(o.err, ErrMalformed) || o.reusable {
			t.Errorf("%q: %v", v, o)
		}
	}
	o := receive(&script{pieces: []string{"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nx"}}, "GET", 100)
	if o.length != 1<<63-1 || o.body != "x" || o.err != io.ErrUnexpectedEOF {
		t.Errorf("the largest: %v", o)
	}
}

func TestATransferCodingOtherThanChunked(t *testing.T) {
	for _, te := range []string{"chunked, chunked", "chunked\r\nTransfer-Encoding: chunked", ",chunked", "chunked,", "xchunked", "identity", "gzip, chunked", "gzip",
		"chunked;a=b", "", "\"chunked\"", "chunked\r\nTransfer-Encoding: identity"} {
		if o := everyWay(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "+te+"\r\n\r\n0\r\n\r\n", "GET"); !errors.Is(o.err, ErrCoding) || o.reusable {
			t.Errorf("%q: %v", te, o)
		}
	}
	for _, te := range []string{"\x0bchunked", "chunked\x00", "chun\rked", "chunked\x0c"} {
		if o := everyWay(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "+te+"\r\n\r\n0\r\n\r\n", "GET"); !errors.Is(o.err, ErrMalformed) || o.reusable {
			t.Errorf("%q: %v", te, o)
		}
	}
}

func TestAHeadIsBounded(t *testing.T) {
	head := func(n int) string { // of n bytes in all
		const frame = "HTTP/1.1 204 x\r\nA: \r\n\r\n"
		return strings.Replace(frame, "A: ", "A: "+strings.Repeat("x", n-len(frame)), 1)
	}
	if o := everyWay(t, head(MaxResponseHead), "GET"); o.err != nil || o.status != 204 {
		t.Errorf("the largest there may be: %v", o.err)
	}
	for _, text := range []string{head(MaxResponseHead + 1), head(MaxResponseHead + 1)[:MaxResponseHead+1], strings.Repeat("x", 200<<10)} {
		if o := everyWay(t, text, "GET"); !errors.Is(o.err, ErrTooLarge) {
			t.Errorf("%d bytes: %v", len(text), o.err)
		}
	}
	for n, want := range map[int]error{MaxFields: nil, MaxFields + 1: ErrTooLarge} {
		if o := everyWay(t, "HTTP/1.1 204 x\r\n"+strings.Repeat("A: b\r\n", n)+"\r\n", "GET"); !errors.Is(o.err, want) || want == nil && len(o.fields) != n {
			t.Errorf("%d fields: %v", n, o.err)
		}
	}
}

// TestInterimAnswers: any number of them can be read before the answer proper, and a connection is of no use in between.
func TestInterimAnswers(t *testing.T) {
	c := NewConn(&script{pieces: bytewise("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")})
	for _, want := range []int{100, 103} {
		if r, err := c.ReadResponse("POST"); err != nil || r.Status != want || r.Body || c.Reusable() {
			t.Fatal(r, err, c.Reusable())
		}
	}
	r, err := c.ReadResponse("POST")
	body, bad := io.ReadAll(c)
	if err != nil || bad != nil || r.Status != 200 || r.Fields.Has("Link") || string(body) != "ok" || !c.Reusable() {
		t.Errorf("%v %v %v %q %v", r, err, bad, body, c.Reusable())
	}
}

// TestTheNextHeadIsNotLookedForInABody: what was not read to its end must not be taken for an answer.
func TestTheNextHeadIsNotLookedForInABody(t *testing.T) {
	c := NewConn(&script{pieces: []string{"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nHTTP/1.1 200 Smuggled\r\nContent-Length: 0\r\n\r\n"}})
	if _, err := c.ReadResponse("GET"); err != nil {
		t.Fatal(err)
	}
	if r, err := c.ReadResponse("GET"); err != ErrUnread || c.Reusable() {
		t.Errorf("%v, %v", r, err)
	}
}

func TestOneAnswerAfterAnother(t *testing.T) {
	var text strings.Builder
	for i := range 50 {
		fmt.Fprintf(&text, "HTTP/1.1 200 OK\r\nA: %s\r\n", strings.Repeat("x", i*200))
		if body := strings.Repeat("y", i*100); i%2 == 0 {
			fmt.Fprintf(&text, "Content-Length: %d\r\n\r\n%s", len(body), body)
		} else {
			fmt.Fprintf(&text, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nT: %d\r\n\r\n", len(body), body, i)
		}
	}
	c := NewConn(&script{pieces: []string{text.String()}})
	for i := range 50 {
		r, err := c.ReadResponse("GET")
		if err != nil || len(r.Fields[0].Value) != i*200 {
			t.Fatal(i, err)
		}
		body, err := io.ReadAll(c)
		if trailer, _ := c.Trailer().Get("t"); err != nil || len(body) != i*100 || (trailer == fmt.Sprint(i)) != (i%2 == 1) {
			t.Fatal(i, err, len(body), trailer)
		}
	}
	if c.Received() != int64(text.Len()) {
		t.Errorf("received %d of %d", c.Received(), text.Len())
	}
}
