package faults

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"understudy/admin"
)

func TestD04AWorkerThatOnlyAcceptsConnectionsIsNeverUsed(t *testing.T) {
	deaf := pool("deaf", "hear", 1, 0)
	deaf.Ready.Timeout, deaf.Queue.Wait = time.Second, 500*time.Millisecond
	w := newWorld(t, deaf, pool("p", "mult", 1, 0))
	w.start()
	w.ready("p", 1)
	w.until("its start failed", func() bool { return w.status().Pools[0].StartFails > 0 })
	if n := w.states("deaf", "active", "spare"); n != 0 {
		t.Errorf("%d of those that answer nobody are ready", n)
	}
	if code, _ := w.ask("hear"); code != http.StatusServiceUnavailable {
		t.Errorf("a task for them got %d", code)
	}
	w.serves("mult", 3)
}

func TestD19AMissingImageMakesItsPoolUnavailableAndIsNotLookedForAllTheTime(t *testing.T) {
	absent := pool("absent", "pdf", 1, 0)
	absent.Image = "nowhere:1"
	w := newWorld(t, absent, pool("p", "mult", 1, 0))
	w.start()
	w.ready("p", 1)
	w.until("the pool is unavailable", func() bool { return w.status().Pools[0].Unavailable != "" })
	if code, _ := w.ask("pdf"); code != http.StatusServiceUnavailable {
		t.Errorf("a task for it got %d", code)
	}
	w.engine.ForgetCalls()
	w.serves("mult", 5)
	w.pass(3 * time.Second)
	if n := w.engine.Count("image", "pull"); n > 5 {
		t.Errorf("within three seconds the image was asked for %d times", n)
	}
	if n := w.engine.Count("create"); n != 0 {
		t.Errorf("there were %d creates", n)
	}
	if n := w.metric(`understudy_worker_starts_total{pool="absent",result="image"}`); n == "" || n == "0" {
		t.Errorf("the metric of its starts is %q", n)
	}
}

func TestD20AWorkerThatExitsAtOnceIsStartedLessAndLess(t *testing.T) {
	w := newWorld(t, pool("brief", "model", 1, 0), pool("p", "mult", 1, 0))
	w.start()
	w.ready("p", 1)
	w.until("its exit is told", func() bool { return len(w.status().Pools[0].LastLogs) > 0 })
	w.pass(6 * time.Second)
	starts := 0
	for _, name := range w.engine.Removed() {
		if name != "" {
			starts++
		}
	}
	s := w.status().Pools[0]
	if starts > 6 || len(s.Workers) > 1 {
		t.Errorf("within six seconds it was started %d times; there are %d", starts, len(s.Workers))
	}
	if s.LastLogs[0] != "cannot find the model" {
		t.Errorf("its last words are %q", s.LastLogs)
	}
	w.serves("mult", 5)
}

func TestD21AWorkerOutOfMemoryIsReplacedAndSaysSo(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 1))
	w.start()
	w.ready("p", 2)
	for _, flagged := range []bool{true, false} {
		lost := w.ids()[0]
		w.engine.OOM(lost, flagged)
		w.until("it is replaced", func() bool { return !slices.Contains(w.ids(), lost) && len(w.ids()) == 2 })
		w.ready("p", 2)
		exit := w.status().Pools[0].LastExit
		if exit == nil || exit.Code != 137 || (exit.Reason == "oom") != flagged {
			t.Errorf("with the engine's flag %v its exit is told as %+v", flagged, exit)
		}
	}
}

func TestD22APausedWorkerIsOutOfRotationAndReplaced(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 1))
	w.start()
	w.ready("p", 2)
	frozen := w.ids()[0]
	w.engine.Freeze(frozen)
	w.until("it is replaced", func() bool { return len(w.ours()) == 2 && len(w.ids()) == 2 && !slices.Contains(w.ids(), frozen) })
	w.ready("p", 2)
	w.serves("mult", 5)
}

func TestD23WhatAnOperatorRemovesIsReplacedOnceEachTime(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 1))
	w.start()
	w.ready("p", 2)
	w.engine.ForgetCalls()
	const times = 2
	for range times {
		workers := w.status().Pools[0].Workers
		active := slices.IndexFunc(workers, func(worker admin.Worker) bool { return worker.State == "active" })
		w.engine.Remove(w.named(workers[active].ID))
		began := time.Now()
		if code, _ := w.ask("mult"); code != http.StatusOK && code != http.StatusBadGateway {
			t.Errorf("the task right after got %d", code)
		}
		w.until("the spare has stepped in", func() bool { return w.states("p", "active") == 1 })
		t.Logf("the spare had stepped in after %v", time.Since(began))
		w.until("there are two again", func() bool { return len(w.ids()) == 2 && w.states("p", "active", "spare") == 2 })
	}
	if n := w.engine.Count("create"); n != times {
		t.Errorf("%d removals were answered by %d creates", times, n)
	}
	w.serves("mult", 5)
}

// named is the id of the worker's container.
func (w *world) named(worker string) string {
	for _, c := range w.ours() {
		if c.Labels["understudy.worker"] == worker {
			return c.ID
		}
	}
	return ""
}
