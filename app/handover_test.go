package app

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"understudy/config"
	"understudy/fleet"
	"understudy/handover"
)

// The figure in small: clients never notice, workers never get more than they take, twice in a row.
func TestAnotherProcessTakesThePlaceUnderLoad(t *testing.T) {
	w := newWorld(t, 26000, 2, 2)
	first := w.start(nil)
	w.ready(first)
	before := w.ids()
	var stop atomic.Bool
	var sent atomic.Int64
	var clients sync.WaitGroup
	for i := range 12 {
		c := w.client(i%2 == 0)
		clients.Go(func() {
			for !stop.Load() {
				if err := post(c, first.URL()); err != nil {
					t.Errorf("a request failed: %v", err)
					return
				}
				sent.Add(1)
			}
		})
	}
	goOn := func() {
		from := sent.Load()
		w.await("requests are answered", func() bool { return sent.Load() > from+200 || t.Failed() })
	}
	goOn()
	second := w.replaced(first)
	goOn()
	third := w.replaced(second)
	goOn()
	stop.Store(true)
	clients.Wait()
	if n := w.workers.busiest(); n > 2 {
		t.Errorf("a worker had %d tasks at a time and takes 2", n)
	}
	if after := w.ids(); after != before {
		t.Errorf("the workers were %s and are %s", before, after)
	}
	for _, pool := range third.Status() {
		if pool.InFlight != 0 {
			t.Errorf("%d tasks are still booked", pool.InFlight)
		}
	}
	if first.URL() != third.URL() {
		t.Errorf("it listens on %s, before on %s", third.URL(), first.URL())
	}
}

// inFlight waits until so many tasks are at the workers and so many requests wait.
func (w *world) inFlight(p *proc, tasks, waiting int) {
	w.t.Helper()
	w.await(fmt.Sprintf("%d tasks at the workers, %d waiting", tasks, waiting), func() bool {
		pool := p.Status()[0]
		return w.workers.tasks() == tasks && pool.Queue == waiting
	})
}

// send posts n requests at once; the channel yields how each ended.
func (w *world) send(n int, url string) <-chan error {
	out := make(chan error, n)
	c := w.client(false)
	for range n {
		go func() { out <- post(c, url) }()
	}
	return out
}

func (w *world) allFine(n int, from <-chan error) {
	w.t.Helper()
	for range n {
		if err := <-from; err != nil {
			w.t.Errorf("a request failed: %v", err)
		}
	}
}

func TestRequestsThatWaitInTheOldProcessAreServed(t *testing.T) {
	w := newWorld(t, 26020, 1, 2)
	first := w.start(nil)
	w.ready(first)
	w.workers.close()
	old := w.send(7, first.URL())
	w.inFlight(first, 2, 5)
	first.Replace()
	w.await("the new process serves", func() bool { return strings.Contains(w.log.String(), "handed over") })
	second := w.apps[1]
	w.inFlight(second, 2, 5) // it knows them all
	young := w.send(3, second.URL())
	w.inFlight(second, 2, 8)
	w.workers.open()
	w.allFine(7, old)
	w.allFine(3, young)
	<-first.ended
	if n := w.workers.busiest(); n > 2 {
		t.Errorf("the worker had %d tasks at a time and takes 2", n)
	}
}

