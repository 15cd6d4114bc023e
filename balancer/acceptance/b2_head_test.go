package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// TestB2: the syntax of the head, and where a body ends.
func TestB2(t *testing.T) {
	accept(t, b2Head(), b2Length(), b2Both(), b2Coding(), b2Chunks(), b2Trailers(), b2Expect(), b2Large(), b2Pipelines())
}

func b2Head() []row {
	folded := func(x *trial, m *message) { is(x, m, "X-Fold", "a b") }
	rows := []row{
		either("11 a folded line", get("/mult", "X-Fold: a\r\n b\r\n"), "GET /mult", folded, 400),
		either("11 a line folded with a tab", get("/mult", "X-Fold: a\r\n\tb\r\n"), "GET /mult", folded, 400),
		refused("11 a space before the first field", "GET /mult HTTP/1.1\r\n Host: h\r\n\r\n", 400),
		refused("11 a tab before the first field", "GET /mult HTTP/1.1\r\n\tX: 1\r\nHost: h\r\n\r\n", 400),
		either("12 bare LF", "GET /mult HTTP/1.1\nHost: h\nX-A: 1\n\n", "GET /mult", func(x *trial, m *message) { is(x, m, "X-A", "1") }, 400),
	}
	for _, f := range []struct{ name, field string }{
		{"a bare CR in a value", "X-A: a\rX-B: b"}, {"a bare CR before the end", "X-A: a\r"}, {"NUL in a value", "X-A: a\x00b"}, {"ESC in a value", "X-A: a\x1bb"},
		{"DEL in a value", "X-A: a\x7fb"}, {"an empty name", ": x"}, {"no colon", "X-A"}, {"a byte above 0x80 in a name", "X-\xc3\xa9: x"},
		{"a space in a name", "X A: x"}, {"a space before the colon", "X-A : x"}, {"a slash in a name", "X/A: x"}, {"NUL in a name", "X-\x00: x"},
	} {
		rows = append(rows, refused("12 "+f.name, get("/mult", f.field+"\r\n"), 400))
	}
	return rows
}

