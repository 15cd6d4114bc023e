package fleet

import (
	"testing"
	"time"
)

func TestTunnelIsServedAndNoServiceTime(t *testing.T) {
	f, c := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 2 }))
	w := active(t, f, "p", "a")[0]
	tunnel, other := take(t, f, "mult"), take(t, f, "mult")
	end(t, other, Busy)
	c.pass(time.Hour)
	end(t, tunnel, Tunnel)
	expect(t, "served", w.served, 1)
	expect(t, "busy answers in a row", w.busies, 0)
	expect(t, "pace", w.pace, 0)
	expect(t, "spent", w.spent, 0)
	m := measure(t, f, "p")
	expect(t, "latency", m.Latency, Latency{})
	expect(t, "service times", count(m), 0)
	audit(t, f)
}

func TestTunnelEndsThePauseOfItsWorker(t *testing.T) {
	f, _ := still(with(kind("p", "mult"), func(p *PoolConfig) { p.Concurrency = 2 }))
	active(t, f, "p", "a")
	tunnel, other := take(t, f, "mult"), take(t, f, "mult")
	end(t, other, Busy)
	waits := enqueue(t, f, Request{Capability: "mult"})
	end(t, tunnel, Tunnel)
	expectGrant(t, waits, "a")
	audit(t, f)
}

func TestLeavingHoldsForEverOnceDrained(t *testing.T) {
	ends := map[string]func(f *Fleet){
		"draining": func(*Fleet) {},
		"failed":   func(f *Fleet) { f.Fail("a", "test") },
		"gone":     func(f *Fleet) { f.Remove("a") },
		"replaced": func(f *Fleet) { f.Remove("a"); f.Add(Info{ID: "a", Pool: "p", Origin: Cold}) },
	}
	for name, finish := range ends {
		t.Run(name, func(t *testing.T) {
			f, _ := still(kind("p", "mult"))
			w := active(t, f, "p", "a")[0]
			expect(t, "before", f.Leaving(w), false)
			f.Drain("a", "test")
			finish(f)
			expect(t, "after", f.Leaving(w), true)
		})
	}
}

func TestLeavingIsNotWhatAWorkerThatBrokeDoes(t *testing.T) {
	f, _ := still(kind("p", "mult"))
	w := active(t, f, "p", "a")[0]
	f.Fail("a", "test")
	expect(t, "failed", f.Leaving(w), false)
	f.Remove("a")
	expect(t, "gone", f.Leaving(w), false)
}
