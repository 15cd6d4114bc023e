package h1

import (
	"io"
	"net"
	"testing"
)

// TestConn: one request, its answer, and the connection is good for another.
func TestConn(t *testing.T) {
	near, far := net.Pipe()
	c := NewConn(near)
	go func() {
		buf := make([]byte, 1024)
		n, _ := far.Read(buf)
		if got := string(buf[:n]); got != "GET /x HTTP/1.1\r\nHost: h\r\n\r\n" {
			t.Errorf("request %q", got)
		}
		_, _ = io.WriteString(far, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n")
	}()
	if _, err := c.Write(append(AppendRequestLine(c.Scratch(), "GET", "/x", "h"), "\r\n"...)); err != nil {
		t.Fatal(err)
	}
	r, err := c.ReadResponse("GET")
	if err != nil || r.Status != 100 {
		t.Fatal(r, err)
	}
	if r, err = c.ReadResponse("GET"); err != nil || r.Status != 200 || !r.Body {
		t.Fatal(r, err)
	}
	body, err := io.ReadAll(c)
	if v, _ := c.Trailer().Get("x"); string(body) != "abc" || err != nil || v != "y" || !c.Reusable() {
		t.Fatalf("%q %v %v %v", body, err, c.Trailer(), c.Reusable())
	}
}
