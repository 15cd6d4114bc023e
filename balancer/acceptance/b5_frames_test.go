package acceptance

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// b5Frames: HTTP/2 is spoken over TLS only; in plain text it is refused, which is row 3.
func b5Frames() []row {
	return []row{
		{name: "44 what HTTP/1.1 does not allow never comes out of HTTP/2", run: func(x *trial) {
			if !x.front.secure {
				x.prior()
				return
			}
			x.maySee("GET /mult", 20)
			for _, f := range [][2]string{
				{"", "x"}, {" x", "y"}, {"x ", "y"}, {"x:y", "z"}, {"X-Upper", "y"}, {"x", "a\r\nEvil: b"}, {"x", "a\x00b"}, {"x", " padded "}, {"connection", "close"}, {"transfer-encoding", "chunked"},
				{"upgrade", "websocket"}, {"te", "gzip"}, {"content-length", "5"}, {":path", "/evil"}, {"host", "evil"}, {"\x80", "y"},
			} {
				fr := x.frames()
				fr.request(1, "/mult", f)
				fr.until(1)
				fr.c.close()
			}
			x.await("the slot is free", x.idle)
			for _, m := range x.first().requests() {
				for _, f := range m.fields {
					if strings.EqualFold(f.name, "Evil") || f.name == "Connection" || strings.Contains(f.value, "evil") {
						x.Errorf("the worker saw %s: %q", f.name, f.value)
					}
				}
			}
		}},
		{name: "44 streams that are reset as soon as they are opened", run: func(x *trial) {
			if !x.front.secure {
				x.prior()
				return
			}
			n := often(100000, 1000)
			x.maySee("GET /mult", n)
			fr := x.frames()
			go func() { _, _ = io.Copy(io.Discard, fr.c.c) }() // ends with the connection
			for i := range n {
				fr.request(uint32(2*i+1), "/mult")
				if fr.WriteRSTStream(uint32(2*i+1), http2.ErrCodeCancel) != nil {
					break // the server had enough
				}
			}
			if a := x.ask(get(after, "Connection: close\r\n")); a.status != 200 {
				x.Errorf("meanwhile: status %d", a.status)
			}
		}},
	}
}

// prior asserts that HTTP/2 in plain text is refused.
func (x *trial) prior() {
	c := x.dial().send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	x.refusal(c.answer("GET"), 505)
	c.closed()
}

// framer speaks HTTP/2 frame by frame.
type framer struct {
	c *client
	*http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
}

func (x *trial) frames() *framer {
	conn, err := net.Dial("tcp", x.addr)
	if err != nil {
		x.Fatal(err)
	}
	_ = conn.SetDeadline(soon())
	line := tls.Client(conn, trusting("h2"))
	c := &client{x: x, c: line}
	x.clients = append(x.clients, c)
	if err := line.Handshake(); err != nil || line.ConnectionState().NegotiatedProtocol != "h2" {
		x.Fatalf("no HTTP/2: %v", err)
	}
	fr := &framer{c: c, Framer: http2.NewFramer(line, line)}
	fr.AllowIllegalWrites = true
	fr.enc = hpack.NewEncoder(&fr.block)
	c.send(http2.ClientPreface)
	if err := fr.WriteSettings(); err != nil {
		x.Fatal(err)
	}
	return fr
}

// request opens a stream with a GET that has these fields too.
func (fr *framer) request(stream uint32, path string, fields ...[2]string) {
	fr.block.Reset()
	for _, f := range append([][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "h"}, {":path", path}}, fields...) {
		_ = fr.enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) // a Buffer takes everything
	}
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: fr.block.Bytes(), EndStream: true, EndHeaders: true})
}

// until reads until the stream has ended, however.
func (fr *framer) until(stream uint32) {
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return
		case *http2.HeadersFrame:
			if f.StreamID == stream && f.StreamEnded() {
				return
			}
		case *http2.DataFrame:
			if f.StreamID == stream && f.StreamEnded() {
				return
			}
		}
	}
}
