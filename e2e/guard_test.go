package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// guards lists the processes that guard an instance.
func guards(instance string) []int {
	return processes(func(args []string) bool {
		i := slices.Index(args, "--instance")
		return len(args) > 2 && args[1] == "guard" && i > 0 && i+1 < len(args) && args[i+1] == instance
	})
}

// processes lists those whose command line is so.
func processes(is func(args []string) bool) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		raw, err := os.ReadFile(path)
		var pid int
		if _, scan := fmt.Sscanf(path, "/proc/%d/", &pid); err != nil || scan != nil {
			continue // it has ended
		}
		if is(strings.Split(strings.TrimSuffix(string(raw), "\x00"), "\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// lonePool is one worker that nothing is added to: enough for a guard to leave alone or to remove.
const lonePool = `
pools:
  - name: general
    capabilities: [mult, add]
    env: [DURATION=20ms..60ms]
    workers: {min: 1, max: 1, spare: 0}
`

// settled waits until a balancer has so many workers, spares among them, and one guard.
func (p *process) settled(n int) *process {
	p.t.Helper()
	await(p.t, "workers and spares", func() bool { return len(p.workers("general", "active", "spare")) == n })
	await(p.t, "one guard", func() bool { return len(guards(p.instance)) == 1 })
	return p
}

// vanished waits until nothing of a balancer is left, whoever removes it.
func (p *process) vanished() {
	p.t.Helper()
	await(p.t, "the containers are gone", func() bool { return len(containers(p.t, p.instance)) == 0 })
	await(p.t, "the guard has ended", func() bool { return len(guards(p.instance)) == 0 })
	noNetworks(p.t, p.instance)
	if _, err := os.Stat("/tmp/understudy-docker-" + p.instance + ".lock"); !os.IsNotExist(err) {
		p.t.Errorf("the lock is left: %v", err)
	}
	for port := p.from; port < p.from+64; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			p.t.Errorf("port %d is held: %v", port, err)
			continue
		}
		l.Close()
	}
}

func TestTheGuardRemovesWhatABalancerLeftThatDiedWithoutASuccessor(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	p := start(t, "guard: 1s\n"+quickPool, "--driver", "docker").settled(2)
	p.kill()
	p.vanished()
}

// The guard of the one that was killed removes nothing, the guard of the one that came everything: that one panics.
func TestTheGuardLeavesASuccessorAloneWhichHasItsOwn(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	p := start(t, "guard: 2s\n"+lonePool, "--driver", "docker").settled(1)
	before, first := containers(t, p.instance), guards(p.instance)
	p.kill()
	next := launch(t, p.instance, "guard: 2s\n"+lonePool, "--driver", "docker").settled(1)
	if now := guards(p.instance); now[0] == first[0] {
		t.Errorf("the guard %v is still the first one's", now)
	}
	if after := containers(t, p.instance); !slices.Equal(sorted(before), sorted(after)) {
		t.Errorf("the containers were %v and are %v", before, after)
	}
	_ = syscall.Kill(next.pid(), syscall.SIGQUIT) // what the runtime does then is what it does in a panic
	<-next.exited
	if code := next.cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("it ended with %d", code)
	}
	next.vanished()
}

// A successor that takes the instance and then fails has been told nothing of the workers, but they are its to remove.
func TestTheGuardOfASuccessorThatFailsToStartCleansUp(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	p := start(t, "guard: 2s\n"+lonePool, "--driver", "docker").settled(1)
	p.kill()
	door := openDoor(t)
	door.refuse.Store("/containers/json")
	code, _, said := run(t, []string{"DOCKER_HOST=" + door.host}, "balancer", "--config", p.config, "--driver", "docker")
	if code != 1 {
		t.Errorf("the successor ends with %d: %s", code, said)
	}
	if len(guards(p.instance)) == 0 {
		t.Error("nobody guards what is left")
	}
	door.refuse.Store("")
	p.vanished()
}

func TestTheGuardOutlastsAnEngineThatIsAway(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	door := openDoor(t)
	p := prepare(t, instanceOf(t), "guard: 1s\n"+lonePool)
	p.cmd = exec.Command(binary, "balancer", "--config", p.config, "--driver", "docker")
	p.cmd.Env = append(os.Environ(), "DOCKER_HOST="+door.host)
	p.run()
	p.settled(1)
	door.refuse.Store("/version") // whoever wants to connect asks for that first
	before := door.refused.Load()
	p.kill()
	await(t, "the guard asks again and again", func() bool { return door.refused.Load() >= before+2 })
	door.close()
	if n := len(containers(t, p.instance)); n != 1 {
		t.Errorf("%d containers while the engine is away", n)
	}
	door.refuse.Store("")
	door.open()
	p.vanished()
}

