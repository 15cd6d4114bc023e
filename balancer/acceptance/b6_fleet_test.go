package acceptance

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"understudy/config"
	"understudy/fleet"
)

func b6Own() []row {
	var rows []row
	for _, status := range []int{500, 502, 503, 504, 403, 404, 429} {
		rows = append(rows, row{name: fmt.Sprintf("50 the worker's own %d is passed on and not tried again", status), with: func(p *plan) {
			own := func(p *play) bool { return p.read() == nil && p.answer(status, "X-Own: 1\r\n", "mine") }
			p.workers = []script{own, own}
		}, run: func(x *trial) {
			x.sees("GET /mult", 10)
			for range 10 {
				if a := x.ask(get("/mult", "")); a.status != status || string(a.body) != "mine" || a.get("X-Own") != "1" {
					x.Errorf("status %d %q", a.status, a.body)
				}
			}
			x.books.mu.Lock()
			clear(x.books.codes) // they are the worker's and not ours
			x.books.mu.Unlock()
		}})
	}
	rows = append(rows, row{name: "50 all workers dead: 503 and no hang", fault: true, with: func(p *plan) { p.pool().Queue.Wait = brief }, run: func(x *trial) {
		x.fleet.Fail("w1", "it is dead")
		x.refusal(x.ask(get("/mult", "")), 503)
		x.fleet.SetUnavailable("general", "they are all dead")
		a := x.ask(get("/mult", ""))
		x.refusal(a, 503)
		if p := x.problem(a); p.Code != "no-worker" {
			x.Errorf("code %q", p.Code)
		}
	}})
	return rows
}

// b6Ejected: a worker on which everything breaks is left out, but never so many that nobody is left.
func b6Ejected() []row {
	failing := func(p *play) bool {
		if p.read() == nil {
			reset(p.c)
		}
		return false
	}
	fragile := func(workers ...script) func(*plan) {
		return func(p *plan) {
			p.pool().Eject, p.workers = config.Eject{Failures: 5, Time: time.Hour}, workers
		}
	}
	return []row{
		{name: "50 after five failures in a row a worker gets nothing", fault: true, with: fragile(failing, nil, nil), run: func(x *trial) {
			x.sees("POST /mult", 50)
			c, failed := x.dial(), 0
			for range 50 {
				if a := c.again(post("/mult", "Content-Length: 2\r\n", "hi")); a.status != 200 {
					x.refusal(a, 502)
					failed++
				}
			}
			if got := len(x.first().requests()); got != 5 || failed != 5 {
				x.Errorf("it got %d requests, %d failed", got, failed)
			}
			if s := x.fleet.Status()[0].Workers[0]; s.Ejected <= 0 {
				x.Errorf("it is not said to be out: %+v", s)
			}
		}},
		{name: "50 when most fail everybody serves", fault: true, with: fragile(failing, failing, nil), run: func(x *trial) {
			x.sees("POST /mult", 60)
			c, served := x.dial(), 0
			for range 60 {
				if a := c.again(post("/mult", "Content-Length: 2\r\n", "hi")); a.status == 200 {
					served++
				}
			}
			if served < 20 || len(x.recorders[1].requests()) < 6 {
				x.Errorf("%d served, the second worker got %d", served, len(x.recorders[1].requests()))
			}
		}},
		{name: "52 a fresh worker does not get the whole queue", with: func(p *plan) {
			p.pool().Concurrency, p.pool().Ramp, p.workers = 20, time.Hour, nil
		}, run: func(x *trial) {
			x.sees("GET /mult", 20)
			var waiting []*client
			for range 20 {
				waiting = append(waiting, x.dial().send(get("/mult", "")))
			}
			x.await("all wait", func() bool { return x.queued() == 20 })
			x.worker("general", held)
			for _, has := range []int{2, 4, 8} { // a tenth, and with each answer one more
				x.await(fmt.Sprintf("it has %d", has), func() bool { return len(x.first().heard) == has })
				if n := x.fleet.Status()[0].InFlight; n != has {
					x.Errorf("%d in flight, want %d", n, has)
				}
				for range has {
					<-x.first().heard
					x.first().leave <- struct{}{}
				}
			}
			for range 6 {
				x.first().leave <- struct{}{}
			}
			for _, c := range waiting {
				if a := c.answer("GET"); a.status != 200 {
					x.Errorf("status %d", a.status)
				}
			}
		}},
	}
}

