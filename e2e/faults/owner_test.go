package faults

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"understudy/app"
	"understudy/driver/docker"
	"understudy/driver/docker/enginetest"
)

func TestD06WhatAnEarlierBalancerLeftIsAdoptedOrRemoved(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 1))
	w.cfg.OnExit = "leave"
	w.start()
	w.ready("p", 2)
	w.end()
	left := w.ids()
	labels := maps.Clone(w.ours()[0].Labels)
	labels["understudy.worker"], labels["understudy.port"] = "half", "27999"
	w.engine.Place(enginetest.Container{Name: "understudy-faults-p-half", Labels: labels, Image: workerImage}) // created, and never heard of
	liar := maps.Clone(labels)
	liar["understudy.worker"], liar["understudy.generation"], liar["understudy.port"] = "liar", "another", w.ours()[1].Labels["understudy.port"]
	w.engine.Place(enginetest.Container{Name: "understudy-faults-p-liar", Labels: liar, Image: workerImage, State: enginetest.Running}) // answers at another's port
	w.cfg.OnExit = "remove"
	w.start()
	w.serves("mult", 3)
	w.until("what is no worker is removed", func() bool { return len(w.ours()) == 2 })
	if now := w.ids(); !slices.Equal(now, left) {
		t.Errorf("the workers were %v and are %v", left, now)
	}
}

func TestD07TwoBalancersOnOneEngineNeverMeet(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 0))
	theirs := map[string]string{"understudy.instance": "faults-2", "understudy.pool": "p", "understudy.worker": "w", "understudy.port": "27998"}
	for name, labels := range map[string]map[string]string{"understudy-faults-2-p-w": theirs, "understudy-faults-p-db": nil, "db": {"understudy": "faults"}} {
		w.engine.Place(enginetest.Container{Name: name, Labels: labels, Image: workerImage, State: enginetest.Running})
	}
	w.start()
	w.ready("p", 1)
	d, err := docker.New(t.Context(), docker.Options{Instance: instance, Host: w.engine.Host()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = app.New(t.Context(), app.Options{Config: w.cfg, Log: slog.New(slog.DiscardHandler), Driver: d, LockDir: w.dir})
	if err == nil || !strings.Contains(err.Error(), instance) {
		t.Errorf("a second balancer of the instance begins with %v", err)
	}
	w.end()
	if left := w.engine.Containers(); len(left) != 3 {
		t.Errorf("of three containers of others there are left: %+v", left)
	}
	for _, call := range w.engine.Calls() {
		for _, c := range w.engine.Containers() {
			if call.ID == c.ID || call.ID == c.Name {
				t.Errorf("%s was called for %s, which is not ours", call.Route, c.Name)
			}
		}
	}
}

func TestD08WhatIsBeingMadeIsLeftAlone(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 1, 1))
	w.start()
	w.ready("p", 2)
	labels := maps.Clone(w.ours()[0].Labels)
	labels["understudy.worker"], labels["understudy.port"] = "half", "27997"
	half := w.engine.Place(enginetest.Container{Name: "understudy-faults-p-half", Labels: labels, Image: workerImage})
	w.engine.ForgetCalls()
	for range 3 { // each end of a worker is a list
		lists := w.engine.Count("list")
		w.engine.Exit(w.ids()[0], 1)
		w.until("there was a list", func() bool { return w.engine.Count("list") > lists })
		w.until("there are two again", func() bool { return len(w.ids()) == 2 && w.states("p", "active", "spare") == 2 })
	}
	for _, call := range w.engine.Calls() {
		if call.ID == half && call.Route != "inspect" {
			t.Errorf("%s was called for a container that is a few seconds old", call.Route)
		}
	}
	w.end() // now nothing is being made any more
	if left := w.ours(); len(left) != 0 {
		t.Errorf("left at the end: %+v", left)
	}
}

func TestD11AContainerThatCannotBeRemovedKeepsItsPortAndHoldsNothingUp(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 2, 0))
	w.start()
	w.ready("p", 2)
	stuck := w.ours()[0]
	w.engine.Script("remove", func(rw http.ResponseWriter, r *http.Request) bool {
		return r.PathValue("id") == stuck.ID && enginetest.Refuse(500, "driver \"overlay2\" failed to remove root filesystem: device or resource busy")(rw, r)
	})
	w.engine.ForgetCalls()
	w.engine.Exit(stuck.ID, 1)
	w.ready("p", 2)
	other := w.ids()[0]
	w.engine.Exit(other, 1)
	w.until("another one is replaced meanwhile", func() bool { return !slices.Contains(w.ids(), other) && len(w.ids()) == 2 })
	w.pass(3 * time.Second)
	tries := 0
	for _, call := range w.engine.Calls() {
		if call.Route == "remove" && call.ID == stuck.ID {
			tries++
		}
	}
	if tries < 2 || tries > 15 {
		t.Errorf("within some seconds its removal was tried %d times", tries)
	}
	for _, c := range w.ours() {
		if c.ID != stuck.ID && c.Ports["8080/tcp"][0] == stuck.Ports["8080/tcp"][0] {
			t.Errorf("%s was given the port of the one that is still there", c.Name)
		}
	}
	w.engine.Script("remove", nil)
	w.until("it is removed", func() bool { return slices.Contains(w.engine.Removed(), stuck.Name) })
}

func TestD32AClockThatIsWrongChangesNothing(t *testing.T) {
	w := newWorld(t, pool("p", "mult", 2, 1))
	w.start()
	w.ready("p", 3)
	before := w.ids()
	for i, id := range before {
		w.engine.Edit(id, func(c *enginetest.Container) {
			c.Created = c.Created.Add([]time.Duration{time.Hour, -time.Hour, -1e6 * time.Hour}[i])
		})
	}
	w.engine.ForgetCalls()
	w.engine.Kill(before[0], "SIGHUP") // a hint: it is looked at, and then at all
	w.until("there was a list", func() bool { return w.engine.Count("list") > 0 })
	w.pass(time.Second)
	if now := w.ids(); !slices.Equal(now, before) || w.engine.Count("create", "kill", "remove") != 0 {
		t.Errorf("the workers were %v and are %v", before, now)
	}
	w.serves("mult", 3)
}
