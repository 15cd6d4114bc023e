package balancer

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"understudy/config"
	"understudy/fleet"
)

func refusing(status int, body string, asked *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestABusyAnswerIsTriedElsewhereAndNeverSeen(t *testing.T) {
	busyPool := pool("general", "mult")
	busyPool.BusyStatus = 429
	both := builtIn("general", "mult")
	both.BusyStatus = 429
	tests := []struct {
		name   string
		pool   config.Pool
		origin fleet.Origin
		status int
		body   string
		busy   bool
	}{
		{"the built-in worker's 403", builtIn("general", "mult"), fleet.Cold, 403, "Already working", true},
		{"with a line end", builtIn("general", "mult"), fleet.Adopted, 403, "Already working\n", true},
		{"a registered worker's 403", pool("general", "mult"), fleet.Registered, 403, "Already working", true},
		{"the pool's busy status", busyPool, fleet.Cold, 429, "whatever it says", true},
		{"the pool's busy status from a registered worker", busyPool, fleet.Registered, 429, "", true},
		{"the pool's busy status from a member", busyPool, fleet.Member, 429, "", true},
		{"both ways at once", both, fleet.Cold, 403, "Already working", true},
		{"another 403 of the built-in worker", builtIn("general", "mult"), fleet.Cold, 403, "Forbidden", false},
		{"a longer 403", builtIn("general", "mult"), fleet.Cold, 403, "Already working on something that takes a while", false},
		{"a 403 of somebody else's image", pool("general", "mult"), fleet.Cold, 403, "Already working", false},
		{"a 403 of a member", pool("general", "mult"), fleet.Member, 403, "Already working", false},
		{"a 404 of somebody else's image", pool("general", "mult"), fleet.Cold, 404, "no such page", false},
		{"a 429 nobody gave a meaning", pool("general", "mult"), fleet.Cold, 429, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.pool)
			var asked atomic.Int32
			w.add(fleet.Info{Pool: "general", Origin: tt.origin, Address: serve(t, refusing(tt.status, tt.body, &asked)).URL, Capabilities: []string{"mult"}})
			w.worker("general", echo)
			resp, text := w.post("/mult", "hi")
			if asked.Load() != 1 {
				t.Fatalf("the first worker was asked %d times", asked.Load())
			}
			if tt.busy {
				if resp.StatusCode != 200 || text != "POST hi" || resp.Header.Get("X-Understudy-Worker") != "w2" || w.records.of("retry general busy") != 1 {
					t.Errorf("got %d %q from %s", resp.StatusCode, text, resp.Header.Get("X-Understudy-Worker"))
				}
			} else if resp.StatusCode != tt.status || text != tt.body || w.records.total("retry") != 0 {
				t.Errorf("got %d %q", resp.StatusCode, text)
			}
		})
	}
}

func TestABusyWorkerIsAskedAgainUntilItTakesTheRequest(t *testing.T) {
	w := newWorld(t, builtIn("general", "mult"))
	var asked atomic.Int32
	w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 4 {
			refusing(403, "Already working", new(atomic.Int32))(rw, r)
			return
		}
		echo(rw, r)
	})
	if resp, text := w.post("/mult", "hi"); resp.StatusCode != 200 || text != "POST hi" || asked.Load() != 4 {
		t.Errorf("got %d %q after %d times", resp.StatusCode, text, asked.Load())
	}
	if got := wait(t, w.records.finished, "the record"); got.queue < 3*50*time.Millisecond {
		t.Errorf("the queue time %v leaves out the pauses", got.queue)
	}
}

func TestTooManyBusyAnswersAre503WorkerBusy(t *testing.T) {
	w := newWorld(t, builtIn("general", "mult"))
	var asked atomic.Int32
	for range 5 {
		w.worker("general", refusing(403, "Already working", &asked))
	}
	resp, text := w.post("/mult", "hi")
	if p := problemOfResponse(t, resp, text); resp.StatusCode != 503 || p.Code != "worker-busy" || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("got %d %q, Retry-After %q", resp.StatusCode, text, resp.Header.Get("Retry-After"))
	}
	if asked.Load() != 10 {
		t.Errorf("asked %d times, want twice each of 5", asked.Load())
	}
	if w.records.of("shed general worker-busy") != 1 {
		t.Error("not counted as shed")
	}
}

