package faults

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"understudy/admin"
	"understudy/driver/docker/enginetest"
)

func TestD01PortsTakenAtStartAreSetAsideAndTriedOnce(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 0))
	w.engine.Script("start", enginetest.First(2, enginetest.Refuse(500,
		"driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:1 failed: port is already allocated")))
	w.start()
	w.ready("p", 1)
	w.serves("mult", 3)
	troubles := w.status().Ports.Troubles
	if len(troubles) != 2 || troubles[0].Port == troubles[1].Port {
		t.Errorf("set aside are %+v", troubles)
	}
	if n := w.engine.Count("start"); n != 3 {
		t.Errorf("there were %d starts, want 3", n)
	}
	if removed := len(w.engine.Removed()); removed != 2 {
		t.Errorf("%d of 2 containers that did not start were removed", removed)
	}
}

func TestD02APortIsGivenAgainOnlyOnceItIsFree(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 0))
	w.start()
	w.ready("p", 1)
	old := w.ours()[0]
	port := old.Ports["8080/tcp"][0].HostPort
	var stale net.Listener
	w.engine.Script("remove", enginetest.First(1, func(rw http.ResponseWriter, r *http.Request) bool {
		w.engine.Remove(r.PathValue("id"))
		stale, _ = net.Listen("tcp4", "127.0.0.1:"+port) // a proxy that outlived its container
		rw.WriteHeader(http.StatusNoContent)
		return true
	}))
	w.engine.Exit(old.ID, 1)
	w.until("the port is set aside", func() bool {
		return slices.ContainsFunc(w.status().Ports.Troubles, func(p admin.PortTrouble) bool { return strconv.Itoa(p.Port) == port })
	})
	defer stale.Close()
	w.ready("p", 1)
	w.serves("mult", 3)
	for _, c := range w.ours() {
		if c.Ports["8080/tcp"][0].HostPort == port {
			t.Errorf("%s was given the port that is held", c.Name)
		}
	}
}

func TestD28AWorkerTheEngineCallsRunningButNobodyReachesIsReplaced(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 1))
	w.start()
	w.ready("p", 2)
	lost := w.ours()[0]
	w.engine.Unplug(lost.ID)
	w.until("it is replaced", func() bool { return !slices.Contains(w.ids(), lost.ID) && len(w.ids()) == 2 })
	w.ready("p", 2)
	w.serves("mult", 3)
}

func TestD30WithoutAFreePortAPoolStaysAsItIsAndServes(t *testing.T) {
	p := pool("p", "mult", 4, 0)
	w := newWorld(t, p)
	w.cfg.Ports.To = w.cfg.Ports.From + 1
	w.start()
	w.ready("p", 2)
	w.engine.ForgetCalls()
	w.serves("mult", 20)
	w.pass(time.Second) // four decisions that would like more
	s := w.status().Pools[0]
	if s.LastError == "" || s.Unavailable != "" {
		t.Errorf("its last error is %q, unavailable %q", s.LastError, s.Unavailable)
	}
	if n := w.engine.Count("create"); n != 0 || len(w.ids()) != 2 {
		t.Errorf("without a port there were %d creates, %d workers run", n, len(w.ids()))
	}
	w.serves("mult", 20)
}
