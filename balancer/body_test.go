package balancer

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"understudy/config"
	"understudy/fleet"
)

func TestALargeUploadArrivesWhole(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("chunked=%v", chunked), func(t *testing.T) {
			w := newWorld(t, pool("general", "mult"))
			w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
				sum := sha256.New()
				_, _ = io.Copy(sum, r.Body)
				fmt.Fprintf(rw, "%x", sum.Sum(nil))
			})
			text := strings.Repeat("0123456789abcde\n", 5<<16)
			req := w.request(http.MethodPost, "/mult", text)
			if chunked {
				req.ContentLength = -1
			}
			_, got := w.fetch(req)
			if want := fmt.Sprintf("%x", sha256.Sum256([]byte(text))); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestAnUploadIsPassedOnAsItComes(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	got := make(chan string)
	w.worker("general", func(_ http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			if n > 0 {
				got <- string(buf[:n])
			}
			if err != nil {
				return
			}
		}
	})
	c, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
	for _, piece := range []string{"one", "two", "three"} {
		fmt.Fprintf(c, "%x\r\n%s\r\n", len(piece), piece)
		if at := wait(t, got, "the worker to see "+piece); at != piece {
			t.Errorf("the worker got %q", at)
		}
	}
	_, _ = io.WriteString(c, "0\r\n\r\n")
	if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 200 {
		t.Errorf("got %v %v", resp, err)
	}
}

func TestASlowSenderOfASmallBodyHoldsNoWorker(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	var asked atomic.Int32
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		echo(rw, r)
	})
	c, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01234")
	if resp, text := w.get("/mult"); resp.StatusCode != 200 || text != "GET " { // concurrency is 1
		t.Errorf("another request got %d %q", resp.StatusCode, text)
	}
	if asked.Load() != 1 {
		t.Error("the slow one went to a worker before it was complete")
	}
	_, _ = io.WriteString(c, "56789")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(resp.Body); string(text) != "POST 0123456789" {
		t.Errorf("got %q", text)
	}
}

func TestAClientThatStopsSendingIs408AndNoWorkerIsBlamed(t *testing.T) {
	tests := []struct{ name, head, body string }{
		{"a small body", "Content-Length: 10", "01234"},
		{"nothing of a small body", "Content-Length: 10", ""},
		{"a large body", "Content-Length: 1000000", strings.Repeat("x", 100<<10)},
		{"chunked", "Transfer-Encoding: chunked", "5\r\n01234\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := config.Config{Instance: "test", Limits: config.Limits{Header: 32 << 10, Idle: 50 * time.Millisecond}, Pools: []config.Pool{pool("general", "mult")}}
			w := newWorldWith(t, c)
			w.worker("general", echo)
			_, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\n" + tt.head + "\r\n\r\n" + tt.body)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			if p := problemOfResponse(t, resp, string(text)); resp.StatusCode != 408 || p.Code != "request-timeout" || !resp.Close {
				t.Errorf("got %d %+v close=%v", resp.StatusCode, p, resp.Close)
			}
			until(t, "the slot is free", w.idle)
			if m, _ := w.fleet.Measure("general"); m.Latency.Failed > 0 || w.records.total("lost") > 0 {
				t.Error("the worker is blamed")
			}
		})
	}
}

func TestBadBodiesAreTheClientsFault(t *testing.T) {
	tests := []struct {
		name, head, body string
		status           int
	}{
		{"a chunk size that is none", "Transfer-Encoding: chunked", "zz\r\nhi\r\n0\r\n\r\n", 400},
		{"a chunk longer than it says", "Transfer-Encoding: chunked", "2\r\nhi there\r\n0\r\n\r\n", 400},
		{"chunks beyond the limit", "Transfer-Encoding: chunked", strings.Repeat("400\r\n"+strings.Repeat("x", 1024)+"\r\n", 200) + "0\r\n\r\n", 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := config.Config{Instance: "test", Limits: config.Limits{Header: 32 << 10, Body: 128 << 10, Idle: patience}, Pools: []config.Pool{pool("general", "mult")}}
			w := newWorldWith(t, c)
			cut := make(chan error, 1)
			w.worker("general", func(_ http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				cut <- err
			})
			_, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\n" + tt.head + "\r\n\r\n" + tt.body)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			if problemOfResponse(t, resp, string(text)); resp.StatusCode != tt.status || !resp.Close {
				t.Errorf("got %d close=%v", resp.StatusCode, resp.Close)
			}
			until(t, "the slot is free", w.idle)
			select {
			case err := <-cut:
				if err == nil {
					t.Error("the worker saw a whole body")
				}
			default: // it did not get that far
			}
			if m, _ := w.fleet.Measure("general"); m.Latency.Failed > 0 || w.records.total("lost") > 0 {
				t.Error("the worker is blamed")
			}
		})
	}
}

