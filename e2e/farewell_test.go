//go:build engine

package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// guarded has a guard that waits a second for a successor.
const guarded = "guard: 1s\n" + steadyPool

// endsUnheard asks the balancer to end while its engine is frozen, and holds that end to its time.
func (p *process) endsUnheard(atMost time.Duration) {
	t := p.t
	t.Helper()
	began := time.Now()
	if err := syscall.Kill(p.pid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await(t, "the balancer has ended", p.hasEnded)
	t.Logf("the end took %v", time.Since(began))
	if took := time.Since(began); took > atMost {
		t.Errorf("the end took %v, want %v at most", took, atMost)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("it ended with %d", code)
	}
}

func (p *process) hasEnded() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// A balancer does not wait for ever for an engine that answers nothing. What it had to leave its guard removes.
func TestD17RealABalancerThatEndsWhileItsEngineIsFrozenLeavesTheWorkersToItsGuard(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		e.start()
		p := start(t, guarded, "--driver", "docker")
		p.full(4)
		e.signal(syscall.SIGSTOP)
		p.endsUnheard(30 * time.Second)
		mustSay(t, p.output.String(), "4 workers are left", "the guard removes them")
		if n := len(guards(p.instance)); n != 1 {
			t.Errorf("%d guards", n)
		}
		e.signal(syscall.SIGCONT)
		back := time.Now()
		p.vanished()
		t.Logf("nothing is left %v after the engine went on", time.Since(back))
	})
}

// A second signal ends it at once, and the guard sees to the rest as well.
func TestASecondSignalEndsABalancerThatWaitsForItsEngine(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		e.start()
		p := start(t, guarded, "--driver", "docker")
		p.full(4)
		e.signal(syscall.SIGSTOP)
		_ = syscall.Kill(p.pid(), syscall.SIGTERM)
		await(t, "it drains", func() bool { return strings.Contains(p.output.String(), "draining") })
		_ = syscall.Kill(p.pid(), syscall.SIGTERM)
		await(t, "the balancer has ended", p.hasEnded)
		if code := p.cmd.ProcessState.ExitCode(); code != 130 {
			t.Errorf("it ended with %d", code)
		}
		e.signal(syscall.SIGCONT)
		p.vanished()
	})
}
