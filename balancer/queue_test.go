package balancer

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"understudy/fleet"
	"understudy/meter"
)

func TestRefusalsAre503WithRetryAfter(t *testing.T) {
	tests := []struct {
		name string
		prep func(w *world)
		code string
	}{
		{"the queue is full", func(w *world) {
			w.occupy()
			w.background(w.request(http.MethodGet, "/mult", ""))
			until(w.t, "one waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
		}, "queue-full"},
		{"the time is over", func(w *world) {
			w.occupy()
			w.fleet.SetQueueWait("general", 20*time.Millisecond)
		}, "queue-timeout"},
		{"the time is over while the engine is away", func(w *world) {
			w.occupy()
			w.fleet.SetQueueWait("general", 20*time.Millisecond)
			w.fleet.Engine().Watch(true)
			w.fleet.Engine().Answer(w.fleet.Engine().Ask(), false)
		}, "queue-timeout"},
		{"no worker can be had", func(w *world) { w.fleet.SetUnavailable("general", "docker: no such image") }, "no-worker"},
		{"everything ends", func(w *world) { w.balancer.Abort() }, "draining"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := pool("general", "mult")
			p.Queue.Length = 1
			w := newWorld(t, p)
			tt.prep(w)
			resp, text := w.post("/mult", "hi")
			got := problemOfResponse(t, resp, text)
			if away := strings.Contains(tt.name, "engine"); away != strings.Contains(got.Detail, "is away") || away && strings.Contains(got.Detail, "busy") {
				t.Errorf("it says %q", got.Detail)
			}
			if resp.StatusCode != 503 || got.Code != tt.code || tt.code == "queue-timeout" && !strings.Contains(got.Detail, "queue.wait") {
				t.Errorf("got %d %+v", resp.StatusCode, got)
			}
			if after, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil || after < 1 || after > longestRetry {
				t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
			}
			if w.records.of("shed general "+tt.code) != 1 {
				t.Errorf("counts %v", w.records.counts)
			}
			for {
				rec := wait(t, w.records.finished, "the record")
				if rec.code == 503 {
					if rec.service >= 0 || rec.home != "general" {
						t.Errorf("recorded %+v", rec)
					}
					break
				}
			}
		})
	}
}

// occupy adds a worker and keeps it busy until the test ends.
func (w *world) occupy() {
	w.t.Helper()
	began, hold := make(chan struct{}, 100), make(chan struct{})
	w.worker("general", func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	})
	w.t.Cleanup(func() { close(hold) })
	w.background(w.request(http.MethodGet, "/mult", ""))
	wait(w.t, began, "the worker to be busy")
}

func TestRetryAfterIsWhatTheQueueTakesToDrain(t *testing.T) {
	tests := []struct {
		name string
		m    fleet.Measured
		want int
	}{
		{"nothing known", fleet.Measured{}, 1},
		{"a short queue", fleet.Measured{Queue: 3, Busy: 4, BusyTime: 10 * time.Second, Service: []meter.Bucket{{N: 60}, {N: 40}}}, 1},
		{"100 waiting, 5 at a time, 200 ms each", fleet.Measured{Queue: 100, Busy: 5, BusyTime: 20 * time.Second, Service: []meter.Bucket{{N: 100}}}, 5},
		{"nobody serves", fleet.Measured{Queue: 99, BusyTime: 20 * time.Second, Service: []meter.Bucket{{N: 100}}}, 20},
		{"longer than anybody waits", fleet.Measured{Queue: 1000, Busy: 1, BusyTime: 100 * time.Second, Service: []meter.Bucket{{N: 10}}}, 60},
	}
	for _, tt := range tests {
		if got := secondsToDrain(tt.m); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestQueueTimeIsInTheAnswer(t *testing.T) {
	w := newWorld(t, pool("general", "mult"))
	got := w.background(w.request(http.MethodGet, "/mult", ""))
	until(t, "it waits", func() bool { return w.fleet.Status()[0].Queue == 1 })
	w.worker("general", echo)
	res := wait(t, got, "the answer")
	if res.resp.Header.Get("X-Understudy-Start") != "cold" {
		t.Errorf("start %q", res.resp.Header.Get("X-Understudy-Start"))
	}
	rec := wait(t, w.records.finished, "the record")
	if rec.queue <= 0 || rec.total < rec.queue+rec.service {
		t.Errorf("recorded %+v", rec)
	}
	if want := serverTiming(rec.queue, rec.service); res.resp.Header.Get("Server-Timing") != want {
		t.Errorf("the answer says %q, the record %q", res.resp.Header.Get("Server-Timing"), want)
	}
}

func TestServerTimingIsInMilliseconds(t *testing.T) {
	tests := []struct {
		queue, service time.Duration
		want           string
	}{
		{1200 * time.Microsecond, 103400 * time.Microsecond, "queue;dur=1.2, service;dur=103.4"},
		{0, 2 * time.Second, "queue;dur=0, service;dur=2000"},
		{1499 * time.Nanosecond, -1, "queue;dur=0.001"},
	}
	for _, tt := range tests {
		if got := serverTiming(tt.queue, tt.service); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