func TestATunnelStaysInTheOldProcess(t *testing.T) {
	w := newWorld(t, 26040, 1, 1)
	first := w.start(nil)
	w.ready(first)
	conn, err := net.Dial("tcp", strings.TrimPrefix(first.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /mult HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	say := func(word string) {
		t.Helper()
		fmt.Fprintln(conn, word)
		if back, err := in.ReadString('\n'); err != nil || back != word+"\n" {
			t.Fatalf("said %q, heard %q, %v", word, back, err)
		}
	}
	say("before")
	first.Replace()
	w.await("the new process serves", func() bool { return strings.Contains(w.log.String(), "handed over") })
	say("after")
	other := w.send(1, first.URL())
	w.inFlight(w.apps[1], 1, 1) // the worker takes one task, and the tunnel is one
	say("still")
	conn.Close()
	w.allFine(1, other)
	<-first.ended
}

// goesOn checks that the old process serves, scales, and answers on its admin plane.
func (w *world) goesOn(p *proc, why string) {
	w.t.Helper()
	w.await("it says why", func() bool { return strings.Contains(w.log.String(), why) })
	w.allFine(1, w.send(1, p.URL()))
	w.await("the admin plane answers", func() bool {
		resp, err := w.client(false).Get(p.AdminURL() + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	id := strings.Fields(w.ids())[0]
	w.driver.Kill(id, 1)
	w.await("a dead worker is replaced", func() bool {
		return !strings.Contains(w.ids(), id) && len(w.driver.Workers()) == w.cfg.Pools[0].Workers.Min
	})
	w.ready(p)
	w.allFine(1, w.send(1, p.URL()))
}

func TestANewProcessThatWillNotIsNoLoss(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		play  func(*Inherited) bool
		brief func(*config.Config)
		says  string
	}{
		"bad configuration": {play: func(in *Inherited) bool {
			in.Fail(errors.New("pools[0].workers: min is more than max"))
			in.drop()
			return true
		}, says: "min is more than max"},
		"crash at once":            {play: func(in *Inherited) bool { in.predecessor.Close(); in.drop(); return true }, says: "ended before it took over (exit status 1)"},
		"another instance":         {brief: func(c *config.Config) { c.Instance = "y" }, says: `names the instance`},
		"an address that is taken": {brief: func(c *config.Config) { c.Listen = taken.Addr().String() }, says: "cannot listen on " + taken.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 26060, 1, 1)
			first := w.start(nil)
			w.ready(first)
			w.interfere, w.brief = c.play, c.brief
			first.Replace()
			w.goesOn(first, c.says)
			w.interfere, w.brief = nil, nil
			w.allFine(1, w.send(1, w.replaced(first).URL())) // and it can be tried again
		})
	}
}

// It dies after it has come so far, whatever that is, while requests are in flight and waiting.
func TestANewProcessThatDiesBeforeItServesIsNoLoss(t *testing.T) {
	for _, stage := range []handover.Stage{handover.Prepared, handover.Adopted, "held"} {
		t.Run(string(stage), func(t *testing.T) {
			w := newWorld(t, 26080, 1, 1)
			first := w.start(nil)
			w.ready(first)
			w.workers.close()
			requests := w.send(4, first.URL())
			w.inFlight(first, 1, 3)
			var played sync.WaitGroup
			w.interfere = func(in *Inherited) bool {
				played.Go(func() {
					defer in.drop()
					p := in.predecessor
					defer p.Close()
					p.Lend(fleet.New(fleetPools(w.cfg), time.Now), nil)
					p.Tell(handover.Prepared)
					if stage == handover.Prepared {
						return
					}
					_, _ = p.Estate(t.Context())
					p.Tell(handover.Adopted)
					if stage == "held" {
						_ = p.Taken(t.Context())
						_, _ = in.lock.WriteAt([]byte("process 1 (the new one)\n"), 0)
					}
				})
				return true
			}
			first.Replace()
			w.await("it says why", func() bool { return strings.Contains(w.log.String(), "ended before it took over") })
			played.Wait()
			w.workers.open()
			w.allFine(4, requests)
			w.goesOn(first, "ended before it took over")
			if pid := lastHolder(w.dir, "fake", "x"); pid != os.Getpid() {
				t.Errorf("process %d has the instance, says the lock", pid)
			}
			if n := w.workers.busiest(); n > 1 {
				t.Errorf("the worker had %d tasks at a time and takes 1", n)
			}
		})
	}
}

// It hangs after it has come so far: the old process ends it and goes on.
func TestANewProcessThatHangsIsNoLoss(t *testing.T) {
	for _, stage := range []handover.Stage{"started", handover.Prepared, handover.Adopted} {
		t.Run(string(stage), func(t *testing.T) {
			w := newWorld(t, 26160, 1, 1)
			w.patience.Prepare, w.patience.Adopt, w.patience.Take = 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
			first := w.start(nil)
			w.ready(first)
			w.workers.close()
			requests := w.send(4, first.URL())
			w.inFlight(first, 1, 3)
			hanging := make(chan *Inherited, 1)
			w.interfere = func(in *Inherited) bool {
				p := in.predecessor
				p.Lend(fleet.New(fleetPools(w.cfg), time.Now), nil)
				if stage != "started" {
					p.Tell(handover.Prepared)
				}
				if stage == handover.Adopted {
					p.Tell(handover.Adopted)
				}
				hanging <- in
				return true
			}
			first.Replace()
			w.await("it says why", func() bool { return strings.Contains(w.log.String(), "within 100ms") })
			w.workers.open()
			w.allFine(4, requests)
			w.interfere = nil
			w.goesOn(first, "within 100ms")
			in := <-hanging
			in.predecessor.Close()
			in.drop()
		})
	}
}

func TestWhenTheOldProcessDiesTheNewOneIsFree(t *testing.T) {
	w := newWorld(t, 26100, 1, 1)
	first := w.start(nil)
	w.ready(first)
	w.workers.close()
	held := w.send(1, first.URL())
	w.inFlight(first, 1, 0)
	first.Replace()
	w.await("the new process serves", func() bool { return strings.Contains(w.log.String(), "handed over") })
	second := w.apps[1]
	w.inFlight(second, 1, 0)
	second.predecessor.Close() // as far as it can see, the old process is gone
	w.await("nothing is booked for it any more", func() bool { return second.Status()[0].InFlight == 0 })
	w.workers.open()
	w.allFine(1, held)
}

func TestAChangedAddressIsTakenAnewAndTheOthersAreKept(t *testing.T) {
	w := newWorld(t, 26120, 1, 1)
	w.cfg.Admin = "127.0.0.1:26139"
	first := w.start(nil)
	w.ready(first)
	w.brief = func(c *config.Config) { c.Admin = "127.0.0.1:26138" }
	second := w.replaced(first)
	if second.URL() != first.URL() || second.AdminURL() != "http://127.0.0.1:26138" {
		t.Errorf("%s and %s", second.URL(), second.AdminURL())
	}
	if c, err := net.Dial("tcp", "127.0.0.1:26139"); err == nil {
		c.Close()
		t.Error("nobody serves the old address, and yet it takes connections")
	}
	w.allFine(1, w.send(1, first.URL()))
}

func TestLocalProcessesCannotBeHandedOver(t *testing.T) {
	a := &App{Options: Options{Config: config.Defaults(), Spawn: Spawn}, driver: processes{}}
	if err := a.canHandOver(t.Context()); err == nil || !strings.Contains(err.Error(), "local processes") {
		t.Errorf("%v", err)
	}
	a.Config.Pools[0].Members, a.Config.Pools[0].Capabilities = []string{"http://127.0.0.1:1"}, []string{"echo"}
	if err := a.canHandOver(t.Context()); err != nil {
		t.Errorf("members are nobody's children: %v", err)
	}
	a.Spawn = nil
	if err := a.canHandOver(t.Context()); err == nil {
		t.Error("nobody can start another")
	}
}
