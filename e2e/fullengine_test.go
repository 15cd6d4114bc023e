//go:build engine

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// narrow gives the engine a disk of its own that is soon full.
func (e *ownEngine) narrow() (disk string) {
	e.t.Helper()
	disk = filepath.Join(e.dir, "data")
	if err := os.Mkdir(disk, 0o700); err != nil {
		e.t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=128m"); err != nil {
		e.t.Fatal(err)
	}
	return disk
}

// fill keeps a disk full, also of what is removed meanwhile, until there is to be room.
func fill(t *testing.T, path string) (room func()) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	topUp := func() {
		for size := 1 << 16; size > 0; size /= 2 { // less and less fits
			for err := error(nil); err == nil; {
				_, err = f.Write(make([]byte, size))
			}
		}
	}
	topUp()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				topUp()
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		if err := errors.Join(f.Close(), os.Remove(path)); err != nil {
			t.Error(err)
		}
	}
}

// lastError is what the last start failed with.
func (p *process) lastError() string { return p.status().Pools[0].LastError }

// drainOne has one worker replaced.
func (p *process) drainOne() {
	p.t.Helper()
	if err := p.drain(p.ids()[0]); err != nil {
		p.t.Fatal(err)
	}
}

// A worker that goes while the disk is full cannot be replaced: that is said and tried less and less often, and the others serve on.
func TestD26RealAFullDiskIsNoStormAndOverOnceThereIsRoom(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		disk := e.narrow()
		e.start()
		p := start(t, steadyPool, "--driver", "docker")
		p.full(4)
		over := p.load()
		room := fill(t, filepath.Join(disk, "fill"))
		p.drainOne()
		await(t, "the status says that the disk is full", func() bool { return strings.Contains(p.lastError(), "no space left") })
		await(t, "it was tried again", func() bool { return p.status().Pools[0].StartFails >= 3 })
		if n := len(p.workers("general", "active", "spare")); n != 3 {
			t.Errorf("%d workers are ready, want the 3 that were", n)
		}
		p.startedAtMost(4 + 5)
		room()
		p.full(4)
		if err := p.lastError(); err != "" {
			t.Errorf("with room again the status says %q", err)
		}
		if r := over(); r.Errors > 0 || r.Count < 20 {
			t.Errorf("of %d requests %d failed: %v", r.Count, r.Errors, r.ErrorSamples)
		}
	})
}

// One address pool is enough for the engine's own bridge and one network more. Somebody has that one.
func TestD27RealWithoutAnAddressForItsNetworkAPoolSaysSoAndBeginsOnceThereIsOne(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		e.start("--default-address-pool", "base=10.77.0.0/23,size=24")
		e.docker("network", "create", "somebody")
		p := launch(t, instanceOf(t), strings.ReplaceAll(steadyPool, "queue:", "egress: true\n    queue:"), "--driver", "docker")
		await(t, "the status says that no address is left", func() bool { return strings.Contains(p.lastError(), "address pool") })
		p.startedAtMost(5 * 4)
		e.docker("network", "rm", "somebody")
		p.full(4)
	})
}

// The path of the socket is what counts: whatever is there next is the engine.
func TestD16RealASocketThatIsRemovedAndMadeAnewIsFoundAgain(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		e.start("--live-restore")
		p := start(t, steadyPool, "--driver", "docker")
		p.full(4)
		before, path := p.ids(), e.socket
		e.end(syscall.SIGTERM)
		p.awaitEngine("away")
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Fatalf("the socket is there still: %v", err)
		}
		e.socket += ".new"
		e.start("--live-restore")
		if state := p.status().Engine.State; state != "away" {
			t.Errorf("while there is no socket the engine is %s", state)
		}
		if err := os.Symlink(e.socket, path); err != nil {
			t.Fatal(err)
		}
		p.awaitEngine("up")
		p.full(4)
		if now := p.ids(); !slices.Equal(now, before) {
			t.Errorf("the workers were %v and are %v", before, now)
		}
		p.drainOne()
		await(t, "a worker is replaced", func() bool { now := p.ids(); return len(now) == 4 && !slices.Contains(now, before[0]) })
		p.startedAtMost(5)
	})
}

// docker-proxy reaches the workers without a rule. What no longer holds is what the rules forbid, until the engine is started again.
func TestD28RealFlushedRulesTakeNoWorkerAwayAndAnEngineThatRestartsMakesThemAnew(t *testing.T) {
	alone(t, func(t *testing.T, e *ownEngine) {
		e.start("--live-restore")
		p := start(t, steadyPool, "--driver", "docker")
		p.full(4)
		before := p.ids()
		over := p.load()
		iptables(t, "-F")
		iptables(t, "-t", "nat", "-F")
		p.drainOne()
		await(t, "a worker is replaced", func() bool { now := p.ids(); return len(now) == 4 && !slices.Contains(now, before[0]) })
		if r := over(); r.Errors > 0 || r.Count < 5 {
			t.Errorf("of %d requests %d failed: %v", r.Count, r.Errors, r.ErrorSamples)
		}
		p.startedAtMost(5)
		e.end(syscall.SIGTERM)
		p.awaitEngine("away")
		e.start("--live-restore")
		p.full(4)
		if rules := iptables(t, "-S"); !strings.Contains(rules, "-A DOCKER") {
			t.Errorf("the engine that restarted made no rules:\n%s", rules)
		}
	})
}

func iptables(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("iptables", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("iptables %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
