package acceptance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"

	"understudy/fleet"
)

// TestB4: upgrades and streams.
func TestB4(t *testing.T) {
	accept(t, b4Upgrades(), b4Tunnels(), b4Streams(), b4Interim(), b4Trailers(), b4Bodiless())
}

const upgrade = "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"

// switches is a worker that agrees to any upgrade, names the protocol, and then runs fn.
func switches(protocol string, fn func(p *play)) script {
	return func(p *play) bool {
		if p.read() == nil && p.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol) {
			fn(p)
		}
		return false
	}
}

func b4Upgrades() []row {
	var rows []row
	for _, fields := range []string{
		"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n", "Connection: Upgrade\r\nUpgrade: H2C, foo\r\n",
		"Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n",
	} {
		rows = append(rows, served(fmt.Sprintf("30 %q", fields[:min(len(fields)-2, 60)]), get("/mult", fields), "GET /mult", func(x *trial, m *message) {
			lacks(x, m, "Upgrade", "HTTP2-Settings", "Connection")
		}))
	}
	for _, w := range []struct {
		name, request string
		script        script
	}{
		{"unasked", get("/chat", ""), switches("websocket", hangOn)},
		{"to another protocol", upgrade, switches("h2c", hangOn)},
		{"without saying to which", upgrade, says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n")},
		{"to a POST", post("/chat", "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n", "hi"), switches("websocket", hangOn)},
		{"to HTTP/1.0", "GET /chat HTTP/1.0\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", switches("websocket", hangOn)},
	} {
		times := 20
		if w.name == "unasked" {
			times = often(1000, 200)
		}
		rows = append(rows, row{
			name: fmt.Sprintf("32 a worker switches %s, %d times", w.name, times), fault: true,
			with: func(p *plan) { p.workers = []script{w.script} },
			run: func(x *trial) {
				m, _, _ := bytes.Cut([]byte(w.request), []byte(" HTTP/"))
				x.sees(string(m), times)
				c := x.dial()
				for range times {
					x.refusal(c.again(w.request), 502)
				}
				c.close()
				if n := now().fds - x.bare.fds; n > 8 {
					x.Errorf("%d descriptors are left", n)
				}
			},
		})
	}
	return rows
}

func hangOn(p *play) { p.hold() }

func b4Tunnels() []row {
	return []row{
		{name: "31 websocket: frames of 1 MiB both ways, idle longer than any limit, one task in flight",
			with: func(p *plan) {
				p.Limits.Idle, p.pool().IdleTimeout, p.pool().Timeout = 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
				p.header, p.workers = 100*time.Millisecond, nil
			},
			run: func(x *trial) { x.chat() }},
		{name: "31 the client ends its half first", with: func(p *plan) {
			p.workers = []script{switches("websocket", func(p *play) {
				text, _ := io.ReadAll(p.r)
				p.say("%s, it said", text)
			})}
		}, run: func(x *trial) {
			c := x.switched("")
			c.send("bye")
			_ = c.c.CloseWrite()
			if text, err := io.ReadAll(c.r); string(text) != "bye, it said" || err != nil {
				x.Errorf("got %q %v", text, err)
			}
		}},
		{name: "31 the worker ends its half first", with: func(p *plan) {
			p.workers = []script{switches("websocket", func(p *play) {
				p.say("bye")
				_ = p.c.(interface{ CloseWrite() error }).CloseWrite()
				text, _ := io.ReadAll(p.r)
				p.rec.heard <- string(text)
			})}
		}, run: func(x *trial) {
			c := x.switched("")
			if text, err := io.ReadAll(c.r); string(text) != "bye" || err != nil {
				x.Errorf("got %q %v", text, err)
			}
			c.send("and you")
			_ = c.c.CloseWrite()
			if text := take(x, x.first().heard, "the worker to hear the rest"); text != "and you" {
				x.Errorf("the worker heard %q", text)
			}
		}},
		{name: "33 bytes right behind an upgrade are delivered", with: func(p *plan) {
			p.workers = []script{switches("websocket", func(p *play) { _, _ = io.Copy(p.c, p.r) })}
		}, run: func(x *trial) {
			c := x.switched("early bytes")
			_ = c.c.CloseWrite()
			if text, err := io.ReadAll(c.r); string(text) != "early bytes" || err != nil {
				x.Errorf("got %q %v", text, err)
			}
		}},
		{name: "33 bytes right behind a declined upgrade are the next request", run: func(x *trial) {
			x.sees("GET /chat", 1)
			c := x.dial().send(upgrade + get(after, ""))
			if a := c.answer("GET"); a.status != 200 {
				x.Errorf("status %d", a.status)
			}
			if a, err := c.read("GET"); err == nil && a.status != 200 { // or the connection is closed: never anything between
				x.Errorf("status %d", a.status)
			}
		}},
	}
}

// switched is a client whose upgrade was agreed to. It sends more right behind its request.
func (x *trial) switched(more string) *client {
	x.sees("GET /chat", 1)
	c := x.dial().send(upgrade + more)
	if a := c.answer(upgrade); a.status != 101 || a.get("Upgrade") != "websocket" || !a.has("X-Request-Id") || !a.has("X-Understudy-Worker") {
		x.Fatalf("got %d %v", a.status, a.fields)
	}
	return c
}

// chat talks to a worker that a library makes, with a client that a library makes.
func (x *trial) chat() {
	worker := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(rw, r, nil)
		if err != nil {
			fmt.Fprint(rw, "ok") // the next client, who wants no upgrade
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(4 << 20)
		for {
			kind, text, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, text) != nil {
				return
			}
		}
	}))
	defer worker.Close()
	x.join(fleet.Info{ID: "chatty", Pool: "general", Address: worker.URL, Origin: fleet.Cold})
	defer x.fleet.Remove("chatty")
	transport := &http.Transport{TLSClientConfig: trusting()}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(x.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, x.scheme+"://"+x.addr+"/chat", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		x.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(4 << 20)
	say := func(text []byte) {
		if err := c.Write(ctx, websocket.MessageBinary, text); err != nil {
			x.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || !bytes.Equal(got, text) {
			x.Fatalf("%d bytes came back as %d: %v", len(text), len(got), err)
		}
	}
	say([]byte("hello"))
	say(bytes.Repeat([]byte("x"), 1<<20))
	timer := time.NewTimer(300 * time.Millisecond) // the row is about time: every limit is a third of this
	<-timer.C
	say([]byte("still there?"))
	if n := x.fleet.Status()[0].InFlight; n != 1 {
		x.Errorf("%d in flight", n)
	}
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		x.Errorf("the closing handshake: %v", err)
	}
	if code := take(x, x.books.finished, "the end of the tunnel"); code != 101 {
		x.Errorf("recorded as %d", code)
	}
}