func b2Length() []row {
	length := func(fields string) string { return post("/mult", fields, "hello"+smuggled) }
	rows := []row{
		refused("13 a space before the colon of Content-Length", length("Content-Length : 5\r\n"), 400),
		refused("14 two lengths", length("Content-Length: 5\r\nContent-Length: 6\r\n"), 400),
		refused("14 two lengths, the second none", length("Content-Length: 5\r\nContent-Length: x\r\n"), 400),
		either("14 the same length twice", post("/mult", "Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), "POST /mult", bodied("hello"), 400),
	}
	for _, n := range []string{"+5", "-1", "0x5", "5,5", "5, 5", "5 5", "", "18446744073709551616", "9223372036854775808", "5.0", "5e0", "\u0665", "0005 ;"} {
		rows = append(rows, refused(fmt.Sprintf("14 length %q", n), length("Content-Length: "+n+"\r\n"), 400))
	}
	return rows
}

// once is a request whose end two readers could see at different places: refused, or forwarded alone and the connection closed behind it.
func once(name, send, body string) row {
	return row{name: name, send: send, run: func(x *trial) {
		c := x.dial().send(send)
		a := c.answer(send)
		c.closed()
		if a.status != 200 {
			x.refusal(a, 400, 501)
			return
		}
		is(x, a.message, "Connection", "close")
		x.sees("POST /mult", 1)
		bodied(body)(x, x.first().requests()[0])
	}}
}

func b2Both() []row {
	const te, cl = "Transfer-Encoding: chunked\r\n", "Content-Length: 4\r\n"
	old := func(fields, body string) string { return "POST /mult HTTP/1.0\r\nHost: h\r\n" + fields + "\r\n" + body }
	return []row{
		once("15 CL and TE", post("/mult", cl+te, "5\r\nhello\r\n0\r\n\r\n"+smuggled), "hello"),
		once("15 TE and CL", post("/mult", te+cl, "5\r\nhello\r\n0\r\n\r\n"+smuggled), "hello"),
		once("15 CL that covers what is behind the chunks", post("/mult", fmt.Sprintf("Content-Length: %d\r\n", 5+len(smuggled))+te, "0\r\n\r\n"+smuggled), ""),
		once("15 TE with other letters", post("/mult", cl+"tRANSFER-eNCODING: cHUNKED\r\n", "5\r\nhello\r\n0\r\n\r\n"+smuggled), "hello"),
		once("16 HTTP/1.0 with TE", old(te, "5\r\nhello\r\n0\r\n\r\n"+smuggled), ""),
		once("16 HTTP/1.0 with TE that asks to stay", old("Connection: keep-alive\r\n"+te, "0\r\n\r\n"+smuggled), ""),
		once("16 HTTP/1.0 with TE and CL", old(te+cl, "0\r\n\r\n"+smuggled), "0\r\n\r"),
	}
}

func b2Coding() []row {
	var rows []row
	for _, te := range []string{
		"chunked, chunked", "chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: identity", ",chunked", "xchunked", "identity", "gzip, chunked",
		"\x0bchunked", "chunked\x00", "chunked;q=1", "\"chunked\"", "chunked,", "", "chunke\xc4\xb1", "identity, chunked", "chunked, identity",
	} {
		rows = append(rows, refused(fmt.Sprintf("17 TE %q", te), post("/mult", "Transfer-Encoding: "+te+"\r\n", "5\r\nhello\r\n0\r\n\r\n"+smuggled), 400, 501))
	}
	rows = append(rows, either("17 TE on a folded line", post("/mult", "Transfer-Encoding:\r\n chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), "POST /mult", bodied("hello"), 400, 501))
	return rows
}

func b2Large() []row {
	var small strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&small, "X-%d: 1\r\n", i)
	}
	roomy := func(p *plan) { p.Limits.Header = 1 << 20 }
	return []row{
		refused("22 one field of 40 KiB", get("/mult", "X: "+long[:40<<10]+"\r\n"), 431),
		refused("22 5 000 small fields", get("/mult", small.String()), 431),
		refused("22 a URL of 100 KiB", get("/mult/"+long, ""), 431, 414),
		refused("22 a line without end", "GET /mult HTTP/1.1\r\nX: "+strings.Repeat(long, 5), 431),
		served("22 a URL of 100 KiB within the limit", get("/mult/"+long, ""), "GET /mult/"+long, nothing).under(roomy),
		// The list asks for a refusal; where the operator allows such a head, nothing bounds the number of fields but their bytes.
		either("22 5 000 small fields within the limit", get("/mult", small.String()), "GET /mult", func(x *trial, m *message) {
			if len(m.fields) < 5000 {
				x.Errorf("the worker saw %d fields", len(m.fields))
			}
		}, 431).under(roomy),
	}
}

func b2Pipelines() []row {
	return []row{
		{name: "23 a good request and a bad one in one segment", run: func(x *trial) {
			x.sees("GET /mult", 1)
			c := x.dial().send(get("/mult", "") + "GET /mult HTTP/1.1\r\nHost : h\r\n\r\n")
			if a := c.answer("GET"); a.status != 200 {
				x.Errorf("the good one: status %d", a.status)
			}
			x.refusal(c.answer("GET"), 400)
			c.closed()
		}},
		{name: "23 three good ones are answered in order", run: func(x *trial) {
			for _, n := range []string{"1", "2", "3"} {
				x.sees("POST /mult/"+n, 1)
			}
			c := x.dial().send(post("/mult/1", "Content-Length: 1\r\n", "1") + post("/mult/2", "Content-Length: 1\r\n", "2") + post("/mult/3", "Content-Length: 1\r\n", "3"))
			for _, n := range []string{"1", "2", "3"} {
				if a := c.answer("POST"); a.status != 200 || string(a.body) != n {
					x.Errorf("answer %s: status %d, %q", n, a.status, a.body)
				}
			}
			c.stays()
		}, with: func(p *plan) { p.workers = []script{echo} }},
		{name: "23 empty lines before a request", run: func(x *trial) {
			c := x.dial().send("\r\n\r\n" + get("/mult", ""))
			if a := c.answer("GET"); a.status == 200 {
				x.sees("GET /mult", 1)
			} else {
				x.refusal(a, 400)
				c.closed()
			}
		}},
	}
}

func echo(p *play) bool { return p.read() == nil && p.answer(200, "", string(p.body)) }
