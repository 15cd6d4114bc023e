package balancer

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"understudy/fleet"
)

// breaking is a worker that reads a request and closes the connection, or closes it at once.
func breaking(t *testing.T, readFirst bool, seen *atomic.Int32, answer string) string {
	return raw(t, func(c net.Conn, r *bufio.Reader) {
		if readFirst {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			seen.Add(1)
			_, _ = io.WriteString(c, answer)
		}
	})
}

// nowhere is an address that refuses connections.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func TestTheRetryRule(t *testing.T) {
	key := http.Header{"Idempotency-Key": {"k1"}}
	const large = 100 << 10
	tests := []struct {
		name    string
		method  string
		header  http.Header
		body    string
		refused bool   // nobody listens: nothing was written
		answer  string // what the worker sends before it breaks
		retried string // the reason; empty: no retry
	}{
		{"GET on a reset", "GET", nil, "", false, "", "reset"},
		{"HEAD on a reset", "HEAD", nil, "", false, "", "reset"},
		{"OPTIONS on a reset", "OPTIONS", nil, "", false, "", "reset"},
		{"GET after the first byte of an answer", "GET", nil, "", false, "H", ""},
		{"GET after garbage", "GET", nil, "", false, "garbage\r\n\r\n", ""},
		{"POST on a reset", "POST", nil, "hi", false, "", ""},
		{"PUT on a reset", "PUT", nil, "hi", false, "", ""},
		{"DELETE on a reset", "DELETE", nil, "", false, "", ""},
		{"POST with a key on a reset", "POST", key, "hi", false, "", "reset"},
		{"POST with a key and a body beyond the buffer", "POST", key, strings.Repeat("x", large), false, "", ""},
		{"POST on a refused connection", "POST", nil, "hi", true, "", "connect"},
		{"POST with a large body on a refused connection", "POST", nil, strings.Repeat("x", large), true, "", "connect"},
		{"GET on a refused connection", "GET", nil, "", true, "", "connect"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, pool("general", "mult"))
			var broken atomic.Int32
			address := breaking(t, true, &broken, tt.answer)
			if tt.refused {
				address = nowhere(t)
			}
			w.add(fleet.Info{Pool: "general", Address: address})
			w.worker("general", echo)
			req := w.request(tt.method, "/mult", tt.body)
			for name, values := range tt.header {
				req.Header[name] = values
			}
			resp, text := w.fetch(req)
			if !tt.refused && broken.Load() != 1 {
				t.Errorf("the worker that breaks saw %d requests", broken.Load())
			}
			if one := wait(t, w.balancer.health.suspects, "a suspect"); one.ID != "w1" {
				t.Errorf("the suspect is %s", one)
			}
			lost := 0
			if tt.retried == "" {
				if tt.method != "HEAD" {
					if p := problemOfResponse(t, resp, text); p.Code != "worker-failed" || resp.StatusCode != 502 {
						t.Errorf("got %d %+v", resp.StatusCode, p)
					}
				}
				lost = 1
			} else if resp.StatusCode != 200 || resp.Header.Get("X-Understudy-Worker") != "w2" || w.records.of("retry general "+tt.retried) != 1 {
				t.Errorf("got %d %q from %s, counts %v", resp.StatusCode, text, resp.Header.Get("X-Understudy-Worker"), w.records.counts)
			} else if tt.method == "POST" && text != "POST "+tt.body {
				t.Errorf("the second worker saw %d bytes, want %d", len(text)-5, len(tt.body))
			}
			if got := w.records.of("lost general worker_failed"); got != lost {
				t.Errorf("lost %d, want %d", got, lost)
			}
			until(t, "all slots are free", w.idle)
		})
	}
}

func TestARequestIsRetriedOnceOnly(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	var broken atomic.Int32
	for range 3 {
		w.add(fleet.Info{Pool: "general", Address: breaking(t, true, &broken, "")})
	}
	resp, text := w.get("/mult")
	if p := problemOfResponse(t, resp, text); p.Code != "worker-failed" || broken.Load() != 2 {
		t.Errorf("%+v after %d attempts", p, broken.Load())
	}
}