func TestAClientThatLeavesInTheMiddleOfItsBodyIs499(t *testing.T) {
	for _, head := range []string{"Content-Length: 10\r\n\r\n01234", "Content-Length: 1000000\r\n\r\n01234", "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n"} {
		w := newWorld(t, pool("general", "mult"))
		w.worker("general", echo)
		c, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\n" + head)
		if !strings.Contains(head, ": 10\r") {
			until(t, "a worker has it", func() bool { return !w.idle() })
		}
		_ = c.(*net.TCPConn).CloseWrite() // it still listens, and must not get a clean answer
		if got := wait(t, w.records.finished, "the record"); got.code != 499 {
			t.Errorf("recorded as %d", got.code)
		}
		if resp, err := http.ReadResponse(r, nil); err == nil {
			t.Errorf("answered with %s", resp.Status)
		}
		until(t, "the slot is free", w.idle)
		if m, _ := w.fleet.Measure("general"); m.Latency.Failed > 0 || m.Latency.N > 0 {
			t.Errorf("it counts: %+v", m.Latency)
		}
	}
}

func TestAClientThatAsksFirstIsAskedForItsBodyWhenAWorkerWantsIt(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	hold := make(chan struct{})
	began := make(chan struct{}, 2)
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Expect") != "" {
			t.Error("Expect was forwarded")
		}
		began <- struct{}{}
		<-hold
		echo(rw, r)
	})
	first := w.background(w.request(http.MethodGet, "/mult", ""))
	wait(t, began, "the first")
	c, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	until(t, "it waits in the queue", func() bool { return w.fleet.Status()[0].Queue == 1 })
	if r.Buffered() > 0 {
		t.Error("asked for the body while there was no worker")
	}
	close(hold)
	wait(t, first, "the first answer")
	line, err := r.ReadString('\n')
	if err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q %v", line, err)
	}
	_, _ = r.ReadString('\n')
	_, _ = io.WriteString(c, "hi")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(resp.Body); string(text) != "POST hi" {
		t.Errorf("got %q", text)
	}
	_, r = w.dial("POST /nope HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	if line, _ := r.ReadString('\n'); line != "HTTP/1.1 404 Not Found\r\n" {
		t.Errorf("got %q: it was asked for a body nobody wants", line)
	}
}

func TestAnAnswerBeforeTheBodyHasEndedIsRelayedAndTheConnectionClosed(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
			_, _ = io.Copy(io.Discard, r)
		}
	})})
	_, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbegins and then waits")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != 401 || string(text) != "no" || err != nil || !resp.Close {
		t.Errorf("got %d %q %v close=%v", resp.StatusCode, text, err, resp.Close)
	}
	if got := wait(t, w.records.finished, "the record"); got.code != 401 {
		t.Errorf("recorded as %d", got.code)
	}
	until(t, "the slot is free", w.idle)
}

func TestAWorkerThatDiesDuringAnUploadDoesNotWaitForTheClient(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	w.add(fleet.Info{Pool: "general", Address: raw(t, func(_ net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r)
	})})
	_, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbegins and then waits")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	if p := problemOfResponse(t, resp, string(text)); p.Code != "worker-failed" || !resp.Close {
		t.Errorf("got %+v", p)
	}
}

func TestAClientThatSendsTooMuchSeesItsAnswerAndNoReset(t *testing.T) {
	limits := config.Limits{Header: 32 << 10, Body: 10, Idle: patience}
	w := newWorldWith(t, config.Config{Instance: "test", Limits: limits, Pools: []config.Pool{pool("general", "mult")}})
	const size = 150 << 10
	_, r := w.dial(fmt.Sprintf("POST /mult HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size)))
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 413 {
		t.Fatalf("got %v %v", resp, err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("the connection ended with %v", err)
	}
}
