package acceptance

import (
	"fmt"
	"io"
	"strings"
)

// steps is a worker that begins an answer with head, and then says one piece for each value of the row's channel.
func steps(head string, next <-chan string) script {
	return func(p *play) bool {
		if p.read() != nil || !p.say("%s", head) {
			return false
		}
		for piece := range next {
			if !p.say("%s", piece) {
				return false
			}
		}
		return true
	}
}

// b4Streams: what a worker says reaches the client before it says more. The rows go by events: the worker does not go on before the
// client has what it said.
func b4Streams() []row {
	var rows []row
	for _, s := range []struct{ name, fields string }{
		{"server-sent events", "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"},
		{"server-sent events with a charset", "Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"},
		{"chunks of anything", "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"},
		{"a known length", "Content-Length: 18\r\n"},
		{"an end by closing", "Content-Type: text/event-stream\r\nConnection: close\r\n"},
	} {
		next := make(chan string, 1)
		rows = append(rows, row{name: "34 " + s.name,
			with: func(p *plan) {
				next = make(chan string, 1) // each front has its own
				p.workers = []script{steps("HTTP/1.1 200 OK\r\n"+s.fields+"\r\n", next)}
			},
			run: func(x *trial) {
				x.sees("GET /mult", 1)
				c := x.dial().send(get("/mult", ""))
				piece := "data: 1\n\n"
				if strings.Contains(s.fields, "chunked") {
					piece = fmt.Sprintf("%x\r\ndata: 1\n\n\r\n", 9)
				}
				next <- piece
				m, err := readStart(c.r)
				if err != nil || !strings.HasPrefix(m.start, "HTTP/1.1 200") {
					x.Fatalf("got %+v %v", m, err)
				}
				c.piece("data: 1\n\n", m)
				next <- piece
				c.piece("data: 1\n\n", m)
				if strings.Contains(s.fields, "chunked") {
					next <- "0\r\n\r\n"
				}
				close(next)
				if strings.Contains(s.fields, "close") {
					// The worker's connection must end for the answer to end; steps reports that it goes on, so the row ends it.
					x.first().cut()
				}
				if size, _ := m.framing(); size == -1 {
					if line, err := readLine(c.r); err != nil || line != "0" {
						x.Errorf("the end is %q %v", line, err)
					}
				}
			}})
	}
	return rows
}

// piece reads one piece of a body, in whatever frame it comes.
func (c *client) piece(want string, m *message) {
	if size, _ := m.framing(); size == -1 {
		line, err := readLine(c.r)
		if err != nil || line != fmt.Sprintf("%x", len(want)) {
			c.x.Fatalf("a chunk of %q %v, want %d", line, err, len(want))
		}
		want += "\r\n"
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
		c.x.Fatalf("got %q %v, want %q", got, err, want)
	}
}

