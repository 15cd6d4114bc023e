//go:build long

package e2e

import (
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"understudy/admin"
	"understudy/client"
)

// A restart of the engine ends all workers. Nothing is decided while it is away, tasks wait as long as they may, and then everything comes back once.
func TestD14RealAnEngineThatRestartsGetsItsWorkersBack(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		e.start()
		p := start(t, steadyPool, "--driver", "docker")
		p.full(4)
		over := p.load()
		for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			before := p.ids()
			e.end(how)
			p.awaitEngine("away")
			p.refusesInTime()
			e.start()
			back := time.Now()
			await(t, "new workers are ready", func() bool { now := p.ids(); return len(now) >= 4 && !overlap(before, now) })
			t.Logf("%v: full strength %v after the engine's first answer", how, time.Since(back))
			await(t, "a container is a worker", func() bool { return len(containers(t, p.instance)) == len(p.workers("general")) })
			p.sayNoTrouble()
		}
		r := over()
		t.Logf("%d requests: %v %v", r.Count, r.Statuses, r.ErrorsByCause)
		if r.ErrorsByCause[client.WrongResult] > 0 || r.ErrorsByCause[client.Timeout] > 0 {
			t.Errorf("requests ended as %v", r.ErrorsByCause)
		}
		p.startedAtMost(3 * 6)
	})
}

// refusesInTime asks while nothing can serve: the engine is away, and that is told everywhere.
func (p *process) refusesInTime() {
	p.t.Helper()
	if up := metric(p.t, p, "understudy_driver_up"); up != "0" {
		p.t.Errorf("understudy_driver_up is %q while the engine is away", up)
	}
	await(p.t, "no worker is tried any more", func() bool {
		return !slices.ContainsFunc(p.workers("general", "active", "spare"), func(w admin.Worker) bool { return !w.Lost })
	})
	asked := time.Now()
	resp, body := p.post("/mult", `{"a":6,"b":7}`)
	if took := time.Since(asked); resp.StatusCode != http.StatusServiceUnavailable || took < 1500*time.Millisecond || took > 4*time.Second {
		p.t.Errorf("without the engine and any worker a task that may wait 2 s got %s after %v: %s", resp.Status, took, body)
	}
	mustSay(p.t, body, "engine that runs the workers is away")
}

// sayNoTrouble: that workers ended with their engine is not their pool's fault.
func (p *process) sayNoTrouble() {
	p.t.Helper()
	if pool := p.status().Pools[0]; pool.StartFails != 0 || pool.Unavailable != "" {
		p.t.Errorf("after a restart of the engine the pool has %d failed starts, %q", pool.StartFails, pool.Unavailable)
	}
}
