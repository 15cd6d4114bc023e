package acceptance

import (
	"fmt"
	"io"
	"runtime"
	"strings"
)

func b5Many() []row {
	idle := often(5000, 1000)
	return []row{
		{name: fmt.Sprintf("41 %d idle connections", idle), run: func(x *trial) {
			before := memory()
			x.sees("GET /mult", 1)
			for range idle {
				x.dial()
			}
			if a := x.ask(get("/mult", "")); a.status != 200 {
				x.Errorf("status %d", a.status)
			}
			if each := (int(memory()) - int(before)) / idle >> 10; each > 30 {
				x.Errorf("they take %d KiB each", each)
			}
		}},
		{name: "41 connections over the bound", with: func(p *plan) { p.Limits.Connections = 10 }, run: func(x *trial) {
			x.sees("GET /mult", 10)
			var within []*client
			for range 10 {
				c := x.dial().send(get("/mult", ""))
				if a := c.answer("GET"); a.status != 200 {
					x.Errorf("status %d", a.status)
				}
				within = append(within, c)
			}
			for range 10 {
				if n, err := x.dial().r.Read(make([]byte, 1)); n > 0 || err == nil {
					x.Errorf("one too many was served")
				}
			}
			within[0].stays()
			within[1].close()
			x.await("its place is free", func() bool {
				c := x.dial()
				defer c.close()
				a, err := c.send(get(after, "")).read("GET")
				return err == nil && a.status == 200
			})
			x.closeClients()
			x.await("all places are free", func() bool {
				c := x.dial()
				defer c.close()
				a, err := c.send(get(after, "")).read("GET")
				return err == nil && a.status == 200
			})
		}},
	}
}

// memory is what the process uses, in bytes, after what is not needed has gone.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func b5Queue() []row {
	busy := func(length int) func(*plan) {
		return func(p *plan) { p.pool().Queue.Length, p.workers = length, []script{held} }
	}
	return []row{
		{name: "42 a full queue is told at once", with: busy(1), run: func(x *trial) {
			x.sees("GET /mult", 2)
			first := x.dial().send(get("/mult", ""))
			take(x, x.first().heard, "the worker to have it")
			second := x.dial().send(get("/mult", ""))
			x.await("one waits", func() bool { return x.queued() == 1 })
			a := x.ask(get("/mult", ""))
			x.refusal(a, 503)
			if p := x.problem(a); p.Code != "queue-full" {
				x.Errorf("code %q", p.Code)
			}
			x.first().leave <- struct{}{}
			x.first().leave <- struct{}{}
			first.answer("GET")
			second.answer("GET")
		}},
		{name: "42 nobody waits beyond the limit", with: func(p *plan) {
			busy(10)(p)
			p.pool().Queue.Wait = brief
		}, run: func(x *trial) {
			x.sees("GET /mult", 1)
			first := x.dial().send(get("/mult", ""))
			take(x, x.first().heard, "the worker to have it")
			a := x.ask(get("/mult", ""))
			x.refusal(a, 503)
			if p := x.problem(a); p.Code != "queue-timeout" {
				x.Errorf("code %q", p.Code)
			}
			x.first().leave <- struct{}{}
			first.answer("GET")
		}},
		{name: "42 an unknown capability", run: func(x *trial) {
			for i := range 20 {
				a := x.ask(get(fmt.Sprintf("/nobody-%d/x", i), ""))
				x.refusal(a, 404)
				if p := x.problem(a); p.Code != "unknown-capability" || len(p.Capabilities) != 2 {
					x.Errorf("%+v", p)
				}
			}
			if len(x.books.names) > 0 || x.fleet.Status()[0].Rate > 0 || len(x.fleet.Workers()) != 1 {
				x.Errorf("it left something: %v", x.books.names)
			}
		}},
	}
}

func b5Gone() []row {
	// quiet asserts that a client that left counts as that and as nothing else.
	quiet := func(x *trial) {
		if code := take(x, x.books.finished, "the end of the request"); code != 499 {
			x.Errorf("recorded as %d", code)
		}
		m, _ := x.fleet.Measure("general")
		if m.Latency.N > 0 || m.Latency.Failed > 0 || m.Latency.Missed > 0 {
			x.Errorf("it counts: %+v", m.Latency)
		}
		x.await("it is logged as 499", func() bool { return strings.Contains(x.log.String(), "status=499") })
	}
	var rows []row
	for _, b := range []struct{ name, send string }{
		{"GET", get("/mult", "")}, {"POST", post("/mult", "Content-Length: 2\r\n", "hi")}, {"POST in chunks", chunked("2\r\nhi\r\n0\r\n\r\n")},
	} {
		method, _, _ := strings.Cut(b.send, " ")
		rows = append(rows,
			row{name: "43 " + b.name + ": gone while it waits", with: func(p *plan) { p.workers = []script{held} }, run: func(x *trial) {
				x.sees("GET /mult/first", 1)
				first := x.dial().send(get("/mult/first", ""))
				take(x, x.first().heard, "the worker to have it")
				c := x.dial().send(b.send)
				x.await("it waits", func() bool { return x.queued() == 1 })
				c.close()
				x.await("it waits no more", func() bool { return x.queued() == 0 })
				quiet(x)
				x.first().leave <- struct{}{}
				first.answer("GET")
			}},
			row{name: "43 " + b.name + ": gone while it is served", with: func(p *plan) { p.workers = []script{silent} }, run: func(x *trial) {
				x.sees(method+" /mult", 1)
				c := x.dial().send(b.send)
				take(x, x.first().heard, "the worker to have it")
				c.close()
				take(x, x.first().heard, "the worker to be let go")
				quiet(x)
			}},
			row{name: "43 " + b.name + ": gone in the middle of the answer", with: func(p *plan) { p.workers = []script{endless} }, run: func(x *trial) {
				x.sees(method+" /mult", 1)
				c := x.dial().send(b.send)
				if _, err := io.ReadFull(c.r, make([]byte, 4096)); err != nil {
					x.Fatal(err)
				}
				c.close()
				quiet(x)
			}})
	}
	return rows
}
