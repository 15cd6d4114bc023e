package process_test

import (
	"testing"

	"understudy/driver"
	"understudy/driver/drivertest"
	"understudy/driver/process"
)

// marked starts a worker of a driver with that mark.
func marked(t *testing.T, m process.Mark, command ...string) (*process.Driver, driver.Instance) {
	t.Helper()
	d, err := process.New(process.Options{Executable: worker(), Mark: m})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, mustStart(t, d, spec(t, command...))
}

func TestAMarkIsOnAllThatWorkersStartAndOnNobodyElse(t *testing.T) {
	t.Setenv("UNDERSTUDY_MARK", "of somebody who has started us")
	mark, other := process.NewMark("one"), process.NewMark("on") // the beginning of it
	d, mine := marked(t, mark, "sh", "-c", `"$0" --listen "127.0.0.1:$PORT" & wait`, worker())
	_, others := marked(t, other)
	_, unmarked := marked(t, process.Mark{})
	for _, m := range []process.Mark{{}, {Session: mark.Session}, {Token: "o", Session: mark.Session}, {Token: "one", Session: mark.Session + 1}} {
		m.Kill()
	}
	for _, inst := range []driver.Instance{mine, others, unmarked} {
		if _, _, err := drivertest.Get(t.Context(), inst.Address+"/"); err != nil {
			t.Fatalf("a mark that is not its own ended it: %v", err)
		}
	}
	mark.Kill()
	eventually(t, "the worker has ended", func() bool { got, _ := d.Inspect(t.Context(), mine.ID); return !got.Running })
	eventually(t, "what it has started too", func() bool { return drivertest.Free(mine.HostPort) })
	for _, inst := range []driver.Instance{others, unmarked} {
		if _, _, err := drivertest.Get(t.Context(), inst.Address+"/"); err != nil {
			t.Errorf("another's mark ended it: %v", err)
		}
	}
}
