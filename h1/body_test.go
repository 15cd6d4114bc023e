package h1

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

const chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

func TestChunks(t *testing.T) {
	for _, c := range []struct {
		name, text, body string
		want             error
	}{
		{"none", "0\r\n\r\n", "", nil},
		{"some", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!", nil},
		{"zeros in front", "00000000000000b\r\nhello world\r\n000\r\n\r\n", "hello world", nil},
		{"an extension", "5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n", "hello", nil},
		{"an extension of tabs", "5;\t\r\nhello\r\n0\r\n\r\n", "hello", nil},
		{"line ends in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", nil},
		{"an end in the data", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n", nil},

		{"no size", "\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"only an extension", ";a\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"0x5", "0x5\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"-1", "-1\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"+5", "+5\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"16 digits", "0000000000000005\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"17 digits", "10000000000000005\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"1Z", "1Z\r\nh\r\n0\r\n\r\n", "", ErrMalformed},
		{"a space in front", " 5\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"a space behind", "5 \r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"a space before the extension", "5 ;a\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"LF alone", "5\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"LF alone behind the data", "5\r\nhello\n0\r\n\r\n", "hello", ErrMalformed},
		{"LF alone behind the last", "5\r\nhello\r\n0\n\r\n", "hello", ErrMalformed},
		{"LF alone at the very end", "0\r\n\n", "", ErrMalformed},
		{"CR before the extension", "5\r;a\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"CR CR ;", "\r\r;\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"CR in the extension", "5;\r\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"NUL in the extension", "5;\x00\r\nhello\r\n0\r\n\r\n", "", ErrMalformed},
		{"longer than it says", "4\r\nhello\r\n0\r\n\r\n", "hell", ErrMalformed},
		{"shorter than it says", "6\r\nhello\r\n0\r\n\r\n", "hello\r", ErrMalformed},
		{"nothing between", "5\r\nhello0\r\n\r\n", "hello", ErrMalformed},

		{"cut in a size", "5", "", io.ErrUnexpectedEOF},
		{"cut behind a size", "5\r\n", "", io.ErrUnexpectedEOF},
		{"cut in the data", "5\r\nhel", "hel", io.ErrUnexpectedEOF},
		{"cut behind the data", "5\r\nhello", "hello", io.ErrUnexpectedEOF},
		{"cut behind a chunk", "5\r\nhello\r\n", "hello", io.ErrUnexpectedEOF},
		{"cut in the last", "5\r\nhello\r\n0", "hello", io.ErrUnexpectedEOF},
		{"cut behind the last", "5\r\nhello\r\n0\r\n", "hello", io.ErrUnexpectedEOF},
		{"cut one byte before the end", "5\r\nhello\r\n0\r\n\r", "hello", io.ErrUnexpectedEOF},
		{"cut in the trailer", "0\r\nA: b\r\n", "", io.ErrUnexpectedEOF},
		{"cut in a field of the trailer", "0\r\nA: ", "", io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := everyWay(t, chunkedHead+c.text, "GET")
			if !errors.Is(o.err, c.want) || o.body != c.body || o.reusable != (c.want == nil) {
				t.Errorf("%v reusable %v, want %v", o, o.reusable, c.want)
			}
		})
	}
}

func TestTrailers(t *testing.T) {
	many := func(n int) string { return strings.Repeat("A: b\r\n", n) }
	for _, c := range []struct {
		name, text string
		fields     int
		want       error
	}{
		{"one", "A: b\r\n", 1, nil},
		{"two of a name", "A: b\r\na:c \r\n", 2, nil},
		{"as many as there may be", many(MaxFields), MaxFields, nil},
		{"one too many", many(MaxFields + 1), 0, ErrTooLarge},
		{"too large", strings.Repeat("A: "+strings.Repeat("x", 1000)+"\r\n", 9), 0, ErrMalformed},
		{"one too large", "A: " + strings.Repeat("x", maxTrailer) + "\r\n", 0, ErrMalformed},
		{"no colon", "A\r\n", 0, ErrMalformed},
		{"a continued line", "A: b\r\n c\r\n", 0, ErrMalformed},
		{"LF alone", "A: b\n", 0, ErrMalformed},
		{"CR in a value", "A: b\rc\r\n", 0, ErrMalformed},
		{"a length", "content-LENGTH: 5\r\n", 0, ErrMalformed},
		{"a transfer coding behind another", "A: b\r\nTransfer-Encoding: chunked\r\n", 0, ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := everyWay(t, chunkedHead+"1\r\nx\r\n0\r\n"+c.text+"\r\n", "GET")
			if !errors.Is(o.err, c.want) || len(o.trailer) != c.fields || o.body != "x" || o.reusable != (c.want == nil) {
				t.Errorf("%v, want %v", o, c.want)
			}
		})
	}
}

// TestChunksMayNotBeMostlyOverhead: bytes for nothing end within 20 KiB (the class of CVE-2023-39326), tiny chunks alone do not.
func TestChunksMayNotBeMostlyOverhead(t *testing.T) {
	tiny := strings.Repeat("1\r\nx\r\n", 20_000) + "0\r\n\r\n"
	if o := everyWay(t, chunkedHead+tiny, "GET"); o.err != nil || len(o.body) != 20_000 {
		t.Errorf("tiny chunks: %d bytes, %v", len(o.body), o.err)
	}
	for _, length := range []int{100, 1000, 4000} {
		s := &script{pieces: bytewise(chunkedHead + strings.Repeat("1;"+strings.Repeat("e", length)+"\r\nx\r\n", 1000) + "0\r\n\r\n")}
		c := NewConn(s)
		if _, err := c.ReadResponse("GET"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); !errors.Is(err, ErrMalformed) || c.Received() > 22<<10 || c.Reusable() {
			t.Errorf("extensions of %d bytes: %v after %d bytes", length, err, c.Received())
		}
	}
	line := func(n int) string {
		return chunkedHead + "1;" + strings.Repeat("e", n-len("1;")) + "\r\nx\r\n0\r\n\r\n"
	}
	if o := everyWay(t, line(maxChunkLine-1), "GET"); o.err != nil { // and its CR
		t.Errorf("the longest line there may be: %v", o.err)
	}
	if o := everyWay(t, line(maxChunkLine), "GET"); !errors.Is(o.err, ErrMalformed) {
		t.Errorf("a line that is longer: %v", o.err)
	}
}

// TestWhatIsThereIsNotHeldBack: data comes when it comes, though the next chunk has begun and is not complete.
func TestWhatIsThereIsNotHeldBack(t *testing.T) {
	for _, begun := range []string{"", "\r", "\r\n", "\r\n5", "\r\n5;exten", "\r\n5\r\n", "\r\n0", "\r\n0\r\n", "\r\n0\r\nTrai", "\r\n0\r\nTrailer: late\r\n"} {
		never := errors.New("this would have waited")
		c := NewConn(&script{pieces: []string{chunkedHead + "3\r\nhel\r\n2\r\nlo" + begun}, end: never})
		if _, err := c.ReadResponse("GET"); err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 100)
		if n, err := c.Read(p); string(p[:n]) != "hello" || err != nil {
			t.Errorf("behind it %q: %q, %v", begun, p[:n], err)
		}
		if _, err := c.Read(p); !errors.Is(err, never) {
			t.Errorf("then %v", err)
		}
	}
}

// TestAnEndThatIsThereIsSeen: with the last byte comes io.EOF, so that an answer in one piece costs one Read.
func TestAnEndThatIsThereIsSeen(t *testing.T) {
	for _, text := range []string{chunkedHead + "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"} {
		for _, room := range []int{5, 100} {
			c := NewConn(&script{pieces: []string{text}})
			if _, err := c.ReadResponse("GET"); err != nil {
				t.Fatal(err)
			}
			p := make([]byte, room)
			if n, err := c.Read(p); string(p[:n]) != "hello" || err != io.EOF || !c.Reusable() {
				t.Errorf("%q %v", p[:n], err)
			}
		}
	}
}

func TestReadingNothing(t *testing.T) {
	for _, text := range []string{"Content-Length: 2\r\n\r\nok", "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "\r\nok"} {
		c := NewConn(&script{pieces: bytewise("HTTP/1.1 200 OK\r\n" + text)})
		if _, err := c.ReadResponse("GET"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if n, err := c.Read(nil); n != 0 || err != nil {
				t.Errorf("%q: %d, %v", text, n, err)
			}
		}
		if body, err := io.ReadAll(c); string(body) != "ok" || err != nil {
			t.Errorf("%q: %q, %v", text, body, err)
		}
		if n, err := c.Read(nil); n != 0 || err != io.EOF {
			t.Errorf("%q at its end: %d, %v", text, n, err)
		}
	}
}

// TestABodyThatBreaks: an error of the connection is handed on as it is, again and again, and nothing follows.
func TestABodyThatBreaks(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"Content-Length: 9\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n9\r\nhello", "\r\nhello"} {
		s := &script{pieces: []string{"HTTP/1.1 200 OK\r\n" + text}, end: broken}
		c := NewConn(s)
		if _, err := c.ReadResponse("GET"); err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(c); string(body) != "hello" || err != broken || c.Reusable() {
			t.Errorf("%q: %q, %v", text, body, err)
		}
		s.pieces = []string{"more"}
		if n, err := c.Read(make([]byte, 9)); n != 0 || err != broken {
			t.Errorf("%q: after the error %d, %v", text, n, err)
		}
	}
	c := NewConn(&script{end: broken, pieces: []string{"HTTP/1.1 2"}})
	if _, err := c.ReadResponse("GET"); err != broken || c.Reusable() {
		t.Errorf("in a head: %v", err)
	}
}

// TestALargeBodyPassesTheBuffer: pieces of any size against reads of any size.
func TestALargeBodyPassesTheBuffer(t *testing.T) {
	var data strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&data, "%d,", i)
	}
	var chunks strings.Builder
	for rest, i := data.String(), 1; rest != ""; i = i*7%9973 + 1 {
		n := min(i, len(rest))
		fmt.Fprintf(&chunks, "%X\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	for _, text := range []string{
		fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", data.Len(), data.String()),
		chunkedHead + chunks.String() + "0\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n" + data.String(),
	} {
		for _, size := range []int{1, 1000, bufferSize - 1, bufferSize, bufferSize + 1, 1 << 20} {
			for _, step := range []int{1, 999, bufferSize, 1 << 20} {
				if size == 1 && step != 999 {
					continue
				}
				var pieces []string
				for rest := text; rest != ""; rest = rest[min(step, len(rest)):] {
					pieces = append(pieces, rest[:min(step, len(rest))])
				}
				if o := receive(&script{pieces: pieces}, "GET", size); o.body != data.String() || o.err != nil {
					t.Fatalf("reads of %d, pieces of %d: %d bytes of %d, %v", size, step, len(o.body), data.Len(), o.err)
				}
			}
		}
	}
}
