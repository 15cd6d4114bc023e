package stage

import (
	"os"
	"testing"
	"time"
)

func TestTheCPUTimeIsReadBehindAnyName(t *testing.T) {
	const stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 1000 0 0 0 250 37 9 9 20 0 4 0 100 1000 200 1 1 1"
	got, err := parseCPU(stat)
	if err != nil || got != 2870*time.Millisecond {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseCPU("42 (x) S"); err == nil {
		t.Error("a line that is too short is no error")
	}
}

func TestChildrenCountWithTheirParent(t *testing.T) {
	s := newStage(t)
	p, err := s.Start(Command{Name: "family", Args: []string{"sh", "-c", "sleep 600 & echo ready; wait"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := Until(t.Context(), "the child is there", func() (bool, error) { return len(children(p.PID)) == 1, p.Alive() }); err != nil {
		t.Fatal(err)
	}
	one := func(int) (int64, error) { return 1, nil }
	if n, err := sum(p.PID, one); err != nil || n != 2 {
		t.Errorf("%d processes, %v", n, err)
	}
}

func TestReadingsOfOurOwnProcessMakeSense(t *testing.T) {
	if rss, err := RSS(os.Getpid()); err != nil || rss < 1<<20 || rss > 4<<30 {
		t.Errorf("RSS %d, %v", rss, err)
	}
	before, err := FDs(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if now, err := FDs(os.Getpid()); err != nil || now != before+1 {
		t.Errorf("%d descriptors after %d and one more, %v", now, before, err)
	}
	if _, err := CPU(1 << 30); err == nil {
		t.Error("a process that is not there has used CPU time")
	}
}

func TestProcessesAreCountedByNameAndArgument(t *testing.T) {
	s := newStage(t)
	if _, err := s.Start(Command{Name: "sleeper", Args: []string{"sleep", "601.25"}}); err != nil {
		t.Fatal(err)
	}
	err := Until(t.Context(), "one is counted", func() (bool, error) {
		n, err := CountArgs("sleep", func(arg string) bool { return arg == "601.25" })
		return n == 1, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := CountArgs("sleep", func(string) bool { return false }); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
}
