package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"understudy/driver/drivertest"
	"understudy/driver/process"
)

// told keeps what is said of groups.
type told struct {
	mu   sync.Mutex
	said []string
	last process.Group
}

func (l *told) Begun(g process.Group) { l.note("begun", g) }
func (l *told) Over(g process.Group)  { l.note("over", g) }

func (l *told) note(what string, g process.Group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said, l.last = append(l.said, fmt.Sprint(what, " ", g)), g
}

func (l *told) all() ([]string, process.Group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.said), l.last
}

// listening is a driver that tells.
func listening(t *testing.T) (*process.Driver, *told) {
	t.Helper()
	l := &told{}
	d, err := process.New(process.Options{Executable: worker(), Groups: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, l
}

func TestEveryGroupIsToldOfWhenItBeginsAndWhenItIsOver(t *testing.T) {
	d, l := listening(t)
	s := spec(t)
	inst, err := d.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	said, g := l.all()
	if len(said) != 1 || said[0] != fmt.Sprint("begun ", g) || string(inst.ID) != fmt.Sprintf("a-%d", g.ID) {
		t.Fatalf("of %s it is said %q", inst.ID, said)
	}
	if runtime.GOOS == "linux" && g.Began == 0 {
		t.Error("nobody knows when it began")
	}
	if err := d.Stop(t.Context(), inst.ID, 0); err != nil {
		t.Fatal(err)
	}
	if said, _ := l.all(); len(said) != 2 || said[1] != fmt.Sprint("over ", g) {
		t.Errorf("after its end it is said %q", said)
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("no program"), 0o700); err != nil { // found, and it cannot be run
		t.Fatal(err)
	}
	if _, err := d.Start(t.Context(), spec(t, plain)); err == nil {
		t.Error("it was started")
	}
	if said, _ := l.all(); len(said) != 2 {
		t.Errorf("of a start that failed it is said %q", said)
	}
}

// A number that was given again is a stranger's.
func TestAGroupWithAnotherLeaderIsLeftAlone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("when a process began cannot be told here")
	}
	d, l := listening(t)
	s := spec(t)
	inst := mustStart(t, d, s)
	_, g := l.all()
	process.Group{ID: g.ID, Began: g.Began - 1}.Kill()
	if _, _, err := drivertest.Get(t.Context(), inst.Address+"/"); err != nil {
		t.Fatalf("it was killed: %v", err)
	}
	g.Kill()
	eventually(t, "it was killed", func() bool { got, _ := d.Inspect(t.Context(), inst.ID); return !got.Running && got.ExitCode == 137 })
}

func TestAGroupIsKilledWhenNobodyKnowsWhenItBegan(t *testing.T) {
	d, l := listening(t)
	inst := mustStart(t, d, spec(t))
	_, g := l.all()
	process.Group{ID: g.ID}.Kill()
	eventually(t, "it was killed", func() bool { got, _ := d.Inspect(t.Context(), inst.ID); return !got.Running && got.ExitCode == 137 })
}
