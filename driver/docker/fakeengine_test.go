package docker

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"understudy/driver"
	"understudy/driver/docker/enginetest"
)

// fakeEngine is an engine that runs nothing, and its drivers.
type fakeEngine struct {
	*enginetest.Engine
	t *testing.T
}

func newFakeEngine(t *testing.T) *fakeEngine { return newFakeEngineOf(t, enginetest.Options{}) }

func newFakeEngineOf(t *testing.T, o enginetest.Options) *fakeEngine {
	return &fakeEngine{enginetest.New(t, o), t}
}

// driver connects to the fake engine, with limits short enough for a test to wait for.
func (f *fakeEngine) driver(change ...func(*limits)) *Driver {
	f.t.Helper()
	return f.driverOf("fake", change...)
}

// idleWorker is a program for an engine that runs nothing: the smallest there is, since each of these engines is given an image of it.
func idleWorker(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "worker")
	if err := os.WriteFile(path, program(elf.EM_X86_64, elf.PT_LOAD), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// driverOf is that of an instance.
func (f *fakeEngine) driverOf(instance string, change ...func(*limits)) *Driver {
	f.t.Helper()
	l := defaultLimits()
	l.hunt, l.close, l.parked, l.again = 2*time.Second, 5*time.Second, 0, time.Millisecond
	for _, c := range change {
		c(l)
	}
	d, err := New(f.t.Context(), Options{Instance: instance, Host: f.Host(), Binary: idleWorker(f.t), Log: testLog(f.t), limits: l})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := d.Close(); err != nil {
			f.t.Errorf("Close: %v", err)
		}
	})
	return d
}

// left says how many containers there are.
func (f *fakeEngine) left() int { return len(f.Containers()) }

// fakeSpec is a worker for the fake engine, of the image inside this program. Each has a port of its own; that of "a" is 20000.
func fakeSpec(worker string) driver.Spec {
	port := 20000
	for _, r := range strings.TrimPrefix(worker, "a") {
		port = (port*31+int(r))%30000 + 20001
	}
	return driver.Spec{Pool: "pool", Worker: worker, Generation: "g-" + worker, Hash: "h", Capabilities: []string{"mult"}, HostPort: port}
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("never happened: %s", what)
		}
	}
}
