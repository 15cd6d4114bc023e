package acceptance

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestB5: clients that are slow, huge, many, or gone.
func TestB5(t *testing.T) {
	accept(t, b5SlowHead(), b5SlowBody(), b5SlowReader(), b5Huge(), b5Many(), b5Queue(), b5Frames(), b5Gone())
}

// brief is a limit that is waited out. The rows that do are about time.
const brief = 150 * time.Millisecond

func b5SlowHead() []row {
	hurried := func(p *plan) { p.header = brief }
	// left asserts that the server gives the client up: with 408, or 400 for what came, or nothing, and the end of the connection.
	left := func(c *client) {
		text, err := io.ReadAll(c.r)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.x.Errorf("the connection stays open")
		}
		if len(text) > 0 && !strings.HasPrefix(string(text), "HTTP/1.1 40") {
			c.x.Errorf("it was told %.200q", text)
		}
	}
	return []row{
		{name: "38 half a head", with: hurried, run: func(x *trial) { left(x.dial().send("GET /mult HTTP/1.1\r\nHo")) }},
		{name: "38 half a request line", with: hurried, run: func(x *trial) { left(x.dial().send("GE")) }},
		{name: "38 a head that comes byte by byte without end", with: hurried, run: func(x *trial) {
			c := x.dial().send("GET /mult HTTP/1.1\r\nHost: h\r\nX: ")
			done, stop := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				ticker := time.NewTicker(brief / 15)
				defer ticker.Stop()
				for {
					select {
					case <-ticker.C:
						c.send("x")
					case <-stop:
						return
					}
				}
			}()
			left(c)
			close(stop)
			<-done
		}},
		{name: "38 half a head behind a request that was served", with: hurried, run: func(x *trial) {
			x.sees("GET /mult", 1)
			c := x.dial().send(get("/mult", ""))
			if a := c.answer("GET"); a.status != 200 {
				x.Errorf("status %d", a.status)
			}
			left(c.send("GET /mu"))
		}},
		{name: "38 an idle connection is closed", with: func(p *plan) { p.Limits.Idle = brief }, run: func(x *trial) {
			c := x.dial().send(get(after, ""))
			c.answer("GET")
			left(c)
		}},
	}
}

func b5SlowBody() []row {
	var rows []row
	for _, b := range []struct{ name, send string }{
		{"half a small body", post("/mult", "Content-Length: 10\r\n", "01234")},
		{"half a large body", post("/mult", "Content-Length: 1000000\r\n", long)},
		{"half a chunk", chunked("5\r\nhe")},
		{"chunks without end", chunked("5\r\nhello\r\n")},
		{"GET with a length and no body", get("/mult", "Content-Length: 10\r\n")},
		{"a client that asked first and sends nothing", post("/mult", "Expect: 100-continue\r\nContent-Length: 10\r\n", "")},
	} {
		rows = append(rows, row{name: "38 " + b.name, with: func(p *plan) { p.Limits.Idle = brief }, run: func(x *trial) {
			method, _, _ := strings.Cut(b.send, " ")
			x.maySee(method+" /mult", 1)
			c := x.dial().send(b.send)
			a, err := c.read(b.send)
			if err == nil {
				x.refusal(a, 408)
			}
			c.closed()
			x.brokenOffOnly()
		}})
	}
	return rows
}

// endless is an answer that does not end before the balancer hangs up.
func endless(p *play) bool {
	if p.read() == nil && p.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n") {
		_, _ = io.Copy(p.c, zeros{})
	}
	return false
}

func b5SlowReader() []row {
	return []row{
		{name: "39 a client that does not read is cut off", with: func(p *plan) {
			p.Limits.Idle, p.workers = brief, []script{endless}
		}, run: func(x *trial) {
			x.sees("GET /mult", 1)
			x.dial().send(get("/mult", ""))
			if code := take(x, x.books.finished, "the end of the request"); code != 499 {
				x.Errorf("recorded as %d", code)
			}
			x.await("the slot is free", x.idle)
		}},
		{name: "39 a worker is free when its answer is here, whoever reads it", with: func(p *plan) {
			p.workers = []script{func(w *play) bool { return w.read() == nil && w.answer(200, "", strings.Repeat("x", 60<<10)) }}
		}, run: func(x *trial) {
			x.sees("GET /mult", 1)
			c := x.dial().send(get("/mult", ""))
			x.await("the worker was asked and its slot is free", func() bool { return len(x.first().requests()) == 1 && x.idle() })
			if a := c.answer("GET"); a.size != 60<<10 {
				x.Errorf("%d bytes", a.size)
			}
		}},
	}
}

func b5Huge() []row {
	limited := func(p *plan) { p.Limits.Body = 100 << 10 }
	chunks := strings.Repeat("400\r\n"+strings.Repeat("x", 1024)+"\r\n", 200) + "0\r\n\r\n"
	return []row{
		refused("40 a length over the limit", post("/mult", "Content-Length: 102401\r\n", ""), 413).under(limited),
		refused("40 a length over the limit with some of it", post("/mult", "Content-Length: 1000000\r\n", long), 413).under(limited),
		served("40 a length at the limit", post("/mult", "Content-Length: 102400\r\n", long), "POST /mult", bodied(long)).under(limited),
		cut("40 chunks over the limit", chunked(chunks), 413).under(limited),
	}
}
