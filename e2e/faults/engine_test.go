package faults

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy/driver/docker/enginetest"
)

func TestD12WorkersAreReplacedWithoutAnyEvent(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 1))
	w.engine.Script("events", enginetest.Refuse(500, "no events today"))
	w.start()
	w.ready("p", 2)
	lost := w.ids()[0]
	w.engine.Remove(lost)
	w.until("it is replaced", func() bool { return len(w.ids()) == 2 && w.states("p", "active", "spare") == 2 })
	w.serves("mult", 3)
	if n := w.engine.Count("events"); n > 30 {
		t.Errorf("the stream of events was asked for %d times", n)
	}
}

func TestD13EventsThatLieChangeNothing(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 2, 1))
	told := make(chan struct{})
	w.engine.Script("events", enginetest.First(1, func(rw http.ResponseWriter, r *http.Request) bool {
		select {
		case <-told:
		case <-r.Context().Done():
			return true
		}
		for range 50 {
			for _, id := range append(w.ids(), "id999", "") {
				_, _ = rw.Write([]byte(`{"Type":"container","Action":"die","Actor":{"ID":"` + id + `"},"timeNano":7}` + "\n"))
			}
		}
		return true
	}))
	w.start()
	w.ready("p", 3)
	before := w.ids()
	w.engine.ForgetCalls()
	close(told)
	w.until("the engine was asked what is true", func() bool { return w.engine.Count("inspect") > 3 && w.engine.Count("list") > 0 })
	w.pass(time.Second)
	if now := w.ids(); !slices.Equal(now, before) || w.engine.Count("create", "kill", "remove") != 0 {
		t.Errorf("the workers were %v and are %v", before, now)
	}
	if n := w.engine.Count("list"); n > 10 {
		t.Errorf("200 hints were %d lists", n)
	}
}

func TestD14AnEngineThatRestartsTakesTheWorkersAndGetsThemBack(t *testing.T) {
	p := pool("p", "mult", 2, 1)
	p.Queue.Wait = 2 * time.Second
	w := newWorld(t, p)
	w.start()
	w.ready("p", 3)
	before := w.ids()
	w.engine.Down(false)
	if code, _ := w.ask("mult"); code != http.StatusServiceUnavailable && code != http.StatusBadGateway && code != http.StatusGatewayTimeout {
		t.Errorf("with no worker alive a task got %d", code)
	}
	w.until("the balancer knows", func() bool { return w.metric("understudy_driver_up") == "0" })
	w.until("it says that it is not ready", func() bool { ok, why := w.app.Ready(); return !ok && strings.Contains(why, "engine is away") })
	w.engine.ForgetCalls()
	w.engine.Up()
	w.until("all are back", func() bool { return len(w.ids()) == 3 && w.states("p", "active", "spare") == 3 })
	w.serves("mult", 5)
	for _, id := range w.ids() {
		if slices.Contains(before, id) {
			t.Errorf("%s was dead and runs", id)
		}
	}
	if n := w.engine.Count("create"); n != 3 {
		t.Errorf("to get 3 workers back there were %d creates", n)
	}
	if up := w.metric("understudy_driver_up"); up != "1" {
		t.Errorf("understudy_driver_up is %q", up)
	}
}

func TestD15WorkersThatOutliveTheEngineAreKept(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 3, 1))
	w.start()
	w.ready("p", 4)
	before := w.ids()
	w.engine.ForgetCalls()
	w.engine.Down(true) // its proxies die with it: no port answers
	w.until("the balancer knows", func() bool { return w.metric("understudy_driver_up") == "0" })
	w.pass(4 * time.Second) // two rounds of probes
	w.engine.Up()
	w.until("they serve again", func() bool { return w.states("p", "active", "spare") == 4 })
	w.serves("mult", 5)
	w.until("it is ready again", func() bool { ok, _ := w.app.Ready(); return ok })
	w.pass(time.Second)
	if now := w.ids(); !slices.Equal(now, before) || w.engine.Count("create", "kill", "remove") != 0 {
		t.Errorf("the workers were %v and are %v, after %d creates and %d removals", before, now, w.engine.Count("create"), w.engine.Count("remove"))
	}
}

func TestD17AnEngineThatHangsHoldsNobodyUp(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 2, 1))
	w.start()
	w.ready("p", 3)
	w.engine.ForgetCalls()
	stuck := []string{"ping", "list", "create", "start", "kill", "wait", "inspect", "logs", "remove", "networks", "image"}
	for _, route := range stuck {
		w.engine.Script(route, enginetest.Hang)
	}
	w.engine.Exit(w.ids()[0], 1) // there would be something to do
	var clients sync.WaitGroup
	stop := time.After(4 * time.Second)
	done := make(chan struct{})
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				began := time.Now()
				if code, _ := w.ask("mult"); code != http.StatusOK {
					t.Errorf("while the engine hangs a task got %d", code)
				}
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("while the engine hangs a task took %v", took)
				}
			}
		})
	}
	<-stop
	close(done)
	clients.Wait()
	if n := w.engine.Count(); n > 20 {
		t.Errorf("an engine that hangs was called %d times within four seconds", n)
	}
	for _, route := range stuck {
		w.engine.Script(route, nil)
	}
	w.ready("p", 3)
}

func TestD26AFullDiskIsNoStormAndTheWorkersThereAreGoOn(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 2, 1))
	w.start()
	w.ready("p", 3)
	w.engine.Script("create", enginetest.Refuse(500, "write /var/lib/docker: no space left on device"))
	w.engine.ForgetCalls()
	w.engine.Exit(w.ids()[0], 1)
	w.until("it was tried", func() bool { return w.engine.Count("create") > 1 })
	w.serves("mult", 10)
	w.pass(3 * time.Second)
	if n := w.engine.Count("create"); n > 8 {
		t.Errorf("within three seconds there were %d creates", n)
	}
	if s := w.status().Pools[0]; !strings.Contains(s.LastError, "no space left") {
		t.Errorf("the status says %q", s.LastError)
	}
	if w.metric(`understudy_driver_errors_total{driver="docker",op="start"}`) == "0" {
		t.Error("no metric tells of it")
	}
	w.engine.Script("create", nil)
	w.ready("p", 3)
}

func TestD29TwentyWorkersAtOnceAreAFewCallsAtATime(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 18, 2))
	w.engine.Script("create", enginetest.Delay(10*time.Millisecond))
	w.engine.Script("start", enginetest.Delay(20*time.Millisecond))
	w.cfg.Ports = ports(t, 30)
	w.start()
	w.ready("p", 20)
	if most, creates := w.engine.Most(), w.engine.Count("create"); most > 4 || creates != 20 {
		t.Errorf("%d creates, %d calls at a time", creates, most)
	}
	w.serves("mult", 40)
}
