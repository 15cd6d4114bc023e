//go:build figures

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"

	"understudy/admin"
)

const removals = 12

// From docker rm -f of a busy worker: the spare is in its place within 100 ms of the worker's death, and the pool is at full strength again one
// start and at most a second later.
func TestFigureAWorkerThatIsRemovedIsReplaced(t *testing.T) {
	requireDocker(t)
	p := start(t, `
pools:
  - {name: general, capabilities: [mult], env: [DURATION=2s..2s], target: {latency: 5s}, workers: {min: 2, max: 4, spare: 1}}
`, "--driver", "docker")
	engine, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	var dies, stepsIn, full, starts []float64
	late := 0
	said := listenTo(t, engine, p.instance)
	for range removals {
		r := removeBusy(t, p, engine, said)
		fmt.Println(r)
		dies, stepsIn = append(dies, r.died), append(stepsIn, r.spare-r.died)
		full, starts = append(full, r.full), append(starts, r.start)
		if r.full > r.start+1000 {
			late++
		}
	}
	fmt.Printf("figure: docker rm -f of a busy worker, %d times: it is dead after p50 %.0f, max %.0f ms; the spare is in its place p50 %.0f, max %.0f ms later, allowed 100;\n"+
		"        full strength after p50 %.0f, max %.0f ms beside starts of p50 %.0f, max %.0f ms; %d took longer than their start and 1000 ms\n",
		removals, median(dies), slices.Max(dies), median(stepsIn), slices.Max(stepsIn), median(full), slices.Max(full), median(starts), slices.Max(starts), late)
	if late > 0 || slices.Max(stepsIn) > 100 {
		t.Error("too slow")
	}
}

// removed is what became of one removal: milliseconds from its beginning, and how long the start that made up for it took.
type removed struct {
	died      float64 // the client's request broke
	kill, die float64 // the engine said so
	lost      float64 // the worker gets nothing
	spare     float64 // the spare is in its place
	failed    float64 // the worker is known to have ended
	begun     float64 // the start that makes up for it
	made, ran float64 // its container, as the engine says
	full      float64
	gone      float64 // the engine is done with the removal
	start     float64 // how long that start took
}

func (r removed) String() string {
	return fmt.Sprintf("        request broke %4.0f | kill %4.0f, die %4.0f | left out %4.0f, spare in %4.0f | start begun %4.0f, created %4.0f, started %4.0f, full strength %4.0f (a start of %4.0f) | known to have ended %4.0f, removed %4.0f",
		r.died, r.kill, r.die, r.lost, r.spare, r.begun, r.made, r.ran, r.full, r.start, r.failed, r.gone)
}

// said is what the engine says of an instance's containers.
type said struct {
	mu sync.Mutex
	at map[string]time.Time // by what happened and the container's name, the first time
}

func listenTo(t *testing.T, engine *client.Client, instance string) *said {
	s := &said{at: map[string]time.Time{}}
	messages, _ := engine.Events(t.Context(), events.ListOptions{Filters: filters.NewArgs(filters.Arg("type", "container"))})
	go func() {
		for {
			select {
			case m := <-messages:
				key := string(m.Action) + " " + strings.TrimPrefix(m.Actor.Attributes["name"], "understudy-"+instance+"-general-")
				s.mu.Lock()
				if _, again := s.at[key]; !again {
					s.at[key] = time.Unix(0, m.TimeNano)
				}
				s.mu.Unlock()
			case <-t.Context().Done():
				return
			}
		}
	}()
	return s
}

// after is when that happened to the worker, in milliseconds since then; 0: it has not.
func (s *said) after(began time.Time, what, worker string) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.at[what+" "+worker]; ok {
		return float64(at.Sub(began).Microseconds()) / 1000
	}
	return 0
}

func removeBusy(t *testing.T, p *process, engine *client.Client, said *said) (r removed) {
	t.Helper()
	strong := func() bool {
		return len(p.workers("general", "active")) >= 2 && len(p.workers("general", "spare")) >= 1
	}
	await(t, "two serve beside a spare, and have proven that they last", func() bool {
		return strong() && !slices.ContainsFunc(p.workers("general"), func(w admin.Worker) bool { return w.AgeS < 11+w.StartMS/1000 })
	})
	before := p.workers("general")
	broke := make(chan time.Time, 1)
	go func() {
		resp, err := http.Post(p.url+"/mult", "application/json", strings.NewReader(`{"a":6,"b":7}`))
		if err == nil {
			resp.Body.Close()
		}
		broke <- time.Now()
	}()
	var victim string
	await(t, "one is busy", func() bool {
		for _, w := range p.workers("general", "active") {
			if w.Inflight > 0 {
				victim = w.ID
			}
		}
		return victim != ""
	})
	began := time.Now()
	ms := func() float64 { return float64(time.Since(began).Microseconds()) / 1000 }
	gone := make(chan time.Time, 1)
	go func() {
		_ = engine.ContainerRemove(context.Background(), fmt.Sprintf("understudy-%s-general-%s", p.instance, victim), container.RemoveOptions{Force: true})
		gone <- time.Now()
	}()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(time.Minute); r.full == 0; {
		workers := p.workers("general")
		n := map[string]int{} // without the victim, which gets nothing from the moment that it is said to have ended
		for _, w := range workers {
			if w.ID != victim {
				n[w.State]++
			}
			first(&r.lost, w.ID == victim && (w.Lost || w.State != "active"), ms)
			first(&r.failed, w.ID == victim && w.State != "active", ms)
			first(&r.begun, w.State == "starting", ms)
		}
		if r.spare == 0 && n["active"] >= 2 {
			r.spare = ms()
		}
		if n["active"] >= 2 && n["spare"] >= 1 {
			r.full = ms()
			id := ""
			id, r.start = startOfNew(before, workers)
			r.made, r.ran = said.after(began, "create", id), said.after(began, "start", id)
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("not at full strength: %v", n)
		}
	}
	r.died = float64((<-broke).Sub(began).Microseconds()) / 1000
	r.gone = float64((<-gone).Sub(began).Microseconds()) / 1000
	r.kill, r.die = said.after(began, "kill", victim), said.after(began, "die", victim)
	return r
}

// first notes the moment at which something is seen for the first time.
func first(at *float64, seen bool, ms func() float64) {
	if seen && *at == 0 {
		*at = ms()
	}
}

// startOfNew is the worker that was not there before, and how long it took to start.
func startOfNew(before, after []admin.Worker) (id string, took float64) {
	for _, w := range after {
		if !slices.ContainsFunc(before, func(b admin.Worker) bool { return b.ID == w.ID }) {
			if w.StartMS > took {
				id, took = w.ID, w.StartMS
			}
		}
	}
	return id, took
}
