package balancer

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"understudy/config"
	"understudy/fleet"
)

func TestAWebSocketRunsBothWaysAndCountsAsInFlight(t *testing.T) {
	t.Parallel()
	p := pool("general", "chat")
	p.Timeout, p.IdleTimeout = 300*time.Millisecond, 300*time.Millisecond // neither applies to a tunnel
	w := newWorld(t, p)
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(rw, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(4 << 20)
		for {
			kind, text, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), kind, text); err != nil {
				t.Error(err)
				return
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, w.url+"/chat", &websocket.DialOptions{HTTPClient: w.client})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(4 << 20)
	if resp.Header.Get("X-Understudy-Worker") != "w1" || resp.Header.Get("X-Request-Id") == "" {
		t.Errorf("header %v", resp.Header)
	}
	for _, text := range [][]byte{[]byte("hello"), bytes.Repeat([]byte("x"), 1<<20)} {
		if err := c.Write(ctx, websocket.MessageBinary, text); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%d bytes came back as %d: %v", len(text), len(got), err)
		}
	}
	timer := time.NewTimer(p.IdleTimeout * 3 / 2)
	<-timer.C
	if err := c.Write(ctx, websocket.MessageText, []byte("still there?")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); err != nil {
		t.Fatal(err)
	}
	if w.idle() {
		t.Error("the tunnel does not count as in flight")
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
	if got := wait(t, w.records.finished, "the record"); got.code != 101 {
		t.Errorf("recorded as %d", got.code)
	}
	until(t, "the slot is free", w.idle)
	if served := w.fleet.Status()[0].Workers[0].Served; served != 1 {
		t.Errorf("the worker served %d", served)
	}
	if m, _ := w.fleet.Measure("general"); m.Latency.N > 0 || len(m.Service) > 0 || m.Latency.Failed > 0 {
		t.Errorf("the tunnel's length counts as latency: %+v", m.Latency)
	}
}

// switching is a worker that accepts any upgrade and then runs fn.
func switching(t *testing.T, fn func(c net.Conn, r *bufio.Reader)) string {
	return raw(t, func(c net.Conn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		protocol := "WebSocket"
		if req.URL.RawQuery != "" {
			protocol = req.URL.RawQuery
		}
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\nfirst ", protocol)
		fn(c, r)
	})
}

const wantsWebSocket = "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"

func TestBytesThatFollowAnUpgradeAtOnceAreDelivered(t *testing.T) {
	limits := config.Limits{Header: 32 << 10, Idle: patience, Connections: 10} // bounded connections half-close too
	w := newWorldWith(t, config.Config{Instance: "test", Limits: limits, Pools: []config.Pool{pool("general", "chat")}})
	w.add(fleet.Info{Pool: "general", Address: switching(t, func(c net.Conn, r *bufio.Reader) { _, _ = io.Copy(c, r) })})
	c, r := w.dial(wantsWebSocket + "early bytes")
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("got %v %v", resp, err)
	}
	_ = c.(*net.TCPConn).CloseWrite() // a half-close gets through too, or the worker's copy would not end
	if text, err := io.ReadAll(r); err != nil || string(text) != "first early bytes" {
		t.Errorf("got %q %v", text, err)
	}
	until(t, "the slot is free", w.idle)
}

func TestATunnelEndsWhenTheOtherSideNeverDoes(t *testing.T) {
	p := pool("general", "chat")
	p.IdleTimeout = 50 * time.Millisecond
	w := newWorld(t, p)
	w.add(fleet.Info{Pool: "general", Address: switching(t, func(_ net.Conn, r *bufio.Reader) {
		_, _ = io.Copy(io.Discard, r)
		_, _ = io.Copy(io.Discard, r)
		<-t.Context().Done() // ignores that the client has ended
	})})
	c, r := w.dial(wantsWebSocket)
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	until(t, "the slot is free", w.idle)
}

func TestOnlyWebSocketIsATunnel(t *testing.T) {
	tests := []struct{ name, request string }{
		{"another one than asked for", strings.ReplaceAll(wantsWebSocket, "/chat", "/chat?h2c")},
		{"h2c", "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n"},
		{"nothing asked for", "GET /chat HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"POST", "POST /chat HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi"},
		{"HTTP/1.0", "GET /chat HTTP/1.0\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, pool("general", "chat"))
			closed := make(chan struct{})
			w.add(fleet.Info{Pool: "general", Address: switching(t, func(_ net.Conn, r *bufio.Reader) {
				_, _ = io.Copy(io.Discard, r)
				close(closed)
			})})
			_, r := w.dial(tt.request)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			if p := problemOfResponse(t, resp, string(text)); resp.StatusCode != 502 || p.Code != "worker-failed" {
				t.Errorf("got %d %+v", resp.StatusCode, p)
			}
			wait(t, closed, "the connection to the worker to be closed")
			until(t, "the slot is free", w.idle)
		})
	}
}

func TestAWorkerMayDeclineAnUpgrade(t *testing.T) {
	w := newWorld(t, pool("general", "chat"))
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Connection") != "Upgrade" {
			t.Errorf("the worker saw %v", r.Header)
		}
		rw.WriteHeader(http.StatusForbidden)
	})
	_, r := w.dial(wantsWebSocket)
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 403 {
		t.Errorf("got %v %v", resp, err)
	}
}

func TestAnUpgradeWhereThereIsNoConnectionToTakeOverIs502(t *testing.T) {
	w := newWorld(t, pool("general", "chat"))
	closed := make(chan struct{})
	w.add(fleet.Info{Pool: "general", Address: switching(t, func(_ net.Conn, r *bufio.Reader) {
		_, _ = io.Copy(io.Discard, r)
		close(closed)
	})})
	r := httptest.NewRequest(http.MethodGet, "/chat", nil)
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	rec := httptest.NewRecorder()
	w.balancer.ServeHTTP(rec, r)
	if rec.Code != 502 {
		t.Errorf("got %d", rec.Code)
	}
	wait(t, closed, "the connection to the worker to be closed")
	until(t, "the slot is free", w.idle)
}
