package acceptance

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// b2Chunks: a chunked body that is not one. The client is told, and no worker takes what it got for a whole body.
func b2Chunks() []row {
	var rows []row
	for _, b := range []struct{ name, body string }{
		{"no size", "\r\nhello\r\n0\r\n\r\n"}, {"size 0x5", "0x5\r\nhello\r\n0\r\n\r\n"}, {"size -1", "-1\r\nhello\r\n0\r\n\r\n"}, {"size +5", "+5\r\nhello\r\n0\r\n\r\n"},
		{"a size of 17 digits", "10000000000000005\r\nhello\r\n0\r\n\r\n"}, {"size 1Z", "1Z\r\nhello\r\n0\r\n\r\n"}, {"a space before the size", " 5\r\nhello\r\n0\r\n\r\n"},
		{"bare LF behind the size", "5\nhello\r\n0\r\n\r\n"}, {"bare LF in an extension", "5;a\nhello\r\n0\r\n\r\n"}, {"a CR too many", "5\r\r;a\r\nhello\r\n0\r\n\r\n"}, {"a bare CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"},
		{"data longer than its size", "5\r\nhelloXX0\r\n\r\n"}, {"bare LF behind the data", "5\r\nhello\n0\r\n\r\n"}, {"no line end behind the data", "5\r\nhello0\r\n\r\n"},
		{"garbage behind a good chunk", "5\r\nhello\r\nzz\r\n"}, {"a bad last chunk", "5\r\nhello\r\n0x0\r\n\r\n"}, {"a size with a tab", "5\t5\r\nhello\r\n0\r\n\r\n"}, {"size \u0665", "\u0665\r\nhello\r\n0\r\n\r\n"},
		{"NUL in the size", "5\x00\r\nhello\r\n0\r\n\r\n"}, {"a negative zero", "5\r\nhello\r\n-0\r\n\r\n"},
	} {
		rows = append(rows, cut("18 "+b.name, chunked(b.body+smuggled), 400))
	}
	extension := strings.Repeat("1;"+strings.Repeat("e", 4000)+"\r\nx\r\n", 50)
	rows = append(rows, row{name: "19 more extension than data", run: func(x *trial) {
		x.maySee("POST /mult", 1)
		c := x.dial().send(chunked(extension))
		x.refusal(c.answer("POST"), 400)
		c.closed()
		for _, m := range x.brokenOff() {
			if m.size > 5 {
				x.Errorf("%d bytes got through before it was noticed, of 4 000 bytes of extension each", m.size)
			}
		}
	}})
	rows = append(rows, either("19 a short extension is dropped", chunked("5;a=b\r\nhello\r\n0\r\n\r\n"), "POST /mult", bodied("hello"), 400))
	return rows
}

// cut is a body that breaks the rules somewhere: refused, and a worker that has begun to get it never sees its end.
func cut(name, send string, status int) row {
	return row{name: name, send: send, run: func(x *trial) {
		x.maySee("POST /mult", 1)
		c := x.dial().send(send)
		x.refusal(c.answer(send), status)
		c.closed()
		x.brokenOffOnly()
	}}
}

// brokenOffOnly checks that no worker has got the end of a request that was refused.
func (x *trial) brokenOffOnly() {
	for _, m := range x.brokenOff() {
		if m.whole {
			x.Errorf("the worker got a whole body: %.100q", m.body)
		}
	}
}

// brokenOff is what the worker got of a request that was broken off, if it got anything, once it gets no more.
func (x *trial) brokenOff() []*message {
	x.await("the worker is let go", x.idle)
	all := x.first().requests()
	if len(all) > 0 {
		x.await("the worker's connection is closed", x.first().hungUp)
	}
	return all
}

