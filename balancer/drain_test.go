package balancer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"understudy/config"
	"understudy/fleet"
)

func TestDrainClosesConnectionsAndGoesOnServing(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", echo)
	for _, want := range []bool{false, true} {
		c, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != 200 || resp.Close != want {
			t.Errorf("draining=%v: %+v %v", want, resp, err)
		}
		_ = c.Close()
		w.balancer.Drain()
	}
}

func TestRequestsInTheQueueAreServedWhileTheServerShutsDown(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	first := w.background(w.request(http.MethodGet, "/mult", ""))
	until(t, "it waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
	w.balancer.Drain()
	waited := make(chan error, 1)
	go func() { waited <- w.balancer.Wait(t.Context()) }()
	select {
	case <-waited:
		t.Fatal("nothing is in flight, it says")
	default:
	}
	w.worker("general", echo)
	if res := wait(t, first, "the answer"); res.err != nil || res.resp.StatusCode != 200 || !res.resp.Close {
		t.Errorf("got %+v", res)
	}
	if err := wait(t, waited, "the end"); err != nil {
		t.Error(err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.background(w.request(http.MethodGet, "/mult", ""))
	until(t, "it waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if err := w.balancer.Wait(ctx); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestAbortAnswersARequestInService(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.occupy()
	queued := w.background(w.request(http.MethodGet, "/mult", ""))
	until(t, "it waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
	w.balancer.Abort()
	res := wait(t, queued, "the one in the queue")
	if res.err != nil {
		t.Fatal(res.err)
	}
	if p := problemOfResponse(t, res.resp, res.text); res.resp.StatusCode != 503 || p.Code != "draining" || res.resp.Header.Get("Retry-After") == "" || !res.resp.Close {
		t.Errorf("got %d %+v", res.resp.StatusCode, p)
	}
	for range 2 {
		if got := wait(t, w.records.finished, "the record"); got.code != 503 {
			t.Errorf("recorded %+v", got)
		}
	}
	if err := w.balancer.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if m, _ := w.fleet.Measure("general"); w.records.total("lost") > 0 || m.Latency.Failed > 0 {
		t.Errorf("the worker is blamed: %v %+v", w.records.counts, m.Latency)
	}
}

func TestAnAnswerToAnAbortIsOutBeforeTheConnectionsAreCut(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	queued := w.background(w.request(http.MethodGet, "/mult", ""))
	until(t, "it waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
	w.balancer.Abort()
	_ = w.server.Close()
	if res := wait(t, queued, "the answer"); res.err != nil || res.resp.StatusCode != 503 {
		t.Errorf("got %+v", res)
	}
}

func TestAPanicOnTheWayFreesTheSlot(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", echo)
	func() {
		defer func() {
			if recover() != "no header today" {
				t.Error("it did not panic")
			}
		}()
		w.balancer.ServeHTTP(panicking{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/mult", nil))
	}()
	if !w.idle() {
		t.Error("the slot is still taken")
	}
	if err := w.balancer.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

type panicking struct{ http.ResponseWriter }

func (panicking) WriteHeader(int) { panic("no header today") }

func TestAbortCutsAnAnswerThatHasBegun(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, "half")
		rw.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	stream := w.do(w.request(http.MethodGet, "/mult", ""))
	w.balancer.Abort()
	if text, err := io.ReadAll(stream.Body); err == nil || string(text) != "half" {
		t.Errorf("the stream ended cleanly: %q %v", text, err)
	}
	if w.records.total("lost") > 0 {
		t.Errorf("the worker is blamed: %v", w.records.counts)
	}
}

func TestAbortEndsTunnels(t *testing.T) {
	w := newWorld(t, pool("general", "chat"))
	w.add(fleet.Info{Pool: "general", Address: switching(t, func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })})
	_, r := w.dial(wantsWebSocket)
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("got %v %v", resp, err)
	}
	if _, err := io.ReadFull(r, make([]byte, len("first "))); err != nil || w.idle() {
		t.Errorf("the tunnel does not count as in flight: %v", err)
	}
	w.balancer.Abort()
	if text, err := io.ReadAll(r); len(text) > 0 {
		t.Errorf("the tunnel says %q %v", text, err)
	}
	if err := w.balancer.Wait(t.Context()); err != nil || !w.idle() {
		t.Error("the tunnel is still there", err)
	}
}

func TestConnectionsBeyondTheBoundAreClosedAndPlacesComeBack(t *testing.T) {
	c := config.Config{Instance: "test", Limits: config.Limits{Header: 32 << 10, Idle: patience, Connections: 2}, Pools: []config.Pool{pool("general", "mult")}}
	w := newWorldWith(t, c)
	w.worker("general", echo)
	const ask = "GET /mult HTTP/1.1\r\nHost: h\r\n\r\n"
	var open []net.Conn
	for range 2 {
		c, r := w.dial(ask)
		if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 200 {
			t.Fatalf("within the bound: %v %v", resp, err)
		}
		open = append(open, c)
	}
	if c, err := net.Dial("tcp", w.addr); err == nil {
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Error("one too many was served")
		}
		_ = c.Close()
	}
	_ = open[0].Close()
	until(t, "a place is free", func() bool {
		c, err := net.Dial("tcp", w.addr)
		if err != nil {
			return false
		}
		defer c.Close()
		if _, err := io.WriteString(c, ask); err != nil {
			return false
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		return err == nil && resp.StatusCode == 200
	})
	one := &net.TCPConn{}
	if c, err := new(gate).admit(one); err != nil || c != net.Conn(one) {
		t.Error("no bound, and yet something between")
	}
}

func TestANewConfigurationIsInForceForTheNextRequest(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.worker("general", echo)
	if resp, _ := w.post("/mult/x", "0123456789"); resp.StatusCode != 200 || resp.Header.Get("Seen-Uri") != "/mult/x" {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
	next := *w.config
	next.Limits.Body = 5
	next.Pools = []config.Pool{pool("general", "mult")}
	next.Pools[0].Strip = true
	w.balancer.SetConfig(&next)
	if resp, _ := w.post("/mult/x", "0123456789"); resp.StatusCode != 413 {
		t.Errorf("got %d", resp.StatusCode)
	}
	if resp, _ := w.post("/mult/x", "012"); resp.StatusCode != 200 || resp.Header.Get("Seen-Uri") != "/x" {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
	if p := w.balancer.settings.Load().pool("gone"); p.Timeout <= 0 || p.Name != "gone" {
		t.Errorf("a pool that is no longer configured: %+v", p)
	}
}