func b4Interim() []row {
	const final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Final: 1\r\n\r\nok"
	return []row{
		{name: "35 103 without what concerns the connection, and ours are in the answer", with: func(p *plan) {
			p.workers = []script{says("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Understudy-Worker: evil\r\n\r\n" + final)}
		}, run: func(x *trial) {
			x.sees("GET /mult", 1)
			a := x.ask(get("/mult", ""))
			if len(a.interim) != 1 || !strings.HasPrefix(a.interim[0].start, "HTTP/1.1 103") {
				x.Fatalf("%d answers before the answer", len(a.interim))
			}
			is(x, a.interim[0], "Link", "</a.css>")
			lacks(x, a.interim[0], "Connection", "X-Hop", "Keep-Alive", "X-Understudy-Worker")
			for _, name := range []string{"X-Final", "X-Request-Id", "X-Understudy-Worker", "X-Understudy-Start", "Server-Timing"} {
				if !a.has(name) {
					x.Errorf("the answer lacks %s: %v", name, a.fields)
				}
			}
			lacks(x, a.message, "Link")
		}},
		{name: "35 no 1xx for HTTP/1.0", with: func(p *plan) {
			p.workers = []script{says("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + final)}
		}, run: func(x *trial) {
			x.sees("GET /mult", 1)
			if a := x.ask("GET /mult HTTP/1.0\r\nHost: h\r\n\r\n"); len(a.interim) > 0 || a.status != 200 {
				x.Errorf("status %d behind %d others", a.status, len(a.interim))
			}
		}},
		{name: "35 100 that nobody asked for is not passed on", with: func(p *plan) {
			p.workers = []script{says("HTTP/1.1 100 Continue\r\n\r\n" + final)}
		}, run: func(x *trial) {
			x.sees("POST /mult", 1)
			if a := x.ask(post("/mult", "Content-Length: 2\r\n", "hi")); len(a.interim) > 0 || a.status != 200 {
				x.Errorf("status %d behind %d others", a.status, len(a.interim))
			}
		}},
		{name: "35 10 000 answers before the answer", fault: true, with: func(p *plan) {
			p.workers = []script{says(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", 10000) + final)}
		}, run: func(x *trial) {
			x.sees("POST /mult", 1)
			a := x.ask(post("/mult", "Content-Length: 2\r\n", "hi"))
			x.refusal(a, 502)
			if len(a.interim) > 100 {
				x.Errorf("%d were passed on", len(a.interim))
			}
			if !x.first().hungUp() {
				x.Errorf("the worker's connection stays open")
			}
		}},
	}
}

func b4Trailers() []row {
	answer := func(fields, trailer string) func(*plan) {
		return func(p *plan) {
			p.workers = []script{says("HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n" + fields + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n" + trailer + "\r\n")}
		}
	}
	arrives := func(x *trial) {
		x.sees("POST /mult", 1)
		a := x.ask(post("/mult", "TE: trailers\r\nContent-Length: 2\r\n", "hi"))
		if a.status != 200 || string(a.body) != "body" {
			x.Errorf("status %d %q", a.status, a.body)
		}
		got := map[string]string{}
		for _, f := range a.trailer {
			got[strings.ToLower(f.name)] = f.value
		}
		if got["grpc-status"] != "13" || got["grpc-message"] != "it%20broke" || len(got) != 2 {
			x.Errorf("the trailer is %v", a.trailer)
		}
		lacks(x, a.message, "Grpc-Status", "Grpc-Message")
	}
	const trailer = "Grpc-Status: 13\r\nGrpc-Message: it%20broke\r\n"
	return []row{
		{name: "36 a trailer that was announced", with: answer("Trailer: Grpc-Status, Grpc-Message\r\n", trailer), run: arrives},
		{name: "36 a trailer that was not announced", with: answer("", trailer), run: arrives},
		{name: "36 a trailer of which a part was announced", with: answer("Trailer: Grpc-Status\r\n", trailer), run: arrives},
		{name: "36 only the balancer says who it is", with: answer("", trailer+"X-Understudy-Worker: evil\r\n"), run: arrives},
	}
}

// b4Bodiless: an answer that has no body by what it answers, whatever the worker sends behind it.
func b4Bodiless() []row {
	var rows []row
	for _, b := range []struct{ name, method, head string }{
		{"HEAD with a body", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
		{"HEAD with chunks", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
		{"204 with a body", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"},
		{"204 with chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
		{"304 with a body", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nEtag: \"x\"\r\n\r\nhello"},
		{"304 without one", "GET", "HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n"},
	} {
		rows = append(rows, row{name: "37 " + b.name, with: func(p *plan) {
			p.workers = []script{func(p *play) bool { return p.read() == nil && p.say("%s", b.head) }}
		}, run: func(x *trial) {
			x.sees(b.method+" /mult", 3)
			c := x.dial()
			for range 3 {
				request := b.method + " /mult HTTP/1.1\r\nHost: h\r\n\r\n"
				if a := c.send(request).answer(request); a.status >= 500 || a.size > 0 {
					x.Fatalf("status %d %q", a.status, a.body)
				}
			}
			c.stays()
		}})
	}
	return rows
}
