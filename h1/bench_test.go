package h1

import (
	"io"
	"strings"
	"testing"
)

// endless yields the same text again and again.
type endless struct {
	script
	text string
}

func (e *endless) Read(p []byte) (int, error)  { return copy(p, e.text), nil }
func (e *endless) Write(p []byte) (int, error) { return len(p), nil }

const tenFields = "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sun, 22 Nov 2026 08:00:00 GMT\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n" +
	"Vary: Accept\r\nX-Understudy-Worker: w12\r\nX-Understudy-Start: warm\r\nServer-Timing: queue;dur=0.01, service;dur=12.3\r\nX-Request-Id: 0123456789abcdef\r\n"

// exchange is one request and its answer, without a network.
func exchange(tb testing.TB, c *Conn, buf []byte) {
	request := append(AppendField(AppendRequestLine(c.Scratch(), "GET", "/mult", "127.0.0.1:8080"), "User-Agent", "x"), "\r\n"...)
	if _, err := c.Write(request); err != nil {
		tb.Fatal(err)
	}
	c.KeepScratch(request)
	if _, err := c.ReadResponse("GET"); err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := c.Read(buf); err == io.EOF {
			break
		} else if err != nil {
			tb.Fatal(err)
		}
	}
	if !c.Reusable() {
		tb.Fatal("the connection cannot be used again")
	}
}

var answers = map[string]string{
	"length": tenFields + "Content-Length: 13\r\n\r\n" + `{"result":42}`,
	"chunks": tenFields + "Transfer-Encoding: chunked\r\n\r\nd\r\n" + `{"result":42}` + "\r\n0\r\n\r\n",
}

func BenchmarkExchange(b *testing.B) {
	for name, text := range answers {
		b.Run(name, func(b *testing.B) {
			c, buf := NewConn(&endless{text: text}), make([]byte, 1024)
			b.ReportAllocs()
			for b.Loop() {
				exchange(b, c, buf)
			}
		})
	}
}

// TestAnExchangeCostsOneAllocation: the text of the head.
func TestAnExchangeCostsOneAllocation(t *testing.T) {
	for name, text := range answers {
		c, buf := NewConn(&endless{text: text}), make([]byte, 1024)
		exchange(t, c, buf) // buffers grow once
		if n := testing.AllocsPerRun(100, func() { exchange(t, c, buf) }); n > 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkManyChunks(b *testing.B) {
	text := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("10\r\n0123456789abcdef\r\n", 100) + "0\r\n\r\n"
	c, buf := NewConn(&endless{text: text}), make([]byte, 32<<10)
	b.SetBytes(1600)
	b.ReportAllocs()
	for b.Loop() {
		exchange(b, c, buf)
	}
}