func TestARetryWaitsForAnotherWorker(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	var broken atomic.Int32
	w.add(fleet.Info{Pool: "general", Address: breaking(t, true, &broken, "")})
	got := w.background(w.request(http.MethodGet, "/mult", ""))
	until(t, "the retry waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
	w.worker("general", echo)
	if res := wait(t, got, "the answer"); res.err != nil || res.resp.StatusCode != 200 {
		t.Errorf("got %+v", res)
	}
	if broken.Load() != 1 {
		t.Errorf("the broken worker was asked %d times", broken.Load())
	}
}

func TestARetryThatFindsNobodyReportsTheFirstFailure(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	var broken atomic.Int32
	one := w.add(fleet.Info{Pool: "general", Address: breaking(t, true, &broken, "")})
	got := w.background(w.request(http.MethodGet, "/mult", ""))
	until(t, "the retry waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
	w.fleet.SetUnavailable("general", "the image is missing")
	w.fleet.Fail(one.ID, "broke")
	w.fleet.Remove(one.ID)
	res := wait(t, got, "the answer")
	if p := problemOfResponse(t, res.resp, res.text); p.Code != "worker-failed" {
		t.Errorf("got %+v", p)
	}
	if w.records.of("lost general worker_failed") != 1 {
		t.Error("not counted as lost")
	}
}

func TestTheRetryBudgetHoldsWhenEverythingFails(t *testing.T) {
	p := pool("general", "mult")
	p.Concurrency = 8
	w := newWorld(t, p)
	var attempts atomic.Int32
	for range 2 {
		w.add(fleet.Info{Pool: "general", Address: breaking(t, true, &attempts, "")})
	}
	const requests = 200
	for range requests {
		if resp, _ := w.get("/mult"); resp.StatusCode != 502 {
			t.Fatalf("got %d", resp.StatusCode)
		}
	}
	if most := int32(requests*6/5 + firstFunds/retryCost); attempts.Load() > most {
		t.Errorf("%d attempts for %d requests, at most %d", attempts.Load(), requests, most)
	}
	if attempts.Load() <= requests {
		t.Error("nothing was retried at all")
	}
}

func TestTheBudgetSavesUpToItsBoundAndNoFurther(t *testing.T) {
	var b budget
	b.fill()
	count := func() (n int) {
		for b.spend() {
			n++
		}
		return n
	}
	if n := count(); n != 3 {
		t.Errorf("%d at first, want 3", n)
	}
	for range 10 {
		b.earn()
	}
	if n := count(); n != 2 {
		t.Errorf("%d after 10 requests, want 2", n)
	}
	for range 100000 {
		b.earn()
	}
	if n := count(); n != 100 {
		t.Errorf("%d after a calm time, want 100", n)
	}
}

func TestAPostOnAConnectionThatTheWorkerClosedMeanwhileIsNotSentTwice(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	var seen atomic.Int32
	url := raw(t, func(c net.Conn, r *bufio.Reader) { // answers once, keeps the connection, closes it on the next request
		for i := 0; ; i++ {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			seen.Add(1)
			if i == 1 {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	w.add(fleet.Info{Pool: "general", Address: url})
	if resp, _ := w.post("/mult", "1"); resp.StatusCode != 200 {
		t.Fatalf("got %d", resp.StatusCode)
	}
	if resp, _ := w.post("/mult", "2"); resp.StatusCode != 502 {
		t.Errorf("got %d", resp.StatusCode)
	}
	if seen.Load() != 2 {
		t.Errorf("the worker saw %d requests, want 2", seen.Load())
	}
}

func TestAWorkerThatClosesEachConnectionLosesNothing(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	url := raw(t, func(c net.Conn, r *bufio.Reader) { // closes without saying so
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	w.add(fleet.Info{Pool: "general", Address: url})
	for range 300 {
		if resp, text := w.get("/mult"); resp.StatusCode != 200 {
			t.Fatalf("GET: got %d %s", resp.StatusCode, text)
		}
	}
}

func TestARequestBrokenByARemovalCountsAsLostByScaleDown(t *testing.T) {
	t.Run("while the worker drains", func(t *testing.T) { loseByRemoval(t, func(*fleet.Fleet, *fleet.Worker) {}) })
	t.Run("when the worker is gone", func(t *testing.T) {
		loseByRemoval(t, func(f *fleet.Fleet, w *fleet.Worker) { f.Remove(w.ID) }) // its drain time was over
	})
}

func loseByRemoval(t *testing.T, further func(*fleet.Fleet, *fleet.Worker)) {
	w := newWorld(t, pool("general", "mult"))
	began, end := make(chan struct{}), make(chan struct{})
	url := raw(t, func(_ net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err == nil {
			close(began)
			<-end
		}
	})
	one := w.add(fleet.Info{Pool: "general", Address: url})
	got := w.background(w.request(http.MethodPost, "/mult", "hi"))
	wait(t, began, "the worker to have it")
	if _, err := w.fleet.Drain(one.ID, "scale in"); err != nil {
		t.Fatal(err)
	}
	further(w.fleet, one)
	close(end)
	if res := wait(t, got, "the answer"); res.err != nil || res.resp.StatusCode != 502 {
		t.Errorf("got %+v", res)
	}
	if w.records.of("lost general scale_down") != 1 || w.records.total("lost") != 1 {
		t.Errorf("counts %v", w.records.counts)
	}
}

func TestNothingIsSentToAWorkerGenerationThatIsGone(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	one := w.worker("general", echo)
	w.get("/mult")
	if w.balancer.upstreams.known(one) == nil {
		t.Fatal("no link to the worker")
	}
	until(t, "the slot is free", w.idle)
	lease, err := w.fleet.Acquire(context.Background(), fleet.Request{Capability: "mult"})
	if err != nil {
		t.Fatal(err)
	}
	w.fleet.Remove(one.ID)
	if w.balancer.upstreams.known(one) != nil {
		t.Error("the link outlived the worker")
	}
	if _, err := w.balancer.upstreams.of(lease.Worker); err != nil { // a request that had its lease before
		t.Error(err)
	}
	if w.balancer.upstreams.known(one) != nil {
		t.Error("a late request made a link that nobody will drop")
	}
	lease.Release(fleet.Outcome{})
}
