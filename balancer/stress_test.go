package balancer

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"understudy/fleet"
)

// TestNothingIsLostWhileWorkersComeAndGo sends requests all the while workers are added, drained and removed.
func TestNothingIsLostWhileWorkersComeAndGo(t *testing.T) {
	p := builtIn("general", "mult")
	p.Workers.Max = 100
	w := newWorld(t, p)
	var running, most atomic.Int32
	handler := func(rw http.ResponseWriter, r *http.Request) {
		now := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
		}
		body, _ := io.ReadAll(r.Body)
		if rand.N(10) == 0 {
			rw.WriteHeader(http.StatusForbidden)
			fmt.Fprint(rw, alreadyWorking)
			return
		}
		fmt.Fprint(rw, string(body))
	}
	var senders sync.WaitGroup
	stop := make(chan struct{})
	var churn sync.WaitGroup
	churn.Go(func() { comeAndGo(t, w, handler, stop) })
	for i := range 4 {
		senders.Go(func() {
			for n := range 100 {
				want := fmt.Sprintf("%d-%d %s", i, n, strings.Repeat("x", rand.N(2000)))
				resp, err := w.client.Post(w.url+"/mult", "text/plain", strings.NewReader(want))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != 200 || string(got) != want {
					t.Errorf("request %d-%d: %d %.60q %v", i, n, resp.StatusCode, got, err)
				}
			}
		})
	}
	senders.Wait()
	close(stop)
	churn.Wait()
	until(t, "nothing is in flight", w.idle)
	if n := w.records.total("lost"); n > 0 {
		t.Errorf("%d lost", n)
	}
	if most.Load() > 5 {
		t.Errorf("%d at the same time on at most 5 workers of concurrency 1", most.Load())
	}
}

// comeAndGo keeps one to five workers, each of which lives for a few requests.
func comeAndGo(t *testing.T, w *world, handler http.HandlerFunc, stop <-chan struct{}) {
	type one struct {
		id string
		s  *httptest.Server
	}
	var alive []one
	end := func(o one) {
		idle, err := w.fleet.Drain(o.id, "churn")
		if err != nil {
			t.Error(err)
			return
		}
		<-idle
		w.fleet.Remove(o.id)
		o.s.Close()
	}
	for i := 0; ; i++ {
		s := httptest.NewServer(handler)
		id := fmt.Sprint("churn", i)
		if _, err := w.fleet.Add(fleet.Info{ID: id, Pool: "general", Address: s.URL, Origin: fleet.Cold}); err != nil {
			t.Error(err)
		}
		w.fleet.Ready(id, s.URL, 100)
		alive = append(alive, one{id, s})
		timer := time.NewTimer(5 * time.Millisecond)
		select {
		case <-timer.C:
		case <-stop:
			timer.Stop()
			for _, o := range alive {
				end(o)
			}
			return
		}
		if len(alive) == 5 {
			end(alive[0])
			alive = alive[1:]
		}
	}
}

// TestClientsThatComeAndGoLeaveNothingBehind cancels requests at any moment: in the body, in the queue, in service, in the answer.
func TestClientsThatComeAndGoLeaveNothingBehind(t *testing.T) {
	p := pool("general", "mult")
	p.Concurrency = 2
	w := newWorld(t, p)
	for range 2 {
		w.worker("general", func(rw http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for range 3 {
				timer := time.NewTimer(time.Duration(rand.N(500)) * time.Microsecond)
				select {
				case <-timer.C:
				case <-r.Context().Done():
					timer.Stop()
					return
				}
				fmt.Fprint(rw, "piece")
				rw.(http.Flusher).Flush()
			}
		})
	}
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 40 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.N(4000))*time.Microsecond)
				body := io.Reader(strings.NewReader(strings.Repeat("x", rand.N(200_000))))
				if rand.N(2) == 0 {
					body = io.MultiReader(body) // of unknown length
				}
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/mult", body)
				if err != nil {
					t.Error(err)
				}
				if resp, err := w.client.Do(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				cancel()
			}
		})
	}
	clients.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.balancer.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if !w.idle() {
		t.Error("slots are still taken")
	}
	if n := w.records.total("lost"); n > 0 {
		t.Errorf("%d lost: workers are blamed for what clients did", n)
	}
	if resp, text := w.post("/mult", "hi"); resp.StatusCode != 200 || text != "piecepiecepiece" {
		t.Errorf("afterwards: %d %q", resp.StatusCode, text)
	}
}