// b6Squatter: somebody else answers at a worker's address, with 200 and without the identity that was given to the worker.
func b6Squatter() []row {
	return []row{{name: "52 a worker without its identity is not used", fault: true, with: func(p *plan) {
		p.pool().Ready.Identity, p.pool().Queue.Wait = "required", brief
	}, run: func(x *trial) {
		x.maySee("GET /", 10) // the probe
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); x.balancer.Health().Run(ctx) }()
		x.await("it is taken out", func() bool { _, state, _ := x.fleet.Worker("w1"); return state == fleet.Failed })
		cancel()
		<-done
		x.refusal(x.ask(get("/mult", "")), 503)
		if text := x.log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "identity") {
			x.Errorf("nobody is told: %s", text)
		}
	}}}
}

// b6Cycles: workers come and go under load, with tunnels. A worker gets nothing after it was removed, and nobody notices.
func b6Cycles() []row {
	n := often(1000, 30)
	return []row{{name: fmt.Sprintf("53 %d cycles of growing and shrinking under load", n), with: func(p *plan) {
		p.pool().Workers.Max, p.workers = 10000, nil
	}, run: func(x *trial) {
		stop := make(chan struct{})
		var load sync.WaitGroup
		var sent, tunnels atomic.Int64
		x.worker("general", both).id = "stays"
		for i := range 4 {
			load.Go(func() { x.load(i, stop, &sent, &tunnels) })
		}
		for i := 0; i < n || tunnels.Load() == 0 && i < 100*n; i++ { // the load may be late
			x.cycle(fmt.Sprintf("c%d", i))
		}
		close(stop)
		load.Wait()
		x.maySee("GET /chat", int(tunnels.Load()))
		x.sees("POST /mult", int(sent.Load()))
		if sent.Load() < int64(n) || tunnels.Load() == 0 {
			x.Errorf("%d requests and %d tunnels: no load to speak of", sent.Load(), tunnels.Load())
		}
	}}}
}

// both is a worker that echoes, in tunnels too.
func both(p *play) bool {
	if strings.HasPrefix(p.start, "GET /chat") {
		return switches("websocket", func(p *play) {
			buf := make([]byte, 5)
			for {
				if _, err := p.r.Read(buf); err != nil {
					return
				}
				p.say("x")
			}
		})(p)
	}
	return echo(p)
}

// cycle adds a worker, drains it once it has served, and removes it.
func (x *trial) cycle(id string) {
	rec, err := newRecorder(both)
	if err != nil {
		x.Fatal(err)
	}
	x.join(fleet.Info{ID: id, Pool: "general", Address: rec.url(), Generation: id, Origin: fleet.Cold})
	x.await("it serves", func() bool { rec.mu.Lock(); defer rec.mu.Unlock(); return rec.asked > 0 })
	idle, err := x.fleet.Drain(id, "a cycle")
	if err != nil {
		x.Fatal(err)
	}
	take(x, idle, "its requests to end")
	x.fleet.Remove(id)
	served := len(rec.requests())
	if !rec.hungUp() {
		x.Errorf("a connection to worker %s stays open after it was removed", id)
	}
	if more := len(rec.requests()) - served; more > 0 {
		x.Errorf("worker %s got %d requests after it was removed", id, more)
	}
	rec.close()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.recorders = append(x.recorders, rec)
}

// load sends requests on connections that are kept, and now and then talks in a tunnel for a moment.
func (x *trial) load(i int, stop <-chan struct{}, sent, tunnels *atomic.Int64) {
	c := x.dial()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		if n%50 == 49 {
			t := x.dial()
			if a, err := t.send(upgrade).read(upgrade); err != nil || a.status != 101 {
				x.Errorf("a tunnel: %+v %v", a, err)
				return
			}
			tunnels.Add(1)
			for range 3 {
				if b, err := t.send("x").r.ReadByte(); err != nil || b != 'x' {
					x.Errorf("in a tunnel: %v", err)
				}
			}
			t.close()
			continue
		}
		body := fmt.Sprintf("%d-%d", i, n)
		sent.Add(1)
		a, err := c.send(post("/mult", fmt.Sprintf("Content-Length: %d\r\n", len(body)), body)).read("POST")
		if err != nil || a.status != 200 || string(a.body) != body {
			x.Errorf("request %s: %+v %v", body, a, err)
			return
		}
	}
}
