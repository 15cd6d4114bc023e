package h1

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestTheBufferGrowsForALargeHeadAndShrinksAgain: also where so much came behind the head that it cannot shrink at once.
func TestTheBufferGrowsForALargeHeadAndShrinksAgain(t *testing.T) {
	large := "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 40<<10) + "\r\nContent-Length: 20000\r\n\r\n"
	for _, c := range []struct {
		name   string
		pieces []string
	}{
		{"the head alone", []string{large, strings.Repeat("y", 20_000)}},
		{"together with its body", []string{large + strings.Repeat("y", 20_000)}},
	} {
		conn := NewConn(&script{pieces: append(c.pieces, "HTTP/1.1 204 x\r\n\r\n")})
		r, err := conn.ReadResponse("GET")
		if err != nil || len(r.Fields[0].Value) != 40<<10 {
			t.Fatal(c.name, err)
		}
		if n, err := io.Copy(io.Discard, conn); n != 20_000 || err != nil || len(conn.in.buf) != bufferSize {
			t.Errorf("%s: %d bytes, %v; the buffer has %d bytes", c.name, n, err, len(conn.in.buf))
		}
		if r, err := conn.ReadResponse("GET"); err != nil || r.Status != 204 {
			t.Errorf("%s: %v, %v", c.name, r, err)
		}
	}
}

// TestTheEndOfAHeadIsFoundWhereverItIsSearchedFrom: bytes are searched once, with two looked at again.
func TestTheEndOfAHeadIsFoundWhereverItIsSearchedFrom(t *testing.T) {
	for text, want := range map[string]int{
		"a\r\n\r\n": 5, "a\n\n": 3, "a\n\r\n": 4, "a\r\n\n": 4, "a\r\n\r\nb\r\n\r\n": 5, "a\r\nb\r\n\r\n": 8,
		"": 0, "a": 0, "\n": 0, "a\r\n": 0, "a\r\n\r": 0, "a\r\nb\r\n": 0, "a\r\r\n\r": 0, "\r\r\r\n\r\r\n": 0,
	} {
		for from := range len(text) + 1 {
			if want > 0 && from >= want {
				break
			}
			if got := endOfHead([]byte(text), from); got != want {
				t.Errorf("%q from %d: %d, want %d", text, from, got, want)
			}
		}
	}
}

// TestALineIsLimitedWhereverItIsCut: the limit counts its CR, and is the same whether or not its end has come.
func TestALineIsLimitedWhereverItIsCut(t *testing.T) {
	for n := range 10 {
		text := strings.Repeat("x", n) + "\r\n"
		for cut := range len(text) + 1 {
			r := &reader{src: &script{pieces: []string{text[:cut], text[cut:]}}, buf: make([]byte, 4)}
			line, err := r.line(6)
			if fits := n+1 <= 6; (err == nil) != fits || fits && string(line) != text[:n] {
				t.Errorf("%d bytes cut at %d: %q, %v", n, cut, line, err)
			}
		}
	}
}

// TestLinesAreRightAtTheEdgesOfTheBuffer: wherever in the buffer a line begins.
func TestLinesAreRightAtTheEdgesOfTheBuffer(t *testing.T) {
	for skip := range 8 {
		for step := 1; step < 8; step++ {
			text := strings.Repeat("x", skip) + "ab\r\nc\r\n\r\nrest"
			var pieces []string
			for rest := text; rest != ""; rest = rest[min(step, len(rest)):] {
				pieces = append(pieces, rest[:min(step, len(rest))])
			}
			r := &reader{src: &script{pieces: pieces}, buf: make([]byte, 7)}
			if _, err := io.ReadFull(readerFunc(r.read), make([]byte, skip)); err != nil {
				t.Fatal(err)
			}
			var got []string
			for range 3 {
				line, err := r.line(3)
				got = append(got, fmt.Sprint(string(line), err))
			}
			if want := "[ab<nil> c<nil> <nil>]"; fmt.Sprint(got) != want {
				t.Errorf("skip %d, pieces of %d: %v", skip, step, got)
			}
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestAReaderThatYieldsNothing is an error rather than a spin.
func TestAReaderThatYieldsNothing(t *testing.T) {
	r := &reader{src: readerFunc(func([]byte) (int, error) { return 0, nil }), buf: make([]byte, 8)}
	if _, err := r.head(100); err != io.ErrNoProgress {
		t.Error(err)
	}
}
