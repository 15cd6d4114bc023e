package stage

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newStage(t *testing.T) *Stage {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestClosingAStageEndsWhatRunsOnItAndRemovesItsDirectory(t *testing.T) {
	s := newStage(t)
	p, err := s.Start(Command{Name: "sleeper", Args: []string{"sleep", "600"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Alive(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.PID, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the process is still there: %v", err)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("stopping once more: %v", err)
	}
}

func TestChildrenThatOutliveTheirParentAreEndedToo(t *testing.T) {
	s := newStage(t)
	p, err := s.Start(Command{Name: "family", Args: []string{"sh", "-c", "sleep 600 & wait"}})
	if err != nil {
		t.Fatal(err)
	}
	var child int
	err = Until(t.Context(), "the child is there", func() (bool, error) {
		all := children(p.PID)
		if len(all) == 1 {
			child = all[0]
		}
		return child != 0, p.Alive()
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = Until(ctx, "the child is gone", func() (bool, error) {
		stat, err := os.ReadFile(proc(child, "stat"))
		return err != nil || strings.Contains(string(stat), ") Z "), nil // whoever inherits it may take its time to collect it
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAProcessThatEndsTooEarlySaysWhatItPrinted(t *testing.T) {
	s := newStage(t)
	p, err := s.Start(Command{Name: "broken", Args: []string{"sh", "-c", "echo no such option; exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	err = p.Answers(t.Context(), "http://127.0.0.1:1/")
	if err == nil || !strings.Contains(err.Error(), "broken ended too early: exit status 3") || !strings.Contains(err.Error(), "no such option") {
		t.Error(err)
	}
}

func TestAProgramThatIsNotThereIsAnError(t *testing.T) {
	s := newStage(t)
	if _, err := s.Start(Command{Name: "ghost", Args: []string{"no-such-program"}}); err == nil || !strings.Contains(err.Error(), "ghost") {
		t.Error(err)
	}
}

func TestRunReturnsTheOutputAndWhatItCost(t *testing.T) {
	o, err := Run(t.Context(), Command{Name: "echo", Args: []string{"sh", "-c", `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; echo "$WORD"`}, Env: []string{"WORD=hello"}})
	if err != nil || o.Out != "hello\n" || o.Peak < 100<<10 || o.Peak > 1<<30 || o.CPU <= 0 || o.CPU > time.Minute {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestRunTellsWhyAProgramFailed(t *testing.T) {
	_, err := Run(t.Context(), Command{Name: "the race", Args: []string{"sh", "-c", "echo bad luck >&2; exit 1"}})
	if err == nil || !strings.Contains(err.Error(), "the race") || !strings.Contains(err.Error(), "bad luck") {
		t.Error(err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := Run(ctx, Command{Name: "sleeper", Args: []string{"sleep", "600"}}); !errors.Is(err, why) {
		t.Error(err)
	}
}

func TestUntilSaysWhatItWaitedFor(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := Until(ctx, "pigs fly", func() (bool, error) { return false, nil })
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "pigs fly") {
		t.Error(err)
	}
}

func TestMissingToolsAreNamedWithTheirPackages(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Need("h2load", "wrk")
	if err == nil || !strings.Contains(err.Error(), "needs h2load and wrk") || !strings.Contains(err.Error(), "apt-get install -y nghttp2-client wrk") {
		t.Error(err)
	}
	if err := Need(); err != nil {
		t.Error(err)
	}
}