// One balancer, because none of it should disturb it.
func TestTheGuardOfABalancerThatLives(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	p := start(t, "guard: 1s\n"+lonePool, "--driver", "docker").settled(1)
	p.guardHoldsNothing()
	p.guardIsDeaf()
	p.guardIsReplaced()
	p.guardIsHandedOver()
	_ = syscall.Kill(p.pid(), syscall.SIGTERM)
	<-p.exited
	if left := guards(p.instance); len(left) > 0 {
		t.Errorf("the guard %v outlives a balancer that ended in order", left)
	}
	p.vanished()
}

// What a guard holds of its balancer's is nothing: no listener, no terminal, no pipe but the one, no folder. It is a small process.
func (p *process) guardHoldsNothing() {
	t := p.t
	proc := fmt.Sprintf("/proc/%d/", guards(p.instance)[0])
	open, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	pipes := 0
	for _, fd := range open {
		what, _ := os.Readlink(proc + "fd/" + fd.Name())
		switch {
		case strings.HasPrefix(what, "pipe:"):
			pipes++
		case what != "/dev/null" && !strings.HasPrefix(what, "anon_inode:") && !strings.HasPrefix(what, "/sys/fs/cgroup"):
			t.Errorf("the guard holds %s", what)
		}
	}
	if pipes != 1 {
		t.Errorf("the guard holds %d pipes", pipes)
	}
	if dir, err := os.Readlink(proc + "cwd"); err != nil || dir != "/" {
		t.Errorf("the guard works in %s, %v", dir, err)
	}
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		t.Fatal(err)
	}
	var all, own int
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %d", &all)
		_, _ = fmt.Sscanf(line, "RssAnon: %d", &own)
	}
	t.Logf("the guard: %d KiB, of which %d KiB are its own", all, own)
	if own == 0 || own > 16<<10 {
		t.Errorf("the guard has %d KiB of its own, want 16 MiB at most", own)
	}
}

// Who signals a whole group, or every process of this name, means the balancer.
func (p *process) guardIsDeaf() {
	p.t.Helper()
	before := guards(p.instance)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(before[0], s); err != nil {
			p.t.Fatal(err)
		}
	}
	victim := oldestReady(p) // something that takes a while
	if err := p.drain(victim); err != nil {
		p.t.Fatal(err)
	}
	await(p.t, "it is replaced", func() bool { return !has(p, victim) && len(p.workers("general", "active", "spare")) == 1 })
	if now := guards(p.instance); !slices.Equal(now, before) {
		p.t.Errorf("the guard was %v and is %v", before, now)
	}
	if group, err := syscall.Getpgid(before[0]); err != nil || group != before[0] {
		p.t.Errorf("the guard is in group %d: %v", group, err)
	}
}

func (p *process) guardIsReplaced() {
	p.t.Helper()
	first := guards(p.instance)[0]
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	await(p.t, "there is another", func() bool { now := guards(p.instance); return len(now) == 1 && now[0] != first })
	mustSay(p.t, p.output.String(), "the guard has ended, another one is started")
}

func (p *process) guardIsHandedOver() {
	p.t.Helper()
	first := guards(p.instance)
	p.replace()
	await(p.t, "the old process has ended", func() bool { return strings.Contains(p.output.String(), "the old process has ended") })
	if now := guards(p.instance); len(now) != 1 || now[0] == first[0] {
		p.t.Errorf("the guard was %v, now there is %v", first, now)
	}
}

func TestWorkersLeftOnPurposeAreNoneOfTheGuardsBusiness(t *testing.T) {
	requireDocker(t)
	t.Parallel()
	p := start(t, "guard: 1s\n"+lonePool, "--driver", "docker", "--on-exit", "leave").settled(1)
	before := containers(t, p.instance)
	p.end()
	if left := guards(p.instance); len(left) > 0 {
		t.Errorf("the guard %v is still there", left)
	}
	if after := containers(t, p.instance); !slices.Equal(sorted(before), sorted(after)) {
		t.Errorf("the containers were %v and are %v", before, after)
	}
	if out, err := exec.Command(binary, "cleanup", "--instance", p.instance).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
