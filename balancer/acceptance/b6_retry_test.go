package acceptance

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// TestB6: workers that misbehave, and workers that come and go.
func TestB6(t *testing.T) {
	accept(t, b6Retry(), b6Stale(), b6Total(), b6Late(), b6Broken(), b6Nonsense(), b6Extra(), b6Own(), b6Ejected(), b6Squatter(), b6Cycles())
}

// often is how many times a row repeats: the list's number when UNDERSTUDY_ACCEPTANCE=full, else few enough for every run of the tests.
func often(full, usual int) int {
	if os.Getenv("UNDERSTUDY_ACCEPTANCE") == "full" {
		return full
	}
	return usual
}

// dies is a worker that takes the request, waits for the row, and resets the connection without an answer.
func dies(p *play) bool {
	if p.read() != nil {
		return false
	}
	p.rec.heard <- p.request()
	select {
	case <-p.rec.leave:
	case <-p.rec.ended:
	}
	reset(p.c)
	return false
}

// b6Retry: a worker resets before any byte. A second worker joins while the first has the request, so that it is clear who gets it again.
func b6Retry() []row {
	var rows []row
	big := strings.Repeat("x", 65<<10)
	for _, b := range []struct {
		method, fields, body string
		again                bool
	}{
		{"GET", "", "", true}, {"HEAD", "", "", true}, {"OPTIONS", "", "", true}, {"POST", "", "hi", false}, {"PUT", "", "hi", false}, {"DELETE", "", "", false},
		{"PATCH", "", "hi", false}, {"POST", "Idempotency-Key: k\r\n", "hi", true}, {"POST", "Idempotency-Key: k\r\n", big[:64<<10], true}, {"POST", "Idempotency-Key: k\r\n", big + big, false},
	} {
		name := fmt.Sprintf("45 reset: %s with %q and %d bytes", b.method, strings.TrimSpace(b.fields), len(b.body))
		rows = append(rows, row{name: name, fault: true, with: func(p *plan) { p.workers = []script{dies} }, run: func(x *trial) {
			send := fmt.Sprintf("%s /mult HTTP/1.1\r\nHost: h\r\n%s", b.method, b.fields)
			if b.body != "" {
				send += fmt.Sprintf("Content-Length: %d\r\n", len(b.body))
			}
			send += "\r\n" + b.body
			c := x.dial().send(send)
			take(x, x.first().heard, "the first worker to have it")
			second := x.worker("general", nil)
			x.first().leave <- struct{}{}
			a := c.answer(send)
			if !b.again {
				x.sees(b.method+" /mult", 1)
				x.refusal(a, 502)
				return
			}
			x.sees(b.method+" /mult", 2)
			if got := second.requests(); a.status != 200 || len(got) != 1 || string(got[0].body) != b.body {
				x.Errorf("status %d, the second worker saw %d requests", a.status, len(got))
			}
		}})
	}
	for _, method := range []string{"GET", "POST"} {
		rows = append(rows, row{name: "45 refused: " + method + " goes to another worker, for nothing was written", fault: true, run: func(x *trial) {
			x.sees(method+" /mult", 2)
			_ = x.first().l.Close()
			x.worker("general", nil)
			for range 2 { // one of the two is tried first by the worker that refuses
				if a := x.ask(method + " /mult HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"); a.status != 200 {
					x.Errorf("status %d", a.status)
				}
			}
		}})
	}
	return rows
}

// b6Stale: a worker that closes its connection soon after each answer, without having said so.
func b6Stale() []row {
	var rows []row
	for _, method := range []string{"GET", "POST"} {
		n := often(10000, 300)
		rows = append(rows, row{name: fmt.Sprintf("46 stale connections: %d times %s", n, method), fault: true, with: func(p *plan) {
			closing := func(p *play) bool {
				if p.read() != nil || !p.answer(200, "", "ok") {
					return false
				}
				for range p.n % 64 { // sometimes before the next request, sometimes behind it
					runtime.Gosched()
				}
				return false
			}
			p.workers = []script{closing, closing}
		}, run: func(x *trial) {
			send := "GET /mult HTTP/1.1\r\nHost: h\r\n\r\n"
			if method == "POST" {
				send = post("/mult", "Content-Length: 2\r\n", "hi")
			}
			c, failed := x.dial(), 0
			for range n {
				a := c.send(send).answer(send)
				switch {
				case a.status == 200 && string(a.body) == "ok":
				case a.status == 502 && method == "POST": // the worker may have had it, so it was not sent again
					failed++
				default:
					x.Fatalf("status %d %q", a.status, a.body)
				}
			}
			if failed > n/20 {
				x.Errorf("%d of %d failed: whoever looks before it writes loses few", failed, n)
			}
			x.want[method+" /mult"] = amount{n - failed, n + x.books.of("retry")}
			if method == "POST" {
				x.want["POST /mult"] = amount{n - failed, n} // at most once each
			}
		}})
	}
	return rows
}

func b6Total() []row {
	return []row{{name: "51 everything fails: retries stay within a fifth", fault: true, with: func(p *plan) {
		failing := func(p *play) bool {
			if p.read() == nil {
				reset(p.c)
			}
			return false
		}
		p.workers = []script{failing, failing, failing}
		p.pool().Concurrency = 4
	}, run: func(x *trial) {
		clients, each := 8, often(100, 25)
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				c, err := x.connect()
				if err != nil {
					x.Errorf("%v", err)
					return
				}
				defer c.close()
				x.guard(func() {
					for range each {
						x.refusal(c.again(get("/mult", "")), 502)
					}
				})
			})
		}
		wg.Wait()
		x.want["GET /mult"] = amount{clients * each, clients*each*12/10 + 3} // a fresh balancer can afford three
	}}}
}
