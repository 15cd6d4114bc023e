package balancer

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"understudy/config"
	"understudy/fleet"
)

// TestTheTimeToTakeOneAnswerIsNotTheNextOnes: the limit on a client that does not read was set for one answer. What is written first for a later
// request, early hints or 100 Continue, must not fail because that time is over.
func TestTheTimeToTakeOneAnswerIsNotTheNextOnes(t *testing.T) {
	const idle = 300 * time.Millisecond
	p := pool("general", "mult")
	w := newWorldWith(t, config.Config{Instance: "test", Limits: config.Limits{Header: 32 << 10, Idle: idle}, Pools: []config.Pool{p}})
	began, goOn := make(chan struct{}, 2), make(chan struct{}, 2)
	w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			if req.URL.Path == "/mult/long" {
				began <- struct{}{}
				select {
				case <-goOn:
				case <-t.Context().Done(): // the test has failed
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})})
	const long = "GET /mult/long HTTP/1.1\r\nHost: h\r\n\r\n"
	c, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
	expect(t, r, 200)
	over := func() {
		first := time.Now()
		until(t, "the first answer's time is over", func() bool { return time.Since(first) > idle })
		goOn <- struct{}{}
	}
	t.Run("early hints", func(t *testing.T) {
		_, _ = io.WriteString(c, long)
		wait(t, began, "the worker to have it")
		over()
		expect(t, r, 103)
		expect(t, r, 200)
	})
	t.Run("100 Continue", func(t *testing.T) {
		_, waiting := w.dial(long) // has the only worker
		wait(t, began, "the worker to have it")
		_, _ = io.WriteString(c, "POST /mult HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
		until(t, "it waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
		over()
		expect(t, waiting, 103)
		expect(t, waiting, 200)
		expect(t, r, 100)
		_, _ = io.WriteString(c, "hi")
		expect(t, r, 200)
	})
}

// expect reads one answer of this status.
func expect(t *testing.T, r *bufio.Reader, status int) {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != status {
		t.Fatalf("got %d, want %d", resp.StatusCode, status)
	}
}
