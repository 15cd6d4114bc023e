package balancer

import (
	"bufio"
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"understudy/config"
	"understudy/fleet"
)

func ejecting() config.Pool {
	p := pool("general", "mult")
	p.Eject = config.Eject{Failures: 3, Time: time.Hour}
	return p
}

// A worker whose port answers and that breaks every request: no probe would find it.
func TestAWorkerThatBreaksRequestsIsLeftOut(t *testing.T) {
	w := newWorld(t, ejecting())
	var broke atomic.Int64
	bad := w.add(fleet.Info{Pool: "general", Address: raw(t, func(_ net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err == nil {
			broke.Add(1)
		}
	})})
	w.worker("general", echo)
	for i := range 20 {
		if resp, _ := w.get("/mult"); resp.StatusCode != 200 {
			t.Errorf("%d. request: %d", i, resp.StatusCode)
		}
	}
	if n := broke.Load(); n != 3 {
		t.Errorf("%d requests broke on it", n)
	}
	w.balancer.tellVerdicts()
	if w.records.of("ejected general") != 1 || w.records.of("retry general reset") != 3 {
		t.Errorf("recorded %v", w.records.counts)
	}
	if s := w.fleet.Status()[0].Workers[0]; s.ID != bad.ID || s.Ejected < 59*time.Minute {
		t.Errorf("worker %s is out for %v", s.ID, s.Ejected)
	}
}

// What the application answers is its own business.
func TestAWorkerThatAnswersWithErrorsIsNotLeftOut(t *testing.T) {
	w := newWorld(t, ejecting())
	for range 2 {
		w.worker("general", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) })
	}
	for range 20 {
		if resp, _ := w.get("/mult"); resp.StatusCode != 500 {
			t.Fatalf("got %d", resp.StatusCode)
		}
	}
	if v := w.fleet.Verdicts(); len(v) > 0 {
		t.Errorf("verdicts %+v", v)
	}
}

// breaks lets n requests break on a worker.
func (w ward) breaks(t *testing.T, one *fleet.Worker, n int) {
	t.Helper()
	for range n {
		var held []fleet.Lease
		for len(held) == 0 || held[len(held)-1].Worker != one {
			l, err := w.f.Acquire(t.Context(), fleet.Request{Capability: "mult"})
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, l)
		}
		held[len(held)-1].Release(fleet.Outcome{Kind: fleet.Broke})
		for _, l := range held {
			l.Release(fleet.Outcome{Kind: fleet.Unused})
		}
	}
}

func TestEveryVerdictIsLoggedOnceAndEjectionsAreCounted(t *testing.T) {
	p := ejecting()
	p.Eject.Time = time.Minute
	inWard(t, []config.Pool{p}, func(t *testing.T, w ward) {
		var text bytes.Buffer // read when the loops wait
		w.Balancer.log = slog.New(slog.NewTextHandler(&text, nil))
		a, b, c := w.add(t, "a", fleet.Cold), w.add(t, "b", fleet.Cold), w.add(t, "c", fleet.Cold)
		w.add(t, "d", fleet.Cold)
		expectLog := func(want string, n int) {
			t.Helper()
			pass(2 * time.Second)
			if !strings.Contains(text.String(), want) || strings.Count(text.String(), "\n") != 1 {
				t.Errorf("log %q, want one line with %q", text.String(), want)
			}
			text.Reset()
			if got := w.records.of("ejected general"); got != n {
				t.Errorf("%d ejections counted, want %d", got, n)
			}
		}
		w.breaks(t, a, 3)
		expectLog(`level=WARN msg="worker ejected" pool=general worker=a broke_in_a_row=3 for=1m0s`, 1)
		pass(time.Minute)
		w.breaks(t, a, 3)
		expectLog(`for=2m0s`, 2)
		pass(2*time.Minute - 2*time.Second)
		w.breaks(t, a, 3)
		expectLog(`msg="worker ejected too often; it is replaced" pool=general worker=a`, 3)
		if got := w.state("a"); got != "failed" {
			t.Errorf("it is %s", got)
		}
		w.breaks(t, b, 3)
		expectLog("worker=b", 4)
		w.breaks(t, c, 3)
		expectLog(`msg="requests break on most workers of the pool; those that were ejected serve again" pool=general worker=c broke_in_a_row=3 workers=1`, 4)
	})
}

func TestAllWorkersDeadIsARefusalAndNotAHang(t *testing.T) {
	ask := func(t *testing.T, w ward, path string) (code, retryAfter string, waited time.Duration) {
		t.Helper()
		rec := httptest.NewRecorder()
		began := time.Now()
		w.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != 503 {
			t.Errorf("%s: got %d", path, rec.Code)
		}
		return problemOfResponse(t, rec.Result(), rec.Body.String()).Code, rec.Header().Get("Retry-After"), time.Since(began)
	}
	inWard(t, legacy(), func(t *testing.T, w ward) {
		w.add(t, "ours", fleet.Cold)
		pass(time.Second)
		for _, address := range []string{addressOne, addressTwo, "http://ours"} {
			w.set(address, errRefused)
		}
		pass(10 * time.Second)
		if code, after, waited := ask(t, w, "/echo"); code != "no-worker" || after == "" || waited > 0 {
			t.Errorf("members: %s, Retry-After %q, after %v", code, after, waited)
		}
		if code, after, waited := ask(t, w, "/mult"); code != "queue-timeout" || after == "" || waited != patience {
			t.Errorf("a pool that may start another: %s, Retry-After %q, after %v", code, after, waited)
		}
	})
}
