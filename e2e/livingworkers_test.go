//go:build long

package e2e

import (
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"understudy/client"
)

// With live-restore workers outlive their engine, but their ports do not answer while it is away, and what brings them back is the engine.
func TestD15RealWorkersThatOutliveTheEngineAreKept(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		e.start("--live-restore")
		p := start(t, steadyPool, "--driver", "docker")
		p.full(4)
		over := p.load()
		for _, how := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
			before := p.ids()
			e.end(how)
			p.awaitEngine("away")
			if n := len(livingWorkers()); n != len(before) {
				t.Errorf("%v: %d of %d workers live without their engine", how, n, len(before))
			}
			e.start("--live-restore")
			back := time.Now()
			await(t, "workers serve again", func() bool {
				resp, _ := p.post("/mult", `{"a":6,"b":7}`)
				return resp.StatusCode == http.StatusOK
			})
			t.Logf("%v: the first answer %v after the engine's", how, time.Since(back))
			p.full(4)
			t.Logf("%v: full strength %v after the engine's first answer", how, time.Since(back))
			if now := p.ids(); !slices.Equal(now, before) {
				t.Errorf("%v: the workers were %v and are %v", how, before, now)
			}
		}
		r := over()
		t.Logf("%d requests: %v %v", r.Count, r.Statuses, r.ErrorsByCause)
		if r.ErrorsByCause[client.WrongResult]+r.ErrorsByCause[client.Timeout] > 0 {
			t.Errorf("requests ended as %v", r.ErrorsByCause)
		}
		p.startedAtMost(4)
	})
}

// livingWorkers are the processes of workers, here where nobody else has any.
func livingWorkers() []int {
	return processes(func(args []string) bool { return len(args) > 1 && args[1] == "worker" })
}

// A frozen engine answers nothing, and its workers all they are asked.
func TestD17RealAFrozenEngineHarmsNoRequest(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		e.start()
		p := start(t, steadyPool, "--driver", "docker")
		p.full(4)
		before := p.ids()
		over := p.load()
		e.signal(syscall.SIGSTOP)
		p.awaitEngine("away")
		r := over()
		t.Logf("%d requests: %v %v p99 %.1f ms, max %.1f", r.Count, r.Statuses, r.ErrorsByCause, r.Latency.P99, r.Latency.Max)
		if r.Errors > 0 || r.Count < 20 {
			t.Errorf("of %d requests %d failed while the engine was frozen: %v", r.Count, r.Errors, r.ErrorSamples)
		}
		e.signal(syscall.SIGCONT)
		p.awaitEngine("up")
		if now := p.ids(); !overlap(before, now) || len(now) != 4 {
			t.Errorf("the workers were %v and are %v", before, now)
		}
		p.startedAtMost(5)
	})
}

// The guard of a balancer that died while its engine was away removes everything once the engine is back.
func TestTheGuardWaitsForAnEngineThatRestarts(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		e.start("--live-restore")
		p := start(t, "guard: 1s\n"+steadyPool, "--driver", "docker")
		p.full(4)
		e.end(syscall.SIGKILL)
		p.kill()
		if n := len(guards(p.instance)); n != 1 {
			t.Errorf("%d guards", n)
		}
		e.start("--live-restore")
		back := time.Now()
		p.vanished()
		t.Logf("nothing is left %v after the engine's first answer", time.Since(back))
	})
}
