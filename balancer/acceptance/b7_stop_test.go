package acceptance

import (
	"context"
	"io"
	"testing"
)

// TestB7: the balancer's own end, as far as it is the data plane's. Readiness, exit codes and the second signal are the whole program's.
func TestB7(t *testing.T) {
	accept(t, b7Drain())
}

func b7Drain() []row {
	return []row{
		{name: "54 draining: kept connections are served and closed", run: func(x *trial) {
			x.sees("GET /mult", 2)
			c := x.dial().send(get("/mult", ""))
			if a := c.answer("GET"); a.status != 200 || a.get("Connection") == "close" {
				x.Errorf("before: status %d %v", a.status, a.fields)
			}
			x.balancer.Drain()
			a := c.send(get("/mult", "")).answer("GET")
			if a.status != 200 {
				x.Errorf("status %d", a.status)
			}
			is(x, a.message, "Connection", "close")
			c.closed()
		}},
		{name: "54 the end waits for what is served and what waits", with: func(p *plan) { p.workers = []script{held} }, run: func(x *trial) {
			x.sees("GET /mult", 2)
			first := x.dial().send(get("/mult", ""))
			take(x, x.first().heard, "the worker to have it")
			second := x.dial().send(get("/mult", ""))
			x.await("one waits", func() bool { return x.queued() == 1 })
			x.balancer.Drain()
			x.ended = true
			ended := make(chan error, 1)
			go func() { ended <- x.server.Shutdown(context.Background()) }()
			<-x.served // nothing is accepted any more
			x.first().leave <- struct{}{}
			x.first().leave <- struct{}{}
			for _, c := range []*client{first, second} {
				a := c.answer("GET")
				if a.status != 200 {
					x.Errorf("status %d", a.status)
				}
				is(x, a.message, "Connection", "close")
			}
			if err := take(x, ended, "the server to end"); err != nil {
				x.Errorf("%v", err)
			}
		}},
		{name: "54 a request on a connection just accepted is not lost", run: func(x *trial) {
			x.sees("GET /mult", 1)
			c := x.dial().send("GET /mult HTTP/1.1\r\n")
			idle := x.dial().send(get(after, "")) // connections are accepted in order, so c is when this one has its answer
			idle.answer("GET")
			x.balancer.Drain()
			x.ended = true
			ended := make(chan error, 1)
			go func() { ended <- x.server.Shutdown(context.Background()) }()
			idle.closed() // which shows that the end has begun
			if a := c.send("Host: h\r\n\r\n").answer("GET"); a.status != 200 {
				x.Errorf("status %d", a.status)
			}
			if err := take(x, ended, "the server to end"); err != nil {
				x.Errorf("%v", err)
			}
		}},
		{name: "54 whoever is not done at the deadline is told, and tunnels are cut", with: func(p *plan) {
			p.pool().Concurrency = 2
			p.workers = []script{func(p *play) bool {
				if p.request() == "GET /chat" {
					return switches("websocket", hangOn)(p)
				}
				return silent(p)
			}}
		}, run: func(x *trial) {
			x.sees("GET /mult", 1)
			tunnel := x.switched("")
			c := x.dial().send(get("/mult", ""))
			take(x, x.first().heard, "the worker to have it")
			x.balancer.Drain()
			x.ended = true
			x.balancer.Abort()
			a := c.answer("GET")
			x.refusal(a, 503)
			if p := x.problem(a); p.Code != "draining" {
				x.Errorf("code %q", p.Code)
			}
			if text, err := io.ReadAll(tunnel.r); len(text) > 0 {
				x.Errorf("the tunnel says %q %v", text, err)
			}
			if err := x.balancer.Wait(x.Context()); err != nil {
				x.Errorf("%v", err)
			}
		}},
	}
}