func b2Trailers() []row {
	var rows []row
	for _, name := range []string{"Content-Length", "Transfer-Encoding"} {
		rows = append(rows, refused("20 a trailer declared as "+name, post("/mult", "Transfer-Encoding: chunked\r\nTrailer: "+name+"\r\n", "5\r\nhello\r\n0\r\n"+name+": 1\r\n\r\n"), 400))
	}
	for _, name := range []string{"Host", "Authorization", "X-Forwarded-For", "X-Understudy-Worker", "X_Forwarded_For", "Content-Length", "Transfer-Encoding", "Connection", "X-Request-Id"} {
		body := "5\r\nhello\r\n0\r\n" + name + ": evil\r\n\r\n"
		rows = append(rows, either("20 the undeclared trailer "+name, chunked(body), "POST /mult", unfooled(name), 400))
		if name != "Content-Length" && name != "Transfer-Encoding" {
			// The list knows undeclared ones only; we forward declared trailers, so the reserved names must be kept out of those too.
			rows = append(rows, either("20 the declared trailer "+name, post("/mult", "Trailer: "+name+"\r\nTransfer-Encoding: chunked\r\n", body), "POST /mult", unfooled(name), 400))
		}
	}
	// Found by FuzzForwarded: a name that no trailer can have was a worker's fault.
	for _, name := range []string{"\x93 X-Sum", "X Sum", "X-\xc3\xa9", "(", "X-Sum, , X:Y", ""} {
		send := post("/mult", "Trailer: "+name+"\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")
		rows = append(rows, either(fmt.Sprintf("20 a trailer declared as %q", name), send, "POST /mult", bodied("hello"), 400))
	}
	// The list says that request trailers are not forwarded. Those that are declared are: gRPC needs nothing less, and they are checked.
	rows = append(rows, served("20 a declared trailer is forwarded", post("/mult", "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n"), "POST /mult", func(x *trial, m *message) {
		if len(m.trailer) != 1 || !strings.EqualFold(m.trailer[0].name, "X-Sum") || m.trailer[0].value != "42" {
			x.Errorf("the trailer is %v", m.trailer)
		}
	}))
	for _, b := range []struct{ name, trailer string }{{"no colon", "X-Sum\r\n"}, {"a bare CR", "X-Sum: a\rb\r\n"}, {"bare LF", "X-Sum: a\n"}, {"NUL", "X-Sum: \x00\r\n"}, {"a folded line", "X-Sum: a\r\n b\r\n"}} {
		// Whoever takes CRLF alone for a line end waits for more behind a bare LF, so that one may end as a slow body.
		rows = append(rows, row{name: "20 a trailer with " + b.name, with: func(p *plan) { p.Limits.Idle = 200 * time.Millisecond }, run: func(x *trial) {
			send := post("/mult", "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n"+b.trailer+"\r\n")
			x.maySee("POST /mult", 1)
			c := x.dial().send(send)
			if a := c.answer(send); a.status != 200 { // what is sent on is well formed, or the invariants say so
				x.refusal(a, 400, 408)
			}
			c.closed()
		}})
	}
	return rows
}

// unfooled asserts that a trailer did not become a field, nor a trailer that a worker could take for one of ours.
func unfooled(name string) func(*trial, *message) {
	return func(x *trial, m *message) {
		for _, f := range m.fields {
			if strings.Contains(f.value, "evil") {
				x.Errorf("the trailer became the field %s: %s", f.name, f.value)
			}
		}
		for _, f := range m.trailer {
			x.Errorf("the worker got the trailer %s: %s", f.name, f.value)
		}
		bodied("hello")(x, m)
	}
}

func b2Expect() []row {
	small := func(p *plan) { p.Limits.Body = 10 }
	rows := []row{
		row{name: "21 a body over the limit is not asked for", run: func(x *trial) {
			c := x.dial().send(post("/mult", "Content-Length: 11\r\nExpect: 100-continue\r\n", ""))
			a := c.answer("POST")
			if len(a.interim) > 0 {
				x.Errorf("it was asked for: %q", a.interim[0].start)
			}
			x.refusal(a, 413)
			c.closed()
		}}.under(small),
		refused("21 Expect something else", post("/mult", "Content-Length: 2\r\nExpect: x\r\n", "hi"), 417),
		{name: "21 a client that waits is asked when a worker is there", run: func(x *trial) {
			x.sees("POST /mult", 1)
			c := x.dial().send(post("/mult", "Content-Length: 5\r\nExpect: 100-continue\r\n", ""))
			m, err := readStart(c.r)
			if err != nil || !strings.HasPrefix(m.start, "HTTP/1.1 100") {
				x.Fatalf("got %+v %v", m, err)
			}
			if a := c.send("hello").answer("POST"); a.status != 200 {
				x.Errorf("status %d", a.status)
			}
			lacks(x, x.first().requests()[0], "Expect")
			c.stays()
		}},
	}
	for _, status := range []int{417, 200, 401} {
		rows = append(rows, row{
			name: fmt.Sprintf("21 a worker that answers %d without wanting the body", status),
			with: func(p *plan) {
				p.workers = []script{func(w *play) bool {
					if !strings.Contains(w.start, "/early") {
						return ok(w)
					}
					w.answer(status, "", "no")
					return w.hold()
				}}
			},
			run: func(x *trial) {
				x.sees("POST /mult/early", 1)
				x.sees("POST /mult", 100)
				c := x.dial().send(post("/mult/early", "Content-Length: 1000000\r\nExpect: 100-continue\r\n", ""))
				if a := c.answer("POST"); a.status != status || string(a.body) != "no" {
					x.Errorf("status %d %q", a.status, a.body)
				}
				c.close()
				c = x.dial()
				for range 100 {
					if a := c.again(post("/mult", "Content-Length: 2\r\n", "hi")); a.status != 200 || string(a.body) != "ok" {
						x.Fatalf("after it: status %d %q", a.status, a.body)
					}
				}
			},
		})
	}
	return rows
}

// unread is a body that nobody reads to its end.
func unread(n int64) io.Reader { return io.LimitReader(zeros{}, n) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
