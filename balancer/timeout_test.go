package balancer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"understudy/config"
	"understudy/fleet"
)

func TestAWorkerThatTakesTooLongIs504(t *testing.T) {
	tests := []struct{ name, says string }{
		{"no answer", ""},
		{"a head that does not end", "HTTP/1.1 200 OK\r\nX: "},
	}
	for _, tt := range tests {
		for _, method := range []string{"GET", "POST"} { // a timeout is never retried
			t.Run(method+" "+tt.name, func(t *testing.T) {
				p := pool("general", "mult")
				p.Timeout = 50 * time.Millisecond
				w := newWorld(t, p)
				closed := make(chan struct{})
				w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
					defer close(closed)
					if _, err := http.ReadRequest(r); err == nil {
						_, _ = io.WriteString(c, tt.says)
						_, _ = io.Copy(io.Discard, r)
					}
				})})
				w.worker("general", echo)
				resp, text := w.fetch(w.request(method, "/mult", ""))
				if p := problemOfResponse(t, resp, text); resp.StatusCode != 504 || p.Code != "worker-timeout" || !strings.Contains(p.Detail, "50ms") {
					t.Errorf("got %d %+v", resp.StatusCode, p)
				}
				wait(t, closed, "the connection to the worker to be closed")
				until(t, "the slot is free", w.idle)
				if m, _ := w.fleet.Measure("general"); m.Latency.Failed != 1 {
					t.Errorf("the failure is not counted: %+v", m.Latency)
				}
			})
		}
	}
}

func TestTheWorkersTimeStandsStillWhileItWaitsForTheClient(t *testing.T) {
	t.Parallel()
	p := pool("general", "mult")
	p.Timeout = 300 * time.Millisecond
	w := newWorld(t, p)
	arrived := make(chan struct{}, 10)
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 1)
		for range 2 {
			_, _ = io.ReadFull(r.Body, buf)
			arrived <- struct{}{}
		}
		fmt.Fprint(rw, "done")
	})
	c, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
	for range 2 {
		timer := time.NewTimer(p.Timeout * 3 / 2)
		<-timer.C
		_, _ = io.WriteString(c, "1\r\nx\r\n")
		wait(t, arrived, "the worker")
	}
	_, _ = io.WriteString(c, "0\r\n\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestAWorkerThatStopsInTheMiddleOfItsAnswerIsCutOff(t *testing.T) {
	p := pool("general", "mult")
	p.IdleTimeout = 50 * time.Millisecond
	w := newWorld(t, p)
	gone := make(chan struct{})
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprint(rw, "half")
		rw.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	resp := w.do(w.request(http.MethodGet, "/mult", ""))
	if text, err := io.ReadAll(resp.Body); err == nil || string(text) != "half" {
		t.Errorf("got %q %v", text, err)
	}
	wait(t, gone, "the worker to be let go")
	if got := wait(t, w.records.finished, "the record"); got.code != 504 {
		t.Errorf("recorded as %d", got.code)
	}
	until(t, "the slot is free", w.idle)
}

func TestALongAnswerThatKeepsComingIsNotCutOff(t *testing.T) {
	t.Parallel()
	p := pool("general", "mult")
	p.Timeout, p.IdleTimeout = 300*time.Millisecond, 300*time.Millisecond
	limits := config.Limits{Header: 32 << 10, Idle: 300 * time.Millisecond} // the client's limit too is one of silence, not of length
	w := newWorldWith(t, config.Config{Instance: "test", Limits: limits, Pools: []config.Pool{p}})
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for range 6 {
			fmt.Fprint(rw, ".")
			rw.(http.Flusher).Flush()
			<-ticker.C
		}
	})
	if resp, text := w.get("/mult"); resp.StatusCode != 200 || text != "......" {
		t.Errorf("got %d %q", resp.StatusCode, text)
	}
}

func TestTheWorkersTimeStandsStillWhileTheClientReads(t *testing.T) {
	t.Parallel()
	p := pool("general", "mult")
	p.IdleTimeout = 300 * time.Millisecond
	w := newWorld(t, p)
	const size = 24 << 20
	w.worker("general", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", fmt.Sprint(size))
		_, _ = io.CopyN(rw, zeros{}, size)
	})
	_, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	timer := time.NewTimer(2 * p.IdleTimeout) // everything on the way is full by now
	<-timer.C
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Errorf("read %d of %d: %v", n, size, err)
	}
}

