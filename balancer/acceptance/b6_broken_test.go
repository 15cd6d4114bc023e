package acceptance

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

func b6Late() []row {
	hurried := func(s script) func(*plan) {
		return func(p *plan) { p.pool().Timeout, p.pool().IdleTimeout, p.workers = brief, brief, []script{s} }
	}
	dribble := func(p *play) bool {
		if p.read() != nil || !p.say("HTTP/1.1 200 OK\r\nX: ") {
			return false
		}
		ticker := time.NewTicker(brief / 15)
		defer ticker.Stop()
		for p.say("x") {
			<-ticker.C
		}
		return false
	}
	var rows []row
	for _, b := range []struct {
		name   string
		script script
	}{{"no answer", silent}, {"half a head", says("HTTP/1.1 200 OK\r\nX: ")}, {"a head that dribbles", dribble}} {
		for _, method := range []string{"GET", "POST"} {
			rows = append(rows, row{name: "47 " + b.name + " to " + method, fault: true, with: hurried(b.script), run: func(x *trial) {
				x.sees(method+" /mult", 1) // whoever is late is not asked again
				a := x.ask(method + " /mult HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
				x.refusal(a, 504)
			}})
		}
	}
	for _, head := range []string{"Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"} {
		rows = append(rows, row{name: fmt.Sprintf("47 the body stalls: %.20q", head), fault: true, with: hurried(says("HTTP/1.1 200 OK\r\n" + head)), run: aborted})
	}
	return rows
}

// aborted asserts that the client can tell that its answer is not whole, and that it is not logged as a crash of ours.
func aborted(x *trial) {
	x.sees("GET /mult", 1)
	c := x.dial().send(get("/mult", ""))
	if a, err := c.read("GET"); err == nil {
		x.Errorf("the client got a whole answer: %d %q", a.status, a.body)
	}
	c.closed()
	x.await("the slot is free", x.idle)
	if text := x.log.String(); strings.Contains(text, "panic") || strings.Contains(text, "goroutine") {
		x.Errorf("logged as a crash: %s", text)
	}
}

func b6Broken() []row {
	var rows []row
	for _, b := range []struct{ name, answer string }{
		{"with a length", "Content-Length: 100\r\n\r\nhalf"}, {"before the first byte", "Content-Length: 100\r\n\r\n"}, {"between chunks", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"},
		{"in a chunk", "Transfer-Encoding: chunked\r\n\r\n40\r\nhalf"}, {"in a chunk's size", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n4"},
		{"in the last chunk", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n"}, {"in the trailer", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nX-Sum: 4"},
		{"by a chunk size that is none", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"}, {"by bytes behind a chunk", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalfXX\r\n0\r\n\r\n"},
		{"by a trailer that says how long the body was", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nContent-Length: 5\r\n\r\n"},
	} {
		rows = append(rows, row{name: "47 broken off " + b.name, fault: true, with: func(p *plan) { p.workers = []script{saysAndCloses("HTTP/1.1 200 OK\r\n" + b.answer)} }, run: aborted})
	}
	return rows
}

// b6Nonsense: answers that HTTP does not allow. The client gets 502, or what was meant in good order; the connection is never used again.
func b6Nonsense() []row {
	var rows []row
	for _, b := range []struct{ name, answer string }{
		{"garbage", "hello\r\n\r\n"}, {"a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok"}, {"status 000", "HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nok"},
		{"a status that is a word", "HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok"}, {"a negative status", "HTTP/1.1 -20 OK\r\nContent-Length: 2\r\n\r\nok"}, {"another protocol", "ICY 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		{"a head of 200 KiB", "HTTP/1.1 200 OK\r\nX: " + long + long + "\r\nContent-Length: 2\r\n\r\nok"}, {"200 KiB of small fields", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 40<<10) + "Content-Length: 2\r\n\r\nok"},
		{"CL and TE", "HTTP/1.1 200 OK\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"}, {"TE gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok"},
		{"TE chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"}, {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok"}, {"a length that is a list", "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok"}, {"length +2", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"},
		{"a CR in a field", "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok"}, {"NUL in a field", "HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nok"},
		{"ESC in a field", "HTTP/1.1 200 OK\r\nX: a\x1bb\r\nContent-Length: 2\r\n\r\nok"}, {"no colon", "HTTP/1.1 200 OK\r\nX\r\nContent-Length: 2\r\n\r\nok"}, {"an empty name", "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok"},
		{"a space before a colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"}, {"a space in a name", "HTTP/1.1 200 OK\r\nX Y: z\r\nContent-Length: 2\r\n\r\nok"}, {"a folded field", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok"},
		{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"}, {"ESC in the reason", "HTTP/1.1 200 \x1b[31m\r\nContent-Length: 2\r\n\r\nok"}, {"nothing", ""},
	} {
		rows = append(rows, row{name: "48 " + b.name, fault: true, with: func(p *plan) {
			p.pool().IdleTimeout, p.workers = brief, []script{saysThenListens(b.answer)}
		}, run: func(x *trial) {
			x.sees("POST /mult", 1)
			c := x.dial().send(post("/mult", "Content-Length: 2\r\n", "hi"))
			a, err := c.read("POST")
			switch {
			case errors.Is(err, io.ErrUnexpectedEOF): // it looked like an answer, and was broken off when it did not end
			case err != nil:
				x.Errorf("no answer: %v", err)
			case a.status == 200: // sanitised: by the letter, or reading it had failed
				if string(a.body) != "ok" {
					x.Errorf("the client got %q", a.body)
				}
			default:
				x.refusal(a, 502)
			}
			x.await("the slot is free", x.idle)
			x.ask(get(after, ""))
			if a != nil && a.status != 200 && !x.first().fresh() {
				x.Errorf("the connection was used again")
			}
		}})
	}
	rows = append(rows, row{name: "48 CL and TE: not used again", fault: true, with: func(p *plan) {
		p.workers = []script{says("HTTP/1.1 200 OK\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")}
	}, run: func(x *trial) {
		x.sees("POST /mult", 1)
		x.ask(post("/mult", "Content-Length: 2\r\n", "hi"))
		x.ask(get(after, ""))
		if !x.first().fresh() {
			x.Errorf("the connection was used again")
		}
	}})
	return rows
}

// saysThenListens is says, but for a worker that says nothing at all: that one hangs up.
func saysThenListens(bytes string) script {
	if bytes == "" {
		return saysAndCloses("")
	}
	return says(bytes)
}

// b6Extra: bytes behind a complete answer.
func b6Extra() []row {
	n := often(1000, 200)
	extra := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"
	return []row{{name: fmt.Sprintf("49 bytes behind an answer reach nobody, %d times", n), fault: true, with: func(p *plan) { p.workers = []script{says(extra)} }, run: func(x *trial) {
		c := x.dial()
		for i := range n {
			send := get("/mult", "")
			if i%2 == 1 {
				send = post("/mult", "Content-Length: 2\r\n", "hi")
			}
			if a := c.send(send).answer(send); a.status != 200 || string(a.body) != "ok" {
				x.Fatalf("request %d: status %d %q", i, a.status, a.body)
			}
		}
		x.sees("GET /mult", n/2)
		x.sees("POST /mult", n/2)
	}}}
}