func TestBusyAnswersEndWithTheTimeInTheQueue(t *testing.T) {
	p := builtIn("general", "mult")
	p.Queue.Wait = 120 * time.Millisecond
	w := newWorld(t, p)
	var asked atomic.Int32
	w.worker("general", refusing(403, "Already working", &asked))
	resp, text := w.post("/mult", "hi")
	if got := problemOfResponse(t, resp, text); got.Code != "worker-busy" {
		t.Errorf("code %q", got.Code)
	}
	if n := asked.Load(); n == 0 || n >= leastBounces {
		t.Errorf("asked %d times", n)
	}
}

func TestABodyBeyondTheReplayBufferCannotGoElsewhere(t *testing.T) {
	w := newWorld(t, builtIn("general", "mult"))
	var asked atomic.Int32
	w.worker("general", refusing(403, "Already working", &asked))
	w.worker("general", echo)
	resp, text := w.post("/mult", strings.Repeat("x", 1<<20))
	if p := problemOfResponse(t, resp, text); p.Code != "worker-busy" || resp.Header.Get("Retry-After") == "" {
		t.Errorf("got %+v", p)
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	until(t, "the slot is free", w.idle)
}

func TestABusyAnswerBeforeTheBodyHasEndedGoesElsewhere(t *testing.T) {
	w := newWorld(t, builtIn("general", "mult"))
	w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 15\r\n\r\nAlready working")
			_, _ = io.Copy(io.Discard, c)
		}
	})})
	w.worker("general", echo)
	c, r := w.dial("POST /mult HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
	until(t, "the request is with the second worker", func() bool { return w.records.of("retry general busy") == 1 })
	if _, err := io.WriteString(c, "3\r\nyou\r\n0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); string(text) != "POST hiyou" {
		t.Errorf("got %d %q", resp.StatusCode, text)
	}
}

func TestAWorkerThatRegisteredWithoutCapabilitiesIsLearntBy404(t *testing.T) {
	w := newWorld(t, pool("general", "mult", "add"))
	var asked atomic.Int32
	w.add(fleet.Info{ID: "anything", Origin: fleet.Registered, Address: serve(t, refusing(404, "", &asked)).URL})
	w.worker("general", echo)
	for range 4 {
		if resp, text := w.post("/mult", "hi"); resp.StatusCode != 200 || text != "POST hi" {
			t.Errorf("got %d %q", resp.StatusCode, text)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("it was asked %d times, want once", asked.Load())
	}
	if w.records.of("retry general lacks") != 1 {
		t.Error("not counted")
	}
}

func TestA404OfAWorkerThatSaidWhatItCanDoIsAnAnswer(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	var asked atomic.Int32
	w.add(fleet.Info{Origin: fleet.Registered, Capabilities: []string{"mult"}, Address: serve(t, refusing(404, "no such row", &asked)).URL})
	for i := range 2 {
		if resp, text := w.post("/mult", "hi"); resp.StatusCode != 404 || text != "no such row" || asked.Load() != int32(i+1) {
			t.Errorf("got %d %q", resp.StatusCode, text)
		}
	}
}

func TestMaxBouncesGrowWithTheWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fleetOf([]config.Pool{pool("general", "mult")})
		b := &Balancer{fleet: f}
		for n, want := range map[int]int{0: leastBounces, 3: leastBounces, 10: 20} {
			for i := len(f.Workers()); i < n; i++ {
				id := fmt.Sprint("w", i)
				if _, err := f.Add(fleet.Info{ID: id, Pool: "general", Origin: fleet.Cold}); err != nil {
					t.Fatal(err)
				}
				f.Ready(id, "http://h", 100)
			}
			if len(f.Workers()) == n && b.maxBounces() != want {
				t.Errorf("%d workers: %d, want %d", n, b.maxBounces(), want)
			}
		}
	})
}

func TestARefusalThatBreaksOffIsABrokenAnswer(t *testing.T) {
	w := newWorld(t, builtIn("general", "mult"))
	w.add(fleet.Info{Pool: "general", Address: raw(t, func(c net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 15\r\n\r\nAlready")
		}
	})})
	_, r := w.dial("GET /mult HTTP/1.1\r\nHost: h\r\n\r\n")
	if resp, err := http.ReadResponse(r, nil); err == nil {
		if text, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("a whole answer: %d %q", resp.StatusCode, text)
		}
	}
	if got := wait(t, w.records.finished, "the record"); got.code != 502 {
		t.Errorf("recorded as %d", got.code)
	}
	until(t, "the slot is free", w.idle)
}