func TestAnAnswerMayTakeLongerThanAClientMayBeSilent(t *testing.T) {
	t.Parallel()
	limits := config.Limits{Header: 32 << 10, Idle: 200 * time.Millisecond}
	w := newWorldWith(t, config.Config{Instance: "test", Limits: limits, Pools: []config.Pool{pool("general", "mult")}})
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		timer := time.NewTimer(2 * limits.Idle)
		<-timer.C
		fmt.Fprintf(rw, "%d", len(body))
	})
	for _, size := range []int{2, 200 << 10} {
		if resp, text := w.post("/mult", strings.Repeat("x", size)); resp.StatusCode != 200 || text != fmt.Sprint(size) {
			t.Errorf("%d bytes: got %d %q", size, resp.StatusCode, text)
		}
	}
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	c := config.Config{Instance: "test", Limits: config.Limits{Header: 32 << 10, Idle: 60 * time.Millisecond}, Pools: []config.Pool{pool("general", "mult")}}
	w := newWorldWith(t, c)
	w.worker("general", func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(rw, zeros{}) })
	w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
	if got := wait(t, w.records.finished, "the record"); got.code != 499 {
		t.Errorf("recorded as %d", got.code)
	}
	until(t, "the slot is free", w.idle)
}

func TestAClientThatLeavesWhileItIsServedFreesTheWorker(t *testing.T) {
	for _, body := range []string{"", "hi"} {
		w := newWorld(t, pool("general", "mult"))
		began, gone := make(chan struct{}), make(chan struct{})
		w.worker("general", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			close(began)
			<-r.Context().Done()
			close(gone)
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := w.background(w.request(http.MethodPost, "/mult", body).WithContext(ctx))
		wait(t, began, "the worker to have it")
		cancel()
		wait(t, done, "the client to leave")
		wait(t, gone, "the worker to be let go")
		if got := wait(t, w.records.finished, "the record"); got.code != 499 {
			t.Errorf("recorded as %d", got.code)
		}
		until(t, "the slot is free", w.idle)
		if m, _ := w.fleet.Measure("general"); m.Latency.Failed > 0 || m.Latency.N > 0 || w.records.total("lost") > 0 || w.records.total("retry") > 0 {
			t.Errorf("it counts: %+v %v", m.Latency, w.records.counts)
		}
	}
}

func TestAClientThatLeavesInTheMiddleOfTheAnswerFreesTheWorker(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	gone := make(chan struct{})
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprint(rw, "data: 1\n\n")
		rw.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	c, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	wait(t, gone, "the worker to be let go")
	if got := wait(t, w.records.finished, "the record"); got.code != 499 {
		t.Errorf("recorded as %d", got.code)
	}
	until(t, "the slot is free", w.idle)
}

func TestAClientThatLeavesTheQueueIsNeverServed(t *testing.T) {
	for _, body := range []string{"", "hi"} {
		t.Run("body "+body, func(t *testing.T) {
			w := newWorld(t, pool("general", "mult"))
			began, hold := make(chan struct{}, 2), make(chan struct{})
			w.worker("general", func(http.ResponseWriter, *http.Request) {
				began <- struct{}{}
				<-hold
			})
			first := w.background(w.request(http.MethodGet, "/mult", ""))
			wait(t, began, "the worker to be busy")
			ctx, cancel := context.WithCancel(t.Context())
			second := w.background(w.request(http.MethodPost, "/mult", body).WithContext(ctx))
			until(t, "it waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
			cancel()
			wait(t, second, "the client to leave")
			until(t, "it has left the queue", func() bool { return w.fleet.Status()[0].Queue == 0 })
			if got := wait(t, w.records.finished, "the record"); got.code != 499 || got.service >= 0 {
				t.Errorf("recorded %+v", got)
			}
			close(hold)
			if res := wait(t, first, "the first"); res.resp.StatusCode != 200 {
				t.Errorf("the first got %d", res.resp.StatusCode)
			}
			if len(began) > 0 {
				t.Error("a worker was asked for a client that had left")
			}
		})
	}
}

func TestAClientThatLeavesTheQueueInTheMiddleOfItsBodyIsNeverServed(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	for _, body := range []string{"Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n", "Content-Length: 1000000\r\n\r\n01234"} {
		c, _ := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\n" + body)
		until(t, "it waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
		_ = c.Close()
		if got := wait(t, w.records.finished, "the record"); got.code != 499 || got.service >= 0 {
			t.Errorf("recorded %+v", got)
		}
		until(t, "it has left the queue", w.idle)
	}
}
