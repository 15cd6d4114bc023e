package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"understudy/driver/drivertest"
)

// deafPool has workers that are shells, each with a child that serves. The child ignores SIGTERM, both ignore SIGHUP.
const deafPool = `
pools:
  - name: deaf
    capabilities: [work]
    command: [%s, -c, '%strap "" HUP; "$0" --listen "127.0.0.1:$PORT" & wait', %s]
    env: [EXERCISE_BEHAVIOUR=stubborn]
    workers: {min: 2, max: 2, spare: 0}
    ready: {path: /, status: "200"}
`

// groupGuards lists the processes that guard the local processes of an instance.
func groupGuards(instance string) []int {
	return processes(func(args []string) bool {
		return slices.Equal(args[1:], []string{"guard-groups", "--instance", instance})
	})
}

// brood is a balancer with deafPool, and where the program is that its workers run.
func brood(t *testing.T, head string) (p *process, path string) { return broodOf(t, head, "sh", "") }

// broodOf is one whose workers are that shell, which is told something first.
func broodOf(t *testing.T, head, shell, first string) (p *process, path string) {
	t.Helper()
	path, err := drivertest.BuildWorker(t.TempDir(), runtime.GOOS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after the balancer has ended
		for _, pid := range kin(path) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	p = start(t, head+fmt.Sprintf(deafPool, shell, first, path), "--driver", "process")
	await(t, "there are two workers, each with a child", func() bool { return len(p.workers("deaf", "active")) == 2 && len(kin(path)) == 4 })
	return p, path
}

// kin lists the workers and what they have started.
func kin(path string) []int {
	return processes(func(args []string) bool { return slices.Contains(args, path) })
}

// bereft waits until nothing is left of the workers of a balancer that was killed, and of its guard.
func (p *process) bereft(path string) {
	p.t.Helper()
	workers := p.workers("deaf")
	began := time.Now()
	p.kill()
	await(p.t, "the workers and their children are gone", func() bool { return len(kin(path)) == 0 })
	await(p.t, "the guard is gone", func() bool { return len(groupGuards(p.instance)) == 0 })
	p.t.Logf("all were gone %v after the balancer was killed", time.Since(began))
	for _, w := range workers {
		var port int
		if _, err := fmt.Sscanf(w.Address, "http://127.0.0.1:%d", &port); err != nil || !drivertest.Free(port) {
			p.t.Errorf("%s is held, %v", w.Address, err)
		}
	}
}

func TestWhatLocalWorkersHaveStartedEndsWithABalancerThatIsKilled(t *testing.T) {
	t.Parallel()
	p, path := brood(t, "")
	if n := len(groupGuards(p.instance)); n != 1 {
		t.Errorf("%d guards", n)
	}
	p.bereft(path)
}

// A process that is in no group that the guard was told of is what there is when a balancer dies while a worker starts.
func TestWhatLocalWorkersHaveStartedEndsEvenWhenNobodyToldOfItsGroup(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no shell here that gives its children groups of their own without a terminal")
	}
	p, path := broodOf(t, "", "bash", "set -m; ")
	groups := map[int]bool{}
	for _, pid := range kin(path) {
		group, err := syscall.Getpgid(pid)
		if err != nil {
			t.Fatal(err)
		}
		groups[group] = true
	}
	if len(groups) != 4 {
		t.Fatalf("the workers and their children are in the groups %v, want four", groups)
	}
	p.bereft(path)
}

func TestAGuardOfLocalWorkersThatWasReplacedKnowsThem(t *testing.T) {
	t.Parallel()
	p, path := brood(t, "")
	first := groupGuards(p.instance)
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGKILL} { // only the last is for it
		if err := syscall.Kill(first[0], s); err != nil {
			t.Fatalf("%v: %v", s, err)
		}
	}
	await(t, "there is another guard", func() bool { now := groupGuards(p.instance); return len(now) == 1 && now[0] != first[0] })
	mustSay(t, p.output.String(), "the guard has ended, another one is started", "signal: killed")
	p.bereft(path)
}

func TestAnEndInOrderLeavesNoGuardOfLocalWorkersAndStrangersAlone(t *testing.T) {
	t.Parallel()
	p, path := brood(t, "")
	stranger := exec.Command(path, "--listen", fmt.Sprintf("127.0.0.1:%d", drivertest.FreePort(t)))
	stranger.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	p.end()
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if left := groupGuards(p.instance); len(left) > 0 {
		t.Errorf("the guard %v is left", left)
	}
	if left := kin(path); !slices.Equal(left, []int{stranger.Process.Pid}) {
		t.Errorf("%v run, want the stranger alone", left)
	}
	_ = stranger.Process.Kill()
	_ = stranger.Wait()
}

// Without one the kernel ends the workers and nothing else, which is what a guard is for.
func TestNobodyGuardsLocalWorkersWhereThatIsNotWanted(t *testing.T) {
	t.Parallel()
	p, path := brood(t, "guard: 0\n")
	if g := groupGuards(p.instance); len(g) != 0 {
		t.Errorf("guard: 0 has the guard %v", g)
	}
	p.kill()
	await(t, "the workers have ended", func() bool { return len(kin(path)) <= 2 })
	if n := len(kin(path)); n != 2 {
		t.Errorf("%d of their children are left, want both: this tests the wrong thing", n)
	}
}

func TestTheGuardOfLocalWorkersComesWithTheFirstPoolThatCanHaveSome(t *testing.T) {
	t.Parallel()
	p := start(t, guests, "--driver", "process")
	if len(groupGuards(p.instance)) != 0 {
		t.Error("a balancer without workers of its own has one")
	}
	p.rewrite(strings.ReplaceAll(guests, "{max: 0}", "{min: 1, max: 1, spare: 0, spare_max: 0}"))
	await(t, "its first worker", func() bool { return len(p.workers("guests", "active")) == 1 })
	if len(groupGuards(p.instance)) != 1 {
		t.Error("its first worker came with a reload, and without a guard")
	}
}

func TestNobodyButABalancerRunsAGuardOfLocalWorkers(t *testing.T) {
	t.Parallel()
	for say, args := range map[string][]string{
		"understudy guard-groups is run by a balancer": {"--instance", filepath.Base(t.TempDir())},
		"does not take":          {"4711"},
		"unknown flag":           {"--groups", "4711"},
		"flag needs an argument": {"--instance"},
	} {
		code, out, stderr := run(t, nil, append([]string{"guard-groups"}, args...)...)
		if code != 2 || out != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, say) {
			t.Errorf("%v: %d %q %q", args, code, out, stderr)
		}
	}
}
